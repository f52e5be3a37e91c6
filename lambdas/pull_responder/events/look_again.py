"""Read the event of Security Hub's custom action "Look again": somebody wants findings to be rechecked now.

Source: Security Hub User Guide, "EventBridge event formats for Security Hub CSPM", "Security Hub Findings - Custom
Action": the findings are in the detail, whole. Only their ids are used, and a recheck reads everything anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names
from pull_responder.events.outcome import Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB_SOURCE: Final = "aws.securityhub"
CUSTOM_ACTION: Final = "Security Hub Findings - Custom Action"

_OUR_ID: Final = re.compile(r"pull-responder/[a-z0-9_]{1,80}/[0-9a-z-]{1,32}/[a-z0-9-]{0,40}/[0-9a-f]{20}")
# The console lets people choose as many on a page.
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class LookAgain:
    """The ids of the findings to recheck."""

    findings: tuple[str, ...]


def read_look_again(
    envelope: Mapping[str, object], detail: Mapping[str, object], *, account: str | None, organization: bool = False
) -> LookAgain | Skipped:
    """Return which of our findings the event is about. `account` is our own; with None, any account's counts.

    In an organization, that of another account counts for findings about that account.
    """
    sender = names.account(envelope.get("account"))
    is_other = bool(account) and sender != account
    if is_other and not organization:
        return Skipped("a custom action in Security Hub of another account")
    ids = [fields.text(each, "Id") for each in fields.items(detail, "findings")[:_MOST]]
    ours = tuple(dict.fromkeys(each for each in ids if _OUR_ID.fullmatch(each)))
    if is_other:
        ours = tuple(each for each in ours if each.split("/")[2] == sender)
    return LookAgain(ours) if ours else Skipped("a custom action in Security Hub on no finding of ours")
