"""A managed policy, with what its fix needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.facts.iam import PolicyText
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.remediation.iam import ManagedPolicy
from pull_responder.remediation.policy_edits import Document, allow_pull, stop_denying

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.authorization import PullAuthorization, StoppedAction
    from pull_responder.pulls.pull_facts import PullFacts

_SIDES = (PolicyKind.IDENTITY, PolicyKind.BOUNDARY)


def managed_policy(
    pull: PullFailure, facts: PullFacts, authorization: PullAuthorization, text: PolicyText, side: PolicyKind
) -> ManagedPolicy:
    """Return the policy with the ids of its versions. IAM keeps five, so a sixth needs one to be deleted first.

    Where the ids cannot be read, the fix is written as if there were room. `side` says whether the fix is about the
    role's identity policies or its boundary. Where the policy is both, both causes edit it.
    """
    arn = Arn.parse(text.arn or "")
    account = pull.principal_account
    if arn is None or account is None:
        raise ValueError(f"{text.arn} is no managed policy")
    versions = () if text.is_aws_managed else facts.policy_versions(account, pull.region, str(arn))
    known = () if isinstance(versions, Unread) else versions
    if is_both(authorization, str(arn)):
        return ManagedPolicy(arn, known, text.default_version, edits=len(_SIDES), edit=_SIDES.index(side))
    return ManagedPolicy(arn, known, text.default_version)


def is_both(authorization: PullAuthorization, name: str) -> bool:
    """Return whether the policy denies the pull as a policy of the role and is also its boundary.

    Then both are causes, and each fix includes the other (ADR 9).
    """
    return name in authorization.denies(PolicyKind.IDENTITY) and name in authorization.names(PolicyKind.BOUNDARY)


def let_through(pull: PullFailure, authorization: PullAuthorization, name: str) -> Document | None:
    """Return the policy without the statements that deny the pull. A boundary also gets the missing Allow.

    None where no edit is known to be right.
    """
    sides = [side for side in _SIDES if name in authorization.names(side)]
    denied = [each.action for side in sides for each in _in_state(authorization, side, State.BLOCKS_EXPLICITLY)]
    missing = [each.action for each in _in_state(authorization, PolicyKind.BOUNDARY, State.BLOCKS_IMPLICITLY)]
    statements = {index for side in sides for index in authorization.denies(side).get(name, ())}
    actions = dict.fromkeys((*denied, *(missing if PolicyKind.BOUNDARY in sides else ())))
    document = dict(authorization.documents[name].document)
    edited = stop_denying(document, statements, tuple(actions), pull.repository_arn) if statements else document
    if edited is not None and missing and PolicyKind.BOUNDARY in sides:
        edited = allow_pull(edited, actions=missing, repository_arn=pull.repository_arn or "*")
    return edited


def _in_state(authorization: PullAuthorization, side: PolicyKind, state: State) -> list[StoppedAction]:
    return [each for each in authorization.outcomes(side, state) if each.outcome.state is state]
