"""Fixes on a node: what people read. No command makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.remediation import node
from tests.unit.remediation.fixes import ACCOUNT, REGION, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.model.verdict import Remediation

HERE = {"account": ACCOUNT, "region": REGION}
HOSTS = ("api.ecr.eu-west-1.amazonaws.com", ".dkr.ecr.eu-west-1.amazonaws.com")
AROUND = (
    "and let it connect to port 443 of the registry's hosts; or put api.ecr.eu-west-1.amazonaws.com, "
    ".dkr.ecr.eu-west-1.amazonaws.com and 169.254.169.254 into NO_PROXY of containerd and kubelet in the nodes' user "
    "data, which nodes with VPC endpoints need."
)

FIXES: dict[str, tuple[Callable[[], Remediation], str, str]] = {
    "a proxy": (
        lambda: node.change_proxy(**HERE, hosts=HOSTS, proxy="http://proxy:3128"),
        f"Let the nodes reach the proxy http://proxy:3128, {AROUND}",
        "eks/latest/userguide/launch-templates.html",
    ),
    "a proxy without a name": (
        lambda: node.change_proxy(**HERE, hosts=HOSTS, proxy=None),
        f"Let the nodes reach the proxy, {AROUND}",
        "eks/latest/userguide/launch-templates.html",
    ),
    "an unknown authority": (
        lambda: node.trust_registry(**HERE, clock=False),
        (
            "Exempt the registry's hosts from TLS inspection, or install the inspecting device's root certificate in "
            "the nodes' trust store. Check that the registry's name resolves to the registry and to no other host."
        ),
        "network-firewall/latest/developerguide/tls-inspection-configurations.html",
    ),
    "an expired certificate": (
        lambda: node.trust_registry(**HERE, clock=True),
        (
            "Set the node's clock (chrony with 169.254.169.123). If it is right, find the host that answers with an "
            "expired certificate."
        ),
        "network-firewall/latest/developerguide/tls-inspection-configurations.html",
    ),
    "no credential provider": (
        lambda: node.install_credential_provider(**HERE),
        (
            "Replace the nodes by ones of a current Amazon EKS optimized AMI. On an AMI of your own, install an "
            "executable ecr-credential-provider for the node's architecture in --image-credential-provider-bin-dir."
        ),
        "eks/latest/userguide/eks-optimized-amis.html",
    ),
    "no credential helper": (
        lambda: node.install_credential_helper(**HERE),
        (
            "Install the Amazon ECR Docker Credential Helper (docker-credential-ecr-login) in the PATH of the node's "
            "container runtime, or remove it from credHelpers and credsStore in the runtime's configuration: kubelet "
            "gets its credentials from ecr-credential-provider."
        ),
        "eks/latest/userguide/eks-optimized-amis.html",
    ),
}


@pytest.mark.parametrize(("fix", "summary", "page"), FIXES.values(), ids=FIXES)
def test_fix(fix: Callable[[], Remediation], summary: str, page: str) -> None:
    assert told(fix()) == (summary, page, [])
