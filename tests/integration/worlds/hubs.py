"""What sends the registry's names to a hub behind a transit gateway. Nothing of the hub itself can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.integration.network.hub import dns_servers, profile, rule, transit_gateway
from tests.integration.worlds.recorded import REGION

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.network.estate import NetworkEstate
    from tests.integration.worlds.world import World

HUBS: Final = ("profile", "rule", "servers")
READS: Final = (
    "route53profiles:ListProfileAssociations",
    "route53resolver:GetResolverRule",
    "route53resolver:ListResolverRuleAssociations",
    "route53resolver:ListResolverRules",
)


def join_hub(world: World, estate: NetworkEstate, associate: Callable[[NetworkEstate], object]) -> None:
    """Route the VPC to the hub, and let the hub answer for names. `associate` gives a VPC the rule of all."""
    if not world.hub:
        return
    transit_gateway(estate)
    if world.hub == "profile":
        profile(estate)
    elif world.hub == "rule":
        associate(estate)
    else:
        dns_servers(estate, "10.100.0.2", "10.100.0.3")


class SharedRule:
    """One FORWARD rule for all worlds: Resolver allows few endpoints in an account."""

    def __init__(self) -> None:
        self._id = ""

    def associate(self, estate: NetworkEstate) -> None:
        """Let the rule answer in a VPC."""
        if not self._id:
            self._id = rule(estate, f"ecr.{REGION}.amazonaws.com")
            return
        resolver = estate.client("route53resolver")
        resolver.associate_resolver_rule(ResolverRuleId=self._id, Name="hub", VPCId=estate.vpc)
