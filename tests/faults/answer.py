"""Answers as botocore gets them from its HTTP session."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse, HeadersDict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Raw(BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        while chunk := self.read(65_536):
            yield chunk


def answer(url: str, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> AWSResponse:
    """Return the answer of `url`."""
    made: Any = HeadersDict(
        (name, value) for name, value in headers if name.lower() not in ("content-length", "transfer-encoding")
    )
    return AWSResponse(url, status, made, _Raw(body))
