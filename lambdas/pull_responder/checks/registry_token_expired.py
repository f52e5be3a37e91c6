"""The token or the credentials shown to the registry have expired.

What it checks: kubelet's message.

- `Your authorization token has expired` is about the registry token, which lasts 12 hours. kubelet renews its own
  tokens in time, so an expired one nearly always comes from an imagePullSecret.
- `The security token included in the request is invalid` (or expired) is about the node's own AWS credentials. The node
  asks for its registry token with them.
- A 403 of ECR Public is about a login that is no longer valid, as ECR Public needs none.

None of them can be read from outside of the cluster.

What it cannot see: the pod's imagePullSecrets and the node itself. Only kubelet's words count.

Why that stops a pull: ECR rejects a token that is older than 12 hours, and AWS rejects expired credentials.

How to fix it: remove the imagePullSecret, as nodes need none for ECR and nobody needs one for ECR Public, or renew it
by a job. For a node's own credentials, remove static ones, or replace the node.

References: Amazon ECR User Guide, "Private registry authentication in Amazon ECR"; Amazon ECR Public User Guide,
"Registry authentication in Amazon ECR public"; AWS re:Post, "How do I troubleshoot
Amazon ECR issues with Amazon EKS?".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import AFTER_TOKEN, BEFORE_LAYERS, Check, Explains
from pull_responder.facts import ec2
from pull_responder.model.pull import Answer, PullFailure, Stage, Symptom
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls.kubelet_words import node_of, quote_words, read_words
from pull_responder.remediation import docs
from pull_responder.remediation.registry import drop_public_login, renew_node_credentials, renew_registry_token

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

# AWS's messages and error codes about the credentials that sign a request (Amazon ECR API Reference and AWS STS API
# Reference, "Common Errors").
_OF_CREDENTIALS = ("security token", "ExpiredToken", "UnrecognizedClient", "InvalidClientTokenId")
_OF_STORAGE = (Stage.LAYER, Stage.UNPACK)


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed by kubelet's message, not applicable without such a message."""
    if pull.from_ecr_public and pull.symptom is Symptom.ACCESS_DENIED and pull.stage in _OF_STORAGE:
        return Verdict.inconclusive(
            Reason(
                "the storage of ECR Public's layers refused the node, and no login decides that: look at what stands "
                "between, such as a proxy or a firewall",
                "On the node, run `curl -v` against the host that kubelet names, and look at the logs of the proxy.",
            )
        )
    if pull.symptom is not Symptom.TOKEN_EXPIRED and not (
        pull.from_ecr_public and pull.symptom is Symptom.ACCESS_DENIED
    ):
        return Verdict.not_applicable("only the registry's answer to the node shows that a token has expired")
    if read_words(pull).answer is Answer.SIGNATURE:
        return Verdict.not_applicable("AWS refused the signature of the request for a token, and no token")
    failing = node_of(pull, facts)
    if isinstance(failing, Unread):
        return Verdict.inconclusive(failing.reason)
    node, instance = failing
    region = instance.region if instance else pull.region
    if pull.message and any(words in pull.message for words in _OF_CREDENTIALS):
        explanation = "AWS rejects the credentials with which the node asks for a registry token."
        remediation = renew_node_credentials(account=node.account, region=region)
    elif pull.from_ecr_public:
        pod = f" of pod {pull.namespace}/{pull.pod}" if pull.namespace and pull.pod else ""
        explanation = (
            f"ECR Public refuses the login{pod}. It serves everybody without one, but refuses one that has expired."
        )
        remediation = drop_public_login(account=node.account, region=region)
    else:
        pod = f" for pod {pull.namespace}/{pull.pod}" if pull.namespace and pull.pod else ""
        explanation = (
            f"The registry token{pod} is older than 12 hours. Such a token usually comes from an imagePullSecret."
        )
        remediation = renew_registry_token(account=node.account, region=region)
    return Verdict.failed(resource=node, explanation=explanation, evidence=quote_words(pull), remediation=remediation)


CHECK = Check(
    id="registry_token_expired",
    title="The token shown to the registry has expired",
    short="The registry token has expired",
    again="The token shown to the registry is valid again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=ec2.PERMISSIONS,
    docs_url=docs.ECR_REGISTRY_AUTH,
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 110, AFTER_TOKEN),
        Explains(Symptom.TOKEN_EXPIRED, 10),
        Explains(Symptom.UNKNOWN, 270, BEFORE_LAYERS),
    ),
    ecr_public=frozenset({Symptom.ACCESS_DENIED, Symptom.TOKEN_EXPIRED}),
    by_words=True,
    refused_by_ecr=False,
)
