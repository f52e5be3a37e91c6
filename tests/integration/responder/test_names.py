"""A name that did not resolve: what kubelet said of it does not keep the finding open once DNS is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.handlers.test_names import Spoke, timed_out
from tests.integration.handlers.test_signals import REGISTRY, image

if TYPE_CHECKING:
    from tests.integration.responder.scene import Scene

__all__ = ["image"]

FORWARDED = {"FORWARDED_EVENT_SOURCE": "kubernetes.events"}
CAUSE = "vpc_dns_disabled"


@pytest.mark.parametrize("fixed", [True, False])
def test_dns_that_is_on_again_resolves_the_finding(scene: Scene, image: str, *, fixed: bool) -> None:
    spoke = Spoke(scene.aws)
    ec2 = scene.aws.client("ec2")
    ec2.modify_vpc_attribute(VpcId=spoke.vpc, EnableDnsSupport={"Value": False})
    event = timed_out(spoke, image, f"dial tcp: lookup {REGISTRY} on 10.0.0.2:53: no such host")
    assert scene.respond(event, **FORWARDED) == []
    assert scene.edges() == [("new", "no_route_to_ecr"), ("new", CAUSE)]
    if fixed:
        ec2.modify_vpc_attribute(VpcId=spoke.vpc, EnableDnsSupport={"Value": True})
    scene.clock.forward(minutes=16)
    scene.recheck(**FORWARDED)
    scene.clock.forward(minutes=6)
    scene.recheck(**FORWARDED)
    # The VPC still has no way to the registry.
    assert (("resolved_in_part", CAUSE) in scene.edges()) is fixed
