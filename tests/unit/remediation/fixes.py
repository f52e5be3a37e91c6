"""A short way to compare a fix with what people read and paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.arn import Arn
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from pull_responder.model.verdict import Remediation

ACCOUNT = "111111111111"
REGION = "eu-west-1"
Told = tuple[str, str, list[str]]


def told(fix: Remediation) -> Told:
    """Return the fix's text, its page of AWS's documentation, and its commands as they are pasted.

    The fix has to be one of ACCOUNT and REGION.
    """
    assert (fix.account, fix.region) == (ACCOUNT, REGION)
    return fix.summary, fix.docs_url.removeprefix("https://docs.aws.amazon.com/"), [*map(render, fix.commands)]


def arn(text: str) -> Arn:
    """Return the parts of an ARN."""
    parsed = Arn.parse(text)
    assert parsed is not None
    return parsed
