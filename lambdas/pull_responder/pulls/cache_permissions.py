"""Whether the pulling role may make ECR fetch an image by a pull through cache rule, and the fix where it may not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, PullFailure
from pull_responder.model.reason import join_reasons
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Verdict
from pull_responder.pulls.authorization import (
    PullAuthorization,
    StoppedAction,
    cache_authorization,
    pull_authorization,
)
from pull_responder.pulls.fix_by_hand import fix_by_hand
from pull_responder.pulls.policy_fault import POLICY_TYPES, quote_denial
from pull_responder.pulls.reasons import doubt_reason
from pull_responder.remediation import by_hand
from pull_responder.remediation.by_hand import Wanted
from pull_responder.remediation.iam import add_inline_policy

if TYPE_CHECKING:
    from collections.abc import Collection

    from pull_responder.pulls.pull_facts import PullFacts


def verdict_of_role(pull: PullFailure, repository: Arn, facts: PullFacts, *, needed: Collection[str]) -> Verdict:
    """Return whether the pulling role may call `needed`, the actions with which ECR fetches into `repository`.

    Failed with what stops them and the fix, passed, inconclusive, or not applicable where the same statement denies the
    pull itself.
    """
    authorization = cache_authorization(pull, facts)
    if isinstance(authorization, Unread):
        return Verdict.inconclusive(authorization.reason)
    stopped = tuple(each for each in authorization.stopped_actions() if each.action in needed)
    alone = tuple(each for each in stopped if not _stops_the_pull_too(each, pull, facts))
    if stopped and not alone:
        return Verdict.not_applicable("what denies these actions denies the pull itself, and is reported as that")
    return _verdict(pull, repository, authorization, alone, needed=needed)


def _stops_the_pull_too(stopped: StoppedAction, pull: PullFailure, facts: PullFacts) -> bool:
    """Return whether the Deny that stops this action also stops an action that every pull needs: it is one fault."""
    of_pull = pull_authorization(pull, facts)
    outcome = stopped.outcome
    if outcome.state is not State.BLOCKS_EXPLICITLY or isinstance(of_pull, Unread):
        return False
    policy, statement = outcome.policy, outcome.statement
    denies = of_pull.denies(outcome.kind).get(policy.name, set()) if policy else set()
    return statement is not None and statement.index in denies


def _verdict(
    pull: PullFailure,
    repository: Arn,
    authorization: PullAuthorization,
    stopped: tuple[StoppedAction, ...],
    *,
    needed: Collection[str],
) -> Verdict:
    certain = tuple(each for each in stopped if each.outcome.state is not State.UNDECIDED)
    refused = pull.denial is not None and not pull.denial.quoted and pull.denial.action in needed
    by_words = refused and _is_decided_by_words(pull, stopped)
    if not certain and not by_words:
        # Undecided policies of other kinds do not count here: the checks of those kinds report them.
        open_ = [each.outcome for each in stopped if each.outcome.kind in (PolicyKind.IDENTITY, PolicyKind.BOUNDARY)]
        reasons = [doubt_reason(each) for outcome in open_ for each in outcome.unknown]
        if reasons:
            return Verdict.inconclusive(join_reasons(reasons))
        return Verdict.passed(f"The role may call {', '.join(sorted(needed))}.")
    role = authorization.role
    actions = dict.fromkeys(each.action for each in certain)
    if by_words and pull.denial:
        actions.setdefault(pull.denial.action)
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), repository.account),
        explanation=(
            f"The repository {repository} caches an upstream registry, and the role {role} may not call "
            f"{', '.join(actions)}, so ECR does not fetch images that are not cached yet."
        ),
        evidence=(*(_evidence(each) for each in certain), *quote_denial(pull)),
        remediation=_fix(pull, authorization, tuple(actions), certain),
    )


def _is_decided_by_words(pull: PullFailure, stopped: Collection[StoppedAction]) -> bool:
    """Return whether AWS's message decides what could not be read: it names the action, perhaps the policy type."""
    kinds = pull.blamed_policy_types or {PolicyType.IDENTITY, PolicyType.BOUNDARY}
    refused = [each for each in stopped if pull.denial and each.action == pull.denial.action]
    return any(POLICY_TYPES[each.outcome.kind] in kinds for each in refused)


def _evidence(stopped: StoppedAction) -> str:
    outcome = stopped.outcome
    return f'The kind of policy "{outcome.kind}" {outcome.state.value}: {stopped.action} on {stopped.resource}.'


def _fix(
    pull: PullFailure, authorization: PullAuthorization, actions: tuple[str, ...], stopped: tuple[StoppedAction, ...]
) -> Remediation:
    role = authorization.role
    only_lacks = all(
        each.outcome.kind is PolicyKind.IDENTITY and each.outcome.state is State.BLOCKS_IMPLICITLY for each in stopped
    )
    if stopped and not only_lacks:
        return _fix_by_hand(pull, role, stopped)
    if not stopped or pull.repository_arn is None:
        return by_hand.identity_policy(Wanted(actions, explicit=False), role=role, region=pull.region)
    inline = [text.name for text in authorization.documents.values() if text.arn is None]
    return add_inline_policy(
        role, region=pull.region, actions=actions, repository_arn=pull.repository_arn, taken_names=inline
    )


def _fix_by_hand(pull: PullFailure, role: Arn, stopped: tuple[StoppedAction, ...]) -> Remediation:
    """Return what is to change in each kind of policy that stops an action."""
    kinds: dict[tuple[PolicyKind, bool], list[str]] = {}
    for each in stopped:
        key = each.outcome.kind, each.outcome.state is State.BLOCKS_EXPLICITLY
        kinds.setdefault(key, []).append(each.action)
    repository = Arn.parse(pull.repository_arn or "")
    first, *others = (
        fix_by_hand(kind, Wanted(tuple(actions), explicit), role=role, repository=repository, region=pull.region)
        for (kind, explicit), actions in kinds.items()
    )
    return replace(first, summary=" ".join(each.summary for each in (first, *others)), short="")
