"""The pull-through cache cannot fetch the image.

What it checks: for an image that is not cached yet, in a repository under the prefix of a pull through cache rule:

- whether the role may call `ecr:BatchImportUpstreamImage` and, where the repository does not exist yet,
  `ecr:CreateRepository`;
- whether the rule's secret exists, is not scheduled for deletion and is encrypted with Secrets Manager's own key, or
  the rule's role exists;
- for an upstream registry of ECR, whether the rule's role may fetch from it: its trust policy must let
  `pullthroughcache.ecr.amazonaws.com` assume it, and its own policies and, in another account, the upstream
  repository's policy must allow what it asks for;
- `ecr:TagResource` where AWS refused it: a repository creation template with tags needs it on the first pull;
- what ECR said of the upstream registry, in its event or in its answer to the node;
- where it is asked before a failure: whether nodes that reach ECR by a VPC endpoint have a way to the internet,
  whether a repository creation template gives the new repository tags, a KMS key or a policy that may deny the pull,
  and whether the registry's managed signing covers the repository.

The denied principal may also be the rule's role itself. Then nothing else is decided about it, and nothing at all
where the rules cannot be read: the finding is about the rule's repository of the cache.

The check fetches no image and does not read the secret's value.

What it cannot see: the upstream registry: whether it has the image, and whether it accepts the credentials. It does not
read the secret's value. It does not examine the role with which ECR applies a repository creation template.

Why that stops a pull: ECR fetches images that are not cached, on behalf of the pulling role and with the rule's
credentials. Cached images need none of this.

How to fix it: allow the role the missing actions on the cache's repositories, and restore or correct the rule's secret,
or its role and the policy of the upstream repository.

References: Amazon ECR User Guide, "IAM permissions required to sync an upstream registry with an Amazon ECR private
registry", "Setting up permissions for cross-account ECR to ECR PTC", "Storing your upstream repository credentials in
an AWS Secrets Manager secret" and "Troubleshooting pull through cache issues in Amazon ECR".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import AFTER_TOKEN, BEFORE_UNPACK, Check, Explains
from pull_responder.facts import creation_templates, kms, signing
from pull_responder.facts.cache_rules import SECRET_PERMISSIONS
from pull_responder.facts.images import IMAGE_PERMISSIONS
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Answer, PullFailure, Symptom
from pull_responder.model.reason import Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Severity, Status, Verdict
from pull_responder.pulls.actions import CACHE_ACTIONS, FIRST_PULL_ACTIONS, IMPORT
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.cache_permissions import verdict_of_role
from pull_responder.pulls.first_pull import first_pull_fault, signing_doubt, template_doubt
from pull_responder.pulls.image import PulledImage, cache_rule_of, find_image, image_of, repository_of
from pull_responder.pulls.kubelet_words import quote_words
from pull_responder.pulls.path import PATH_PERMISSIONS
from pull_responder.pulls.puller import puller_of
from pull_responder.pulls.upstream_access import UpstreamFault, cache_role_fault, upstream_fault
from pull_responder.pulls.upstream_words import blames_upstream, is_throttled
from pull_responder.remediation.registry import fix_upstream_access

if TYPE_CHECKING:
    from collections.abc import Collection

    from pull_responder.facts.cache_rules import CacheRule
    from pull_responder.facts.ecr import RepositoryPolicy
    from pull_responder.pulls.cache_role import CacheRole
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: PLR0911 -- each return is another answer
    """Return failed with what stops ECR from fetching, passed, not applicable outside of a cache, or inconclusive."""
    if cache_role := _cache_role(pull, facts):
        return _of_cache_role(pull, cache_role, facts)
    repository = repository_of(pull, facts)
    if isinstance(repository, Verdict):
        return repository
    if is_throttled(pull):
        return Verdict.not_applicable("the upstream registry throttled the requests, which registry_throttled reports")
    present = facts.repository_policy(repository.account, pull.region, pull.repository or "")
    if pull.denial is not None and pull.denial.action in FIRST_PULL_ACTIONS:
        return _refusal(pull, pull.denial.action, repository, present, facts)
    if isinstance(present, Unread):
        return Verdict.inconclusive(present.reason)
    if present is not None:
        cached = _is_cached(pull, facts)
        if isinstance(cached, Verdict):
            return cached
    rule = cache_rule_of(repository, pull, facts)
    if rule is None:
        return _no_rule()
    if isinstance(rule, Unread):
        return Verdict.inconclusive(rule.reason)
    # An existing repository is not created again.
    return _of_rule(pull, repository, rule, facts, needed={IMPORT} if present else CACHE_ACTIONS)


def _of_rule(
    pull: PullFailure, repository: Arn, rule: CacheRule, facts: PullFacts, *, needed: Collection[str]
) -> Verdict:
    """Return the verdict where ECR would fetch the image by `rule`, for which the role needs `needed`."""
    first = _of_first_pull(pull, repository, rule, facts)
    verdict = verdict_of_role(pull, repository, facts, needed=needed)
    verdict = _with_upstream(verdict, pull, repository, rule, facts)
    if isinstance(first, UpstreamFault):
        return _upstream_failure(verdict, pull, repository, first)
    return Verdict.inconclusive(first.reason) if first and verdict.status is Status.PASSED else verdict


def _of_first_pull(
    pull: PullFailure, repository: Arn, rule: CacheRule, facts: PullFacts
) -> UpstreamFault | Unread | None:
    """Return what the first pull will fail by; Unread where it may. A pull that has failed says so by itself."""
    if facts.asked is None:
        return None
    fault = first_pull_fault(pull, rule, facts)
    of_way = fault.reason if isinstance(fault, Unread) else ""
    doubts = filter(None, (of_way, template_doubt(pull, repository, facts), signing_doubt(repository, facts)))
    return fault if isinstance(fault, UpstreamFault) else Unread(reason) if (reason := join_reasons(doubts)) else None


def _refusal(
    pull: PullFailure, action: str, repository: Arn, present: RepositoryPolicy | Unread | None, facts: PullFacts
) -> Verdict:
    """Return the verdict where AWS refused one of the cache's actions. It refused the role before ECR asked upstream.

    Only a pull through a cache needs these actions, so AWS's message stands in for a rule that cannot be read.
    """
    rule = cache_rule_of(repository, pull, facts)
    if rule is None:
        return _no_rule()
    needed = {action} if isinstance(present, Unread) else {IMPORT} if present else CACHE_ACTIONS | {action}
    verdict = verdict_of_role(pull, repository, facts, needed=needed)
    unread = next((each for each in (present, rule) if isinstance(each, Unread)), None)
    if unread and verdict.status is Status.PASSED:
        # The role may fetch now, and whether ECR may is not known.
        return Verdict.inconclusive(unread.reason)
    if present is None and not isinstance(rule, Unread):
        # Nothing is cached, so ECR will ask upstream once it does not refuse the role any more.
        return _with_upstream(verdict, pull, repository, rule, facts)
    return verdict


def _cache_role(pull: PullFailure, facts: PullFacts) -> CacheRole | None:
    """Return the denied principal as the role of a cache rule. None for nodes, and where nobody was denied."""
    denied = pull.principal if pull.denial else None
    return puller_of(pull, facts).cache_role if denied and denied.instance_id is None else None


def _of_cache_role(pull: PullFailure, cache_role: CacheRole, facts: PullFacts) -> Verdict:
    fault = cache_role_fault(pull, cache_role, facts)
    if isinstance(fault, Unread):
        return Verdict.inconclusive(fault.reason)
    if fault is None:
        return Verdict.passed("The role of the pull through cache rule may fetch from the upstream repository.")
    rule = None if isinstance(cache_role.rule, Unread) else cache_role.rule
    cached = rule.cached_repository(pull.repository) if rule and pull.repository else None
    name = (
        f"arn:{pull.partition}:ecr:{cache_role.region}:{cache_role.account}:repository/{cached}"
        if cached
        else pull.repository_arn
    )
    repository = Arn.parse(name or "")
    role = pull.principal.role_arn or pull.principal.arn if pull.principal else ""
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), repository.account)
        if repository
        else Resource("AwsIamRole", role, cache_role.account),
        explanation=fault.explanation,
        evidence=(*fault.evidence, f"How the role is known: {cache_role.because}."),
        remediation=fault.remediation,
    )


def _no_rule() -> Verdict:
    return Verdict.not_applicable("no pull through cache rule covers this repository")


def _is_cached(pull: PullFailure, facts: PullFacts) -> Verdict | None:
    """Return the verdict on a repository that exists, None where ECR still has to fetch the image."""
    not_needed = Verdict.not_applicable("the repository exists, and pulls of cached images do not need these actions")
    image = image_of(pull, facts)
    if pull.denial is not None or not isinstance(image, PulledImage):
        return None if blames_upstream(pull) else not_needed
    found = find_image(image, pull, facts)
    if isinstance(found, Unread):
        return None if blames_upstream(pull) else Verdict.inconclusive(found.reason)
    return not_needed if found is not None else None


def _with_upstream(verdict: Verdict, pull: PullFailure, repository: Arn, rule: CacheRule, facts: PullFacts) -> Verdict:
    """Add the faults of the rule's own access to the verdict on the role: what was read, else what ECR said."""
    fault = upstream_fault(rule, repository, pull, facts)
    if isinstance(fault, UpstreamFault):
        return _upstream_failure(verdict, pull, repository, fault)
    if verdict.remediation is not None:
        return verdict
    upstream = rule.upstream or rule.prefix
    if blames_upstream(pull):
        explanation = f"ECR could not fetch the image from {upstream}, the upstream registry of the rule {rule.prefix}."
        remediation = fix_upstream_access(repository, prefix=rule.prefix, secret=rule.secret_arn)
        return _upstream_failure(verdict, pull, repository, UpstreamFault(explanation, remediation))
    if isinstance(fault, Unread):
        return Verdict.inconclusive(fault.reason)
    if pull.symptom is Symptom.NOT_FOUND and not verdict.reason:
        return Verdict.inconclusive(
            Reason(
                f"the image is not cached, and AWS does not show whether {upstream} has it",
                f"Look into {upstream} for the image's name and tag, and pull it from there by hand (`docker pull`).",
            )
        )
    return verdict


