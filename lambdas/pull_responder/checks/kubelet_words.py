"""What only kubelet's words can tell: nothing that AWS shows proves it or says that it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.facts.ec2 import Instance
from pull_responder.model.verdict import Resource

if TYPE_CHECKING:
    from pull_responder.facts.facts import Facts
    from pull_responder.model.pull import PullFailure

_QUOTE_LENGTH: Final = 1_000


def said(pull: PullFailure) -> tuple[str, ...]:
    """Quote why ECR could not fetch from upstream, and kubelet's words; without either, name the symptom."""
    quotes = []
    if pull.upstream_failure:
        quotes.append(f"ECR said: {_cut(pull.upstream_failure)}")
    if pull.message:
        quotes.append(f"kubelet said: {_cut(pull.message)}")
    return tuple(quotes) or (f"The pull failed with {pull.symptom}.",)


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTE_LENGTH else text[: _QUOTE_LENGTH - 1] + "…"


def node_of(pull: PullFailure, facts: Facts) -> tuple[Resource, Instance | None]:
    """Return the node that pulled: its instance, else its cluster, else its account, whichever is known first."""
    instance = facts.node_instance(pull)
    if isinstance(instance, Instance):
        return Resource("AwsEc2Instance", instance.arn, instance.account), instance
    account = (pull.principal.account if pull.principal else None) or pull.account or pull.registry_account or "unknown"
    cluster = facts.puller(pull).cluster or pull.cluster
    if cluster:
        region = facts.region or pull.region
        return Resource(
            "AwsEksCluster", f"arn:{pull.partition}:eks:{region}:{account}:cluster/{cluster}", account
        ), None
    return account_of(account), None


def account_of(account: str) -> Resource:
    """Return an account as a resource. Source: AWS Security Hub User Guide, "Resources" (AwsAccount)."""
    return Resource("AwsAccount", f"AWS::::Account:{account}", account)
