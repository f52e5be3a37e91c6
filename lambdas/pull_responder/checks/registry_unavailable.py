"""The registry, or Amazon S3 for its layers, answers with a server error.

What it checks: what kubelet said: HTTP 500, 502, 503 or 504 from the registry or from Amazon S3, or HTTP 400 or 405.
None of these comes from a missing image or from a policy.

What it cannot see: the state of the service, and proxies or mirrors on the way. Only the registry's answer to the node
counts.

Why that stops a pull: the request arrived, but the service failed to serve it. kubelet tries again by itself, with
pauses of up to five minutes.

How to fix it: wait, and look at the AWS Health Dashboard. If the errors go on, open a support case that gives the time
of a request. A 400 or 405 comes from a proxy or a mirror between the node and the registry that does not speak the
registry's protocol.

References: Amazon ECR API Reference, "Common Error Types"; Amazon S3 API Reference, "Error responses"; AWS Health User
Guide, "Getting started with your AWS Health Dashboard".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Answer, PullFailure, Stage, Symptom
from pull_responder.model.reason import ASK, Reason
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.kubelet_words import account_of, quote_words
from pull_responder.remediation import docs

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: ARG001 -- as every check
    """Return failed by the registry's answer; not applicable if it gave no server error."""
    if pull.symptom is not Symptom.REGISTRY_ERROR:
        return Verdict.not_applicable("the registry did not answer with a server error")
    repository = Arn.parse(pull.repository_arn or "")
    resource = None
    if repository:
        resource = Resource("AwsEcrRepository", str(repository), repository.account)
    elif pull.known_account:
        resource = account_of(pull.known_account)
    if resource is None:
        return Verdict.inconclusive(Reason("the event names no account", ASK))
    who = "Amazon S3, where ECR keeps the layers," if pull.stage is Stage.LAYER else "The registry"
    return Verdict.failed(
        resource=resource,
        explanation=f"{who} answered with a server error. kubelet tries again by itself.",
        evidence=quote_words(pull),
        remediation=Remediation(
            "Wait, and look at the AWS Health Dashboard for Amazon ECR and Amazon S3 in the region. If it goes on, "
            "open a support case; for a 400 or 405, look for a proxy or mirror on the way.",
            resource.account,
            pull.region,
            docs.AWS_HEALTH,
        ),
    )


CHECK = Check(
    id="registry_unavailable",
    title="The registry answers with a server error",
    short="Registry answers with an error",
    again="The registry answers again",
    severity=Severity.MEDIUM,
    resource_type="AwsEcrRepository",
    permissions=(),
    docs_url=docs.AWS_HEALTH,
    examine=examine,
    explains=(Explains(Symptom.REGISTRY_ERROR, 10), Explains(Symptom.UNKNOWN, 370, BEFORE_UNPACK)),
    ecr_public=frozenset({Symptom.REGISTRY_ERROR}),
    answers=frozenset({Answer.HTTP, Answer.SIGNED_URL}),
    any_registry=True,
    by_words=True,
    refused_by_ecr=False,
)
