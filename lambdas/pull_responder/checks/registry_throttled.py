"""The registry answered that there are too many requests.

What it checks: whether kubelet's message, or ECR's message on its upstream registry, says 429 or `toomanyrequests`. AWS
does not show whether the throttling is over. `pull QPS exceeded` is another fault: a limit of kubelet itself.

What it cannot see: how many requests are made, and whether the throttling is over. Only the registry's answer counts.

Why that stops a pull: Amazon ECR has a quota for each kind of request, account and region. Upstream registries such as
Docker Hub have limits of their own. The runtime tries again later, so pods start late.

How to fix it: pull less often, or have the quota raised.

References: Amazon ECR User Guide, "Amazon ECR service quotas" and "Troubleshooting Amazon ECR error messages".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.facts.cache_rules import CacheRule
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reason import ASK, Reason
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.pulls.image import cache_rule_of
from pull_responder.pulls.kubelet_words import account_of, quote_words
from pull_responder.pulls.upstream_words import is_throttled
from pull_responder.remediation import docs
from pull_responder.remediation.registry import pull_less_often

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed by the registry's answer, not applicable without such an answer."""
    if pull.symptom is not Symptom.THROTTLED and not is_throttled(pull):
        return Verdict.not_applicable("only the registry's answer shows throttling")
    repository = Arn.parse(pull.repository_arn or "")
    rule = cache_rule_of(repository, pull, facts) if repository else None
    upstream = (rule.upstream or rule.prefix) if isinstance(rule, CacheRule) else None
    resource = _resource(pull, repository)
    if resource is None:
        return Verdict.inconclusive(Reason("the event names no account", ASK))
    who = f"Amazon ECR, or {upstream} behind its pull through cache," if upstream else "Amazon ECR"
    return Verdict.failed(
        resource=resource,
        explanation=f"{who} answered that there are too many requests.",
        evidence=quote_words(pull),
        remediation=pull_less_often(account=resource.account, region=pull.region, upstream=upstream),
    )


def _resource(pull: PullFailure, repository: Arn | None) -> Resource | None:
    """Return the repository, else the account, None where the event names neither."""
    if repository:
        return Resource("AwsEcrRepository", str(repository), repository.account)
    return account_of(pull.known_account) if pull.known_account else None


CHECK = Check(
    id="registry_throttled",
    title="The registry answered that there are too many requests",
    short="There are too many requests",
    again="The registry takes the requests again",
    severity=Severity.MEDIUM,
    resource_type="AwsEcrRepository",
    permissions=("ecr:DescribePullThroughCacheRules",),
    docs_url=docs.ECR_QUOTAS,
    examine=examine,
    explains=(
        Explains(Symptom.THROTTLED, 10),
        Explains(Symptom.UNKNOWN, 320, BEFORE_UNPACK),
    ),
    ecr_public=frozenset({Symptom.THROTTLED}),
    any_registry=True,
    by_words=True,
    refused_by_ecr=False,
)
