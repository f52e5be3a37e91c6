"""Principals of accounts that are not known to be ours: nothing that we print lets them in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.model.reason import reword
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Remediation
    from pull_responder.pulls.pull_facts import PullFacts


def outsider_of(pull: PullFailure, facts: PullFacts) -> str | Unread | None:
    """Return the pulling principal's account if it is not ours, None if it is, and Unread where that is not known.

    Where our own account is not known, the account that recorded the event counts as ours: its owner gave us the event.
    """
    account = pull.principal_account
    if account is None or facts.asked:
        return None
    ours = facts.is_ours(account, pull.region)
    if account == pull.account and isinstance(facts.identity(), Unread):
        return None
    if isinstance(ours, Unread):
        text = f"it is not known whether account {account} is of this organization: {ours.reason}"
        return Unread(reword(ours.reason, text))
    return None if ours else account


def withhold_commands(remediation: Remediation, account: str) -> Remediation:
    """Return the remediation without commands, which would let in a principal of `account`.

    Whether it may pull is for the owner of what it pulls to decide.
    """
    summary = (
        f"Account {account} is not known to be of this organization: find out first whether it may pull. "
        f"{remediation.summary}"
    )
    return replace(remediation, summary=summary, short="", commands=(), undo=())
