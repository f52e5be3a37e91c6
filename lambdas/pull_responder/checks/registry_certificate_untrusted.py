"""The node does not trust the certificate that it receives.

What it checks: what kubelet said. `x509: certificate signed by unknown authority` comes where something on the way,
such as a firewall that inspects TLS, answers in the registry's place with a certificate of its own, or where the node
lacks Amazon's root certificates. `certificate is valid for …, not …` says that another host answered. `certificate has
expired or is not yet valid` may be about the node's clock.

What it cannot see: the node itself and the certificate. AWS shows neither; only kubelet's words count.

Why that stops a pull: the node ends the connection before it requests anything. So no role, policy or image is the
cause.

How to fix it: exempt the registry's hosts from TLS inspection, or install the root certificate of the inspecting device
on the nodes. If another host answered, correct the DNS record of the registry's name. If the certificate is out of
date, check the node's clock.

References: AWS Network Firewall Developer Guide, "Inspecting SSL/TLS traffic"; Amazon Trust Services, root
certificates; Go's crypto/x509, CertificateInvalidError, HostnameError and UnknownAuthorityError.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_UNPACK, Check, Explains
from pull_responder.facts import ec2
from pull_responder.model.pull import Answer, PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls.kubelet_words import node_of, quote_words
from pull_responder.remediation import docs
from pull_responder.remediation.node import trust_registry

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

_EXPIRED = "has expired or is not yet valid"
_OTHER_NAME = "certificate is valid for"


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed by kubelet's words; not applicable if they do not name a certificate."""
    if pull.symptom is not Symptom.CERTIFICATE_UNTRUSTED:
        return Verdict.not_applicable("kubelet did not complain about a certificate")
    failing = node_of(pull, facts)
    if isinstance(failing, Unread):
        return Verdict.inconclusive(failing.reason)
    node, instance = failing
    return Verdict.failed(
        resource=node,
        explanation=f"The node does not trust the certificate that it receives{_why(pull.message or '')}.",
        evidence=quote_words(pull),
        remediation=trust_registry(
            account=node.account,
            region=instance.region if instance else pull.region,
            clock=_EXPIRED in (pull.message or ""),
        ),
    )


def _why(message: str) -> str:
    if _EXPIRED in message:
        return ": it is out of date, or the node's clock is wrong"
    if _OTHER_NAME in message:
        return ": it is another host's, so another host answers for the registry"
    return (
        ": a device such as a TLS-inspecting firewall answers in place of the registry, or the node lacks root "
        "certificates"
    )


CHECK = Check(
    id="registry_certificate_untrusted",
    title="The node does not trust the certificate that it receives",
    short="The certificate is not trusted",
    again="The node can trust the certificate that it receives again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=ec2.PERMISSIONS,
    docs_url=docs.NETWORK_FIREWALL_TLS,
    examine=examine,
    explains=(Explains(Symptom.CERTIFICATE_UNTRUSTED, 10), Explains(Symptom.UNKNOWN, 360, BEFORE_UNPACK)),
    ecr_public=frozenset({Symptom.CERTIFICATE_UNTRUSTED}),
    answers=frozenset({Answer.TLS}),
    any_registry=True,
    by_words=True,
    refused_by_ecr=False,
)
