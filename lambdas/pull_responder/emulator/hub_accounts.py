"""Whose Security Hub a request is for, in moto: that of the account whose credentials have signed it.

moto knows the credentials that its own STS has given out. Here ministack's STS gives them out, so it is asked for the
account of a key (STS API Reference, GetAccessKeyInfo). A key of twelve digits is the root of that account, as there.
"""
# ruff: noqa: ANN401 -- moto's own objects, which are not typed for this

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_KEY: Final = re.compile(r"Credential=(?P<key>\w{12,128})/")
_ACCOUNT: Final = re.compile(r"\d{12}")
_sts: Callable[[str], str] | None = None


def ask(endpoint: str, *, account: str, region: str) -> None:
    """Have the STS at `endpoint` asked from now on, as the root of `account`."""
    global _sts  # noqa: PLW0603 -- moto makes its objects anew for each request
    client = import_module("boto3").client(
        "sts",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="test",  # noqa: S106 -- the emulator takes any
    )
    _sts = cache(lambda key: str(client.get_access_key_info(AccessKeyId=key)["Account"]))


def account_of(answering: Any, stock: Callable[[Any], str]) -> str:
    """Return the account of the request that moto is `answering`; what moto itself says if its key says nothing."""
    signed = _KEY.search(answering.headers.get("Authorization", ""))
    if signed is None:
        return stock(answering)
    key = signed["key"]
    return key if _ACCOUNT.fullmatch(key) or _sts is None else _sts(key)
