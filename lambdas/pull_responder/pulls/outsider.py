"""Principals of accounts that are not known to be ours: nothing that we print lets them in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Remediation
    from pull_responder.pulls.pull_facts import PullFacts


def outsider_of(pull: PullFailure, facts: PullFacts) -> str | None:
    """Return the pulling principal's account if it is not known to be ours, else None."""
    account = pull.principal_account
    if account is None or facts.asked or facts.is_ours(account, pull.region):
        return None
    return account


def withhold_commands(remediation: Remediation, account: str) -> Remediation:
    """Return the remediation without commands, which would let in a principal of `account`.

    Whether it may pull is for the owner of what it pulls to decide.
    """
    summary = (
        f"Account {account} is not known to be of this organization: find out first whether it may pull. "
        f"{remediation.summary}"
    )
    return replace(remediation, summary=summary, commands=())