def _upstream_failure(verdict: Verdict, pull: PullFailure, repository: Arn, fault: UpstreamFault) -> Verdict:
    """Return the failed verdict. It joins both faults, and the role's fix runs in the role's own account."""
    resource = Resource("AwsEcrRepository", str(repository), repository.account)
    role_fix = verdict.remediation
    remediation = fault.remediation
    if role_fix is not None:
        same = role_fix.account == remediation.account
        remediation = Remediation(
            f"{role_fix.summary} {remediation.summary}",
            role_fix.account,
            role_fix.region,
            role_fix.docs_url,
            role_fix.commands + (remediation.commands if same else ()),
        )
    return Verdict.failed(
        resource=resource,
        explanation=" ".join(filter(None, (verdict.explanation, fault.explanation))),
        evidence=(
            *(verdict.evidence if role_fix else ()),
            *(fault.evidence or (fault.explanation,)),
            *quote_words(pull),
        ),
        remediation=remediation,
    )


CHECK = Check(
    id="pull_through_cache_failing",
    title="The pull-through cache cannot fetch the image",
    short="Pull-through cache is failing",
    again="The pull-through cache can fetch the image again",
    severity=Severity.MEDIUM,
    resource_type="AwsEcrRepository",
    permissions=(
        *AUTHORIZATION_PERMISSIONS,
        *IMAGE_PERMISSIONS,
        *kms.PERMISSIONS,
        *SECRET_PERMISSIONS,
        *creation_templates.PERMISSIONS,
        *signing.PERMISSIONS,
        *PATH_PERMISSIONS,
    ),
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-iam.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 130, AFTER_TOKEN),
        Explains(Symptom.NOT_FOUND, 30),
        Explains(Symptom.UNKNOWN, 300, BEFORE_UNPACK),
    ),
    also_at=frozenset({Symptom.NOT_AUTHENTICATED}),
    answers=frozenset({Answer.BLOB}),
    registry_codes=frozenset({"name unknown", "manifest unknown"}),
    may_name_missing=True,
    denied_actions=FIRST_PULL_ACTIONS,
    for_cache_role=True,
)
