"""A managed policy as its fix needs to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.facts.iam import PolicyText
from pull_responder.model.arn import Arn
from pull_responder.model.reading import Unread
from pull_responder.remediation.iam import ManagedPolicy

if TYPE_CHECKING:
    from pull_responder.facts.facts import Facts
    from pull_responder.model.pull import PullFailure


def managed_policy(pull: PullFailure, facts: Facts, text: PolicyText) -> ManagedPolicy:
    """Return the policy with the ids of its versions, of which IAM keeps five: a sixth needs room made first.

    Where these cannot be read the fix is written as if there were room.
    """
    arn = Arn.parse(text.arn or "")
    account = pull.principal.account if pull.principal else None
    if arn is None or account is None:
        raise ValueError(f"{text.arn} is no managed policy")
    versions = () if text.is_aws_managed else facts.policy_versions(account, pull.region, str(arn))
    return ManagedPolicy(arn, () if isinstance(versions, Unread) else versions, text.default_version)
