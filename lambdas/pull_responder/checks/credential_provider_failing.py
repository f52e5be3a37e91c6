"""kubelet shows the registry no credentials.

What it checks: what kubelet said. `error execing credential provider plugin ecr-credential-provider …` with `no such
file or directory`, `permission denied` or `exec format error` says that kubelet cannot run its credential provider. The
same of `docker-credential-ecr-login` says that the runtime cannot run its credential helper.
`InvalidSignatureException` or `RequestExpired` says that AWS refused the provider's request, nearly always because the
node's clock is wrong. Without such words the cause stays undecided. It is the likely cause once the role, its policies,
the instance profile, the metadata service and the network path are ruled out.

What it cannot see: the node itself. AWS does not show which credential provider is installed and configured there.

Why that stops a pull: ECR answers 401 to a request without a token. kubelet gets its tokens from the provider that the
AMI installs and kubelet's flags name.

How to fix it: use a current Amazon EKS optimized AMI. On an AMI of your own, install ecr-credential-provider for the
node's architecture, make it executable, and name it in --image-credential-provider-config and
--image-credential-provider-bin-dir. Install a credential helper that the runtime's configuration names, or remove it
from there: kubelet does not need it. The runtime pulls the pause image by itself, without kubelet's credentials: keep
that image on the node. Where AWS refuses the signature, set the node's clock.

References: Kubernetes, "Configure a kubelet image credential provider"; Amazon EKS User Guide, "Amazon EKS optimized
AMIs"; kubernetes/cloud-provider-aws, "ECR credential provider"; IAM User Guide, "Troubleshoot Signature Version 4
request errors".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import BEFORE_LAYERS, Check, Explains
from pull_responder.facts import ec2
from pull_responder.model.pull import Answer, PullFailure, Symptom
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls.kubelet_words import node_of, quote_words, read_words
from pull_responder.pulls.nodes import FARGATE_PREFIX
from pull_responder.remediation import docs
from pull_responder.remediation.node import install_credential_helper, install_credential_provider
from pull_responder.remediation.registry import renew_node_credentials

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

_PROVIDER: Final = "credential provider plugin"
_HELPER: Final = "docker-credential-"
# The kernel's reasons for not starting a file, in the words of Go's os/exec.
_NOT_STARTED: Final = (
    "no such file or directory",
    "permission denied",
    "exec format error",
    "executable file not found",
)
_LEFT: Final = Reason(
    "AWS does not show whether kubelet's credential provider works. It is the likely cause if no other is found: look "
    "at the AMI's version, kubelet's flags --image-credential-provider-config and --image-credential-provider-bin-dir, "
    "`journalctl -u kubelet`, and an imagePullSecret of the pod",
    "On the node, look at `journalctl -u kubelet` for ecr-credential-provider, and at kubelet's flags "
    "--image-credential-provider-config and --image-credential-provider-bin-dir.",
)


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed by kubelet's words; inconclusive if they say only that credentials are missing."""
    is_signature = read_words(pull).answer is Answer.SIGNATURE
    if pull.symptom is not Symptom.NOT_AUTHENTICATED and not is_signature:
        return Verdict.not_applicable("the registry did not ask kubelet for missing credentials")
    if (pull.node or "").startswith(FARGATE_PREFIX):
        return Verdict.not_applicable("AWS runs the kubelet of Fargate pods")
    message = (pull.message or "").lower()
    is_helper = _HELPER in message and _PROVIDER not in message
    is_not_started = (is_helper or _PROVIDER in message) and any(words in message for words in _NOT_STARTED)
    if not is_signature and not is_not_started:
        return Verdict.inconclusive(_LEFT)
    failing = node_of(pull, facts)
    if isinstance(failing, Unread):
        return Verdict.inconclusive(failing.reason)
    node, instance = failing
    region = instance.region if instance else pull.region
    if is_signature:
        explanation = (
            "AWS rejects the signature with which the node asks for a registry token: the node's clock is wrong, or "
            "its secret key is."
        )
        remediation = renew_node_credentials(account=node.account, region=region)
    elif is_helper:
        explanation = "The node cannot run its credential helper, so it shows the registry no credentials."
        remediation = install_credential_helper(account=node.account, region=region)
    else:
        explanation = "kubelet cannot run its ECR credential provider, so it shows the registry no credentials."
        remediation = install_credential_provider(account=node.account, region=region)
    return Verdict.failed(resource=node, explanation=explanation, evidence=quote_words(pull), remediation=remediation)


CHECK = Check(
    id="credential_provider_failing",
    title="kubelet shows the registry no credentials",
    short="kubelet shows no credentials",
    again="kubelet can get credentials for the registry again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=ec2.PERMISSIONS,
    docs_url=docs.EKS_AMIS,
    examine=examine,
    explains=(Explains(Symptom.NOT_AUTHENTICATED, 250), Explains(Symptom.UNKNOWN, 245, BEFORE_LAYERS)),
    also_at=frozenset({Symptom.TOKEN_EXPIRED}),
    answers=frozenset({Answer.SIGNATURE}),
    by_words=True,
    refused_by_ecr=False,
)
