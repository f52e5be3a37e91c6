"""The pull-through cache cannot fetch the image.

What it checks: for a repository under the prefix of a pull through cache rule, whether the role may make ECR fetch from
the upstream registry: `ecr:BatchImportUpstreamImage`, and on the first pull, when the repository does not exist yet,
`ecr:CreateRepository`. An identity policy or the registry's policy may allow them, the first also the repository's.

Why that stops a pull: what ECR has not cached it must fetch, and it does so on behalf of who pulls. Images that are
cached are pulled without these.

How to fix it: allow the role the lacking actions on the cache's repositories.

References: Amazon ECR User Guide, "IAM permissions required to sync an upstream registry with an Amazon ECR private
registry".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import Layer, State
from pull_responder.checks.actions import CACHE_ACTIONS, IMPORT
from pull_responder.checks.check import Check, blamed
from pull_responder.checks.layer_fault import POLICY_TYPES, aws_said
from pull_responder.checks.pull_authorization import (
    AUTHORIZATION_PERMISSIONS,
    PullAuthorization,
    Stopped,
    cache_authorization,
)
from pull_responder.facts.ecr import is_under
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reading import Unread
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.remediation import by_hand
from pull_responder.remediation.by_hand import Wanted
from pull_responder.remediation.iam import add_inline_policy

if TYPE_CHECKING:
    from collections.abc import Collection

    from pull_responder.facts.facts import Facts


def examine(pull: PullFailure, facts: Facts) -> Verdict:  # noqa: PLR0911 -- each return is another answer
    """Return failed with the lacking actions, passed, not applicable outside of a cache, or inconclusive."""
    repository = Arn.parse(pull.repository_arn or "")
    if repository is None or pull.repository is None:
        return Verdict.not_applicable("the event names no repository")
    present = facts.repository_policy(repository.account, pull.region, pull.repository)
    if isinstance(present, Unread):
        return Verdict.inconclusive(present.reason)
    refused = pull.denial is not None and pull.denial.action in CACHE_ACTIONS
    if present is not None and not refused:
        return Verdict.not_applicable("the repository exists, and what it has cached is pulled without these actions")
    prefixes = facts.pull_through_prefixes(repository.account, pull.region)
    if not isinstance(prefixes, Unread) and not any(is_under(pull.repository, prefix) for prefix in prefixes):
        return Verdict.not_applicable("no pull through cache rule is for this repository")
    authorization = cache_authorization(pull, facts)
    if isinstance(authorization, Unread):
        return Verdict.inconclusive(authorization.reason)
    if isinstance(prefixes, Unread):
        return Verdict.inconclusive(prefixes.reason)
    # What exists is not created again.
    return _judge(pull, repository, authorization, needed={IMPORT} if present else CACHE_ACTIONS)


def _judge(pull: PullFailure, repository: Arn, authorization: PullAuthorization, *, needed: Collection[str]) -> Verdict:
    stopped = tuple(each for each in authorization.stopped() if each.action in needed)
    surely = tuple(each for each in stopped if each.outcome.state is not State.UNDECIDED)
    refused = pull.denial is not None and pull.denial.action in needed
    by_words = refused and any(POLICY_TYPES[each.outcome.layer] in blamed(pull) for each in stopped)
    if not surely and not by_words:
        # Layers that nothing tells of are not counted here: the checks of their own causes say so.
        open_ = [each.outcome for each in stopped if each.outcome.layer in (Layer.IDENTITY, Layer.BOUNDARY)]
        reasons = dict.fromkeys(reason for outcome in open_ for reason in outcome.unknown)
        if reasons:
            return Verdict.inconclusive("; ".join(reasons))
        return Verdict.passed(f"The role may do {', '.join(sorted(needed))}.")
    role = authorization.role
    actions = dict.fromkeys(each.action for each in surely)
    if by_words and pull.denial:
        actions.setdefault(pull.denial.action)
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), repository.account),
        explanation=(
            f"The repository {repository} caches an upstream registry, and the role {role} may not do "
            f"{', '.join(actions)}, so ECR does not fetch what it has not cached."
        ),
        evidence=(*(_evidence(each) for each in surely), *aws_said(pull)),
        remediation=_fix(pull, authorization, tuple(actions), surely),
    )


def _evidence(stopped: Stopped) -> str:
    outcome = stopped.outcome
    return f'The kind of policy "{outcome.layer}" {outcome.state.value}: {stopped.action} on {stopped.resource}.'


def _fix(
    pull: PullFailure, authorization: PullAuthorization, actions: tuple[str, ...], stopped: tuple[Stopped, ...]
) -> Remediation:
    role = authorization.role
    only_lacks = all(
        each.outcome.layer is Layer.IDENTITY and each.outcome.state is State.BLOCKS_IMPLICITLY for each in stopped
    )
    if not stopped or not only_lacks or pull.repository_arn is None:
        return by_hand.identity_policy(Wanted(actions, explicit=not only_lacks), role=role, region=pull.region)
    inline = [text.name for text in authorization.documents.values() if text.arn is None]
    return add_inline_policy(
        role, region=pull.region, actions=actions, repository_arn=pull.repository_arn, taken_names=inline
    )


CHECK = Check(
    id="pull_through_cache_failing",
    title="The pull-through cache cannot fetch the image",
    severity=Severity.HIGH,
    resource_type="AwsEcrRepository",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html",
    examine=examine,
    symptoms=frozenset({Symptom.ACCESS_DENIED, Symptom.NOT_AUTHENTICATED, Symptom.NOT_FOUND, Symptom.UNKNOWN}),
    denied_actions=CACHE_ACTIONS,
)
