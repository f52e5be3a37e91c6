"""The accounts of the registries that serve EKS add-ons (Amazon EKS User Guide, of December 2024)."""

from __future__ import annotations

import pytest

from pull_responder.events.eks_registries import AWS_REGISTRIES, DNS_REPOSITORY, NODE_REPOSITORY, registry_of

REGIONS = {
    "602401143452": (
        "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 "
        "eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"
    ),
    "877085696533": "af-south-1",
    "800184023465": "ap-east-1",
    "900889452093": "ap-south-2",
    "296578399912": "ap-southeast-3",
    "491585149902": "ap-southeast-4",
    "761377655185": "ca-west-1",
    "918309763551": "cn-north-1",
    "961992271922": "cn-northwest-1",
    "900612956339": "eu-central-2",
    "590381155156": "eu-south-1",
    "455263428931": "eu-south-2",
    "066635153087": "il-central-1",
    "759879836304": "me-central-1",
    "558608220178": "me-south-1",
    "151742754352": "us-gov-east-1",
    "013241004608": "us-gov-west-1",
}


@pytest.mark.parametrize("account", REGIONS)
def test_the_registry_of_a_region(account: str) -> None:
    assert {registry_of(region) for region in REGIONS[account].split()} == {account}


def test_no_other_account_is_one_of_aws_and_no_other_region_has_one() -> None:
    assert frozenset(REGIONS) == AWS_REGISTRIES
    assert registry_of("us-east-9") is None


def test_the_repositories_in_them_are_those_of_eks() -> None:
    assert (NODE_REPOSITORY, DNS_REPOSITORY) == ("eks/kube-proxy", "eks/coredns")
