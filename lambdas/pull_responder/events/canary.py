"""The canary: CloudTrail's record of a call that our own function `examine` made, and that its role is not allowed.

The call is ecr:BatchGetImage on a repository of this name, which does not exist: `pull-responder-canary/ID`, with 32
hexadecimal digits. A record of a refused pull need not have more than eventName, errorCode, errorMessage and
userIdentity (events/cloudtrail.py), so the id stands where the error message has it: in the name.

A record counts as a canary by four things together: EventBridge says that it is of our own account, the caller is a
session of the role of `examine`, the repository is one of our own registry, and the name is such a name. What lacks one
of them is a refused pull like any other (docs/adr/0162-a-canary-that-nobody-else-can-send.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pull_responder.events import names
from pull_responder.events.cloudtrail import DETAIL_TYPE, read_envelope
from pull_responder.events.json_text import read_json
from pull_responder.events.outcome import UnusableEvent
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PrincipalKind, PullFailure

PREFIX: Final = "pull-responder-canary/"
"""The beginning of the name of a repository that nobody has."""

ACTION: Final = "ecr:BatchGetImage"

_NAME: Final = re.compile(f"{re.escape(PREFIX)}([0-9a-f]{{32}})")


@dataclass(frozen=True, slots=True)
class CanaryRecord:
    """The record of one of our own calls: its id, and the region in which the call was made."""

    id: str
    region: str


def repository_of(canary_id: str) -> str:
    """Return the name of the repository that a call asks for."""
    return f"{PREFIX}{canary_id}"


def read_canary(body: str, *, account: str | None, role_arn: str | None) -> CanaryRecord | None:
    """Return the canary in a message of the queue; None if the message is something else.

    - `account` is our own. With None, nothing is a canary.
    - `role_arn` is the role of the function `examine`. With None, nothing is a canary.
    """
    if PREFIX not in body or account is None or role_arn is None:  # most messages: their JSON is not read twice
        return None
    pull = _refused_pull(body, account)
    if pull is None or not _is_of_role(pull, account, role_arn):
        return None
    found = _NAME.fullmatch(pull.repository or "")
    is_ours = pull.registry_account == account and pull.denial is not None and pull.denial.action == ACTION
    return CanaryRecord(found[1], pull.region) if found and is_ours else None


def _refused_pull(body: str, account: str) -> PullFailure | None:
    """Return the refused pull of a record that EventBridge delivered in our account; None if it is something else."""
    try:
        envelope = read_json(body, where="body")
        if not isinstance(envelope, dict) or names.account(envelope.get("account")) != account:
            return None
        if (envelope.get("source"), envelope.get("detail-type")) != ("aws.ecr", DETAIL_TYPE):
            return None
        pull = read_envelope(envelope)
    except UnusableEvent:
        return None
    return pull if isinstance(pull, PullFailure) else None


def _is_of_role(pull: PullFailure, account: str, role_arn: str) -> bool:
    """Return whether a session of the role was refused. An account has one role of a name, whatever its path."""
    role, principal = Arn.parse(role_arn), pull.principal
    if role is None or principal is None or principal.kind is not PrincipalKind.ROLE:
        return False
    return principal.account == role.account == account and principal.name == role.resource.rpartition("/")[2]
