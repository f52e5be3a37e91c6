"""Fixes that people make on a node. No AWS command makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs

if TYPE_CHECKING:
    from collections.abc import Sequence

_METADATA: Final = "169.254.169.254"


def change_proxy(*, account: str, region: str, hosts: Sequence[str], proxy: str | None) -> Remediation:
    """Say how the proxy can be made to let requests to the registry through, or how to bypass it.

    `hosts` are those of the registry, as NO_PROXY names them: one with a dot before it stands for all below.
    """
    which = f"the proxy {proxy}" if proxy else "the proxy"
    named = f"{', '.join(hosts)} and {_METADATA}"
    summary = (
        f"Let the nodes reach {which}, and let it connect to port 443 of the registry's hosts; or put {named} into "
        "NO_PROXY of containerd and kubelet in the nodes' user data, which nodes with VPC endpoints need."
    )
    return Remediation(summary, account, region, docs.EKS_LAUNCH_TEMPLATES)


def trust_registry(*, account: str, region: str, clock: bool) -> Remediation:
    """Say how to make a node trust the certificate that it receives. `clock` says that it is out of date."""
    summary = (
        "Set the node's clock (chrony with 169.254.169.123). If it is right, find the host that answers with an "
        "expired certificate."
        if clock
        else "Exempt the registry's hosts from TLS inspection, or install the inspecting device's root certificate in "
        "the nodes' trust store. Check that the registry's name resolves to the registry and to no other host."
    )
    return Remediation(summary, account, region, docs.NETWORK_FIREWALL_TLS)


def install_credential_provider(*, account: str, region: str) -> Remediation:
    """Say how to give kubelet a working credential provider."""
    summary = (
        "Replace the nodes by ones of a current Amazon EKS optimized AMI. On an AMI of your own, install an executable "
        "ecr-credential-provider for the node's architecture in --image-credential-provider-bin-dir."
    )
    return Remediation(summary, account, region, docs.EKS_AMIS)


def install_credential_helper(*, account: str, region: str) -> Remediation:
    """Say how to give a runtime the credential helper that its configuration names, or how to do without."""
    summary = (
        "Install the Amazon ECR Docker Credential Helper (docker-credential-ecr-login) in the PATH of the node's "
        "container runtime, or remove it from credHelpers and credsStore in the runtime's configuration: kubelet gets "
        "its credentials from ecr-credential-provider."
    )
    return Remediation(summary, account, region, docs.EKS_AMIS)
