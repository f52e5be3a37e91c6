"""Evidence from kubelet's message alone. AWS shows neither that the fault is there nor that it is fixed."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.facts.ec2 import Instance
from pull_responder.model.pull import Symptom
from pull_responder.model.reason import ASK, Reason
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource
from pull_responder.pulls.puller import puller_of
from pull_responder.pulls.session import node_instance

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_QUOTE_LENGTH: Final = 1_000

_read: Final = lru_cache(maxsize=64)(read_message)


def read_words(pull: PullFailure) -> KubeletMessage:
    """Return the meaning of kubelet's message on a pull.

    What it shows of an answer counts only where the pull has the message's symptom and no denial of AWS's: another
    event may have told better why it failed.
    """
    said = _read(pull.message or "")
    return said if said.symptom is pull.symptom and pull.denial is None else replace(said, answer=None)


def quote_words(pull: PullFailure) -> tuple[str, ...]:
    """Quote ECR's message on the upstream registry and kubelet's message. Without either, name the symptom.

    None of it where nothing is known of a failure, as before one.
    """
    quotes = []
    if pull.upstream_failure:
        quotes.append(f"ECR said: {_cut(pull.upstream_failure)}")
    if pull.message:
        quotes.append(f"kubelet said: {_cut(pull.message)}")
    if quotes or pull.symptom is Symptom.UNKNOWN:
        return tuple(quotes)
    return (f"The pull failed with {pull.symptom}.",)


def _cut(text: str) -> str:
    return text if len(text) <= _QUOTE_LENGTH else text[: _QUOTE_LENGTH - 1] + "…"


def node_of(pull: PullFailure, facts: PullFacts) -> tuple[Resource, Instance | None] | Unread:
    """Return the node that pulled, as a resource, and its instance where that is known.

    Without an instance, the cluster stands for the node, else the account. Unread where the event names no account.
    """
    instance = node_instance(pull, facts)
    if isinstance(instance, Instance):
        return Resource("AwsEc2Instance", instance.arn, instance.account), instance
    account = pull.known_account
    if account is None:
        return Unread(Reason("the event names no account", ASK))
    cluster = puller_of(pull, facts).cluster or pull.cluster
    if cluster:
        region = pull.cluster_region or facts.region or pull.region
        return Resource(
            "AwsEksCluster", f"arn:{pull.partition}:eks:{region}:{account}:cluster/{cluster}", account
        ), None
    return account_of(account), None


def account_of(account: str) -> Resource:
    """Return an account as a resource. Source: AWS Security Hub User Guide, "Resources" (AwsAccount)."""
    return Resource("AwsAccount", f"AWS::::Account:{account}", account)
