"""The patterns of Resource and NotResource: which ARNs one certainly covers, and which AWS's pages leave open.

Sources: IAM User Guide, "IAM JSON policy elements: Resource" (a wildcard may stand anywhere in a segment, except in the
service; a final `*` reaches over colons) and "Identify AWS resources with Amazon Resource Names (ARNs)" (a wildcard in
the resource type, such as `u*` for `user`, is not allowed). The two pages disagree about the resource type, and no page
says what an ARN of fewer than six parts covers. ADR 50.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from pull_responder.model.quoting import ELEMENT, quote

if TYPE_CHECKING:
    from pull_responder.authorization.request import Truth

_PARTS: Final = 6
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}")
_WILDCARD: Final = re.compile(r"[*?]")
# aws, aws-cn, aws-us-gov, aws-iso-b, …
_PARTITION: Final = re.compile(r"aws(?:-[a-z0-9]+)*")
_END_OF_TYPE: Final = re.compile(r"[/:]")
# The resources of these services have no type: what stands before the first slash or colon is a name.
_WITHOUT_TYPE: Final = frozenset({"execute-api", "s3", "sns"})


class Unclear(Enum):
    """Why it is not documented what a pattern covers. The values are for people."""

    NO_ARN = "it is no ARN"
    SERVICE = "it has a wildcard in place of the service"
    TYPE = "it has a wildcard in the resource type"
    SHORT = "it is an ARN of fewer than six parts"

    @property
    def counts_literally(self) -> bool:
        """Whether the doubt stays where policies are taken literally (see Request)."""
        return self in (Unclear.TYPE, Unclear.SHORT)


@dataclass(frozen=True, slots=True)
class ResourcePattern:
    """A pattern and the doubt about it, None if it is documented what the pattern covers."""

    text: str
    doubt: Unclear | None

    @classmethod
    def read(cls, text: str) -> ResourcePattern:
        """Return the pattern with its doubt. `text` may hold policy variables."""
        return cls(text, _doubt(_VARIABLE.sub("x", text)))

    @property
    def readings(self) -> tuple[str, ...]:
        """The pattern as it stands. For a short ARN also with `:*` for each missing part."""
        if self.doubt is not Unclear.SHORT:
            return (self.text,)
        return self.text, self.text + ":*" * (_PARTS - 1 - self.text.count(":"))

    def certain(self, resource: str, *, literal: bool) -> Truth:
        """Return whether a resource that matches the pattern is covered: True, or None if that is in doubt."""
        doubt = self.doubt
        if doubt is None or (literal and not doubt.counts_literally):
            return True
        return True if doubt is Unclear.TYPE and not _has_type(resource) else None

    def __str__(self) -> str:
        return f"how AWS matches {quote(self.text, ELEMENT)}: {self.doubt and self.doubt.value}"


def _doubt(text: str) -> Unclear | None:
    parts = text.split(":", _PARTS - 1)
    if parts[0] != "arn":
        return Unclear.NO_ARN
    if len(parts) > 2 and _WILDCARD.search(parts[2]):  # noqa: PLR2004 -- the third part is the service
        return Unclear.SERVICE
    if len(parts) < _PARTS:
        return None if text.endswith("*") else Unclear.SHORT
    resource = parts[-1]
    type_ = _END_OF_TYPE.split(resource)[0]
    return Unclear.TYPE if resource != "*" and _WILDCARD.search(type_) else None


def problem_of(text: str) -> str:
    """Return why AWS refuses a pattern in Resource or NotResource, in words; empty if it takes it.

    Source: AWS's answers to iam:CreatePolicy, as recorded in the tests of moto (test_iam_policies.py).
    """
    plain = _VARIABLE.sub("x", text)
    parts = plain.split(":")
    if len(parts) == 1:
        return "" if _WILDCARD.search(plain) else f'"{text[:100]}" is neither * nor an ARN'
    partition = parts[1]
    if not (_WILDCARD.search(partition) or _PARTITION.fullmatch(partition)):
        return f'"{text[:100]}" is in no partition of AWS'
    if len(parts) == 2 or not parts[2]:  # noqa: PLR2004 -- the third part is the service
        return f'"{text[:100]}" names no service'
    if len(parts) < _PARTS and "::" in plain:
        return f'"{text[:100]}" is an ARN of fewer than six parts, of which one is empty'
    return ""


def _has_type(resource: str) -> bool:
    parts = resource.split(":", _PARTS - 1)
    return len(parts) == _PARTS and parts[2] not in _WITHOUT_TYPE and _END_OF_TYPE.search(parts[-1]) is not None
