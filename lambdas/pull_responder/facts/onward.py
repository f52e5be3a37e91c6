"""What leads on from a VPC to other networks: read only where its route tables and zones show that it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.facts import neighbours, network_firewall, vpc_dns
from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.model.unread import Unread
from pull_responder.network.model import RouteTarget
from pull_responder.network.resolver import is_below

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import RouteTables, VpcPlace
    from pull_responder.network.model import Firewall
    from pull_responder.network.neighbours import Attachment, Peering
    from pull_responder.network.zones import HostedZone

# Below which domains the hosts of ECR and of its layers are.
_SUFFIXES: Final = (
    *dict.fromkeys(DNS_SUFFIXES.values()),
    "on.aws",
    "on.amazonwebservices.com.cn",
    "on.amazonwebservices.eu",
)
_MOST_ZONES: Final = 12
# How the labels before the region begin in the names of ECR and of S3: ecr-fips, dkr-ecr, s3.dualstack.
_OF_PULLS: Final = ("ecr", "dkr", "s3", "dualstack")
_DEFAULTS: Final = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Ahead:
    """What to start when something was read that leads on to another network, so that it is known one round sooner."""

    attachment: Callable[[Attachment], None] = lambda _: None
    zone: Callable[[HostedZone], None] = lambda _: None


def _of_aws(zones: tuple[vpc_dns.ZoneSummary, ...] | Unread) -> list[vpc_dns.ZoneSummary]:
    """Return the zones that may answer for names of ECR and of its layers."""
    known = () if isinstance(zones, Unread) else zones
    return [zone for zone in known if zone.id and _may_answer(zone.name)]


def _may_answer(zone: str) -> bool:
    """Return whether a zone is above a domain of AWS, or below it and not for another service.

    Shared endpoints have a zone for each service, such as ec2.us-east-1.amazonaws.com, and often dozens of them.
    """
    for domain in _SUFFIXES:
        if is_below(domain, zone):
            return True
        if is_below(zone, domain):
            *service, _ = zone.removesuffix(domain).rstrip(".").split(".")
            return not service or any(label.startswith(_OF_PULLS) for label in service)
    return False


def has_zones_of_aws(zones: tuple[vpc_dns.ZoneSummary, ...] | Unread) -> bool:
    """Return whether one of a VPC's zones may answer for names of ECR and of its layers."""
    return bool(_of_aws(zones))


def read_hosted_zones(
    reader: Reader, place: VpcPlace, zones: tuple[vpc_dns.ZoneSummary, ...] | Unread, ahead: Ahead
) -> tuple[HostedZone, ...]:
    """Return the zones that may answer for names of ECR and of its layers, with their records."""

    def read(zone: vpc_dns.ZoneSummary) -> HostedZone:
        found = vpc_dns.read_hosted_zone(reader, place, zone)
        ahead.zone(found)
        return found

    return tuple(reader.each(read, _of_aws(zones)[:_MOST_ZONES]))


def _leads_to(kind: RouteTarget, route_tables: RouteTables | Unread) -> bool:
    """Return whether a route of the VPC leads to this kind of target. Else nothing behind it needs to be read."""
    if isinstance(route_tables, Unread):
        return False
    return any(route.kind is kind for table in route_tables.all for route in table.routes)


def read_firewalls(
    reader: Reader, place: VpcPlace, route_tables: RouteTables | Unread
) -> tuple[Firewall, ...] | Unread:
    """Return the VPC's firewalls, if a route leads to an endpoint that may be one of theirs."""
    tables = () if isinstance(route_tables, Unread) else route_tables.all
    routes = (route for table in tables for route in table.routes)
    wanted = any(each.kind is RouteTarget.VPC_ENDPOINT and not each.destination.startswith("pl-") for each in routes)
    return network_firewall.read_firewalls(reader, place) if wanted else ()


def read_peerings(
    reader: Reader, place: VpcPlace, route_tables: RouteTables | Unread
) -> Mapping[str, Peering] | Unread:
    """Return the peering connections, if a route leads over one."""
    return neighbours.read_peerings(reader, place) if _leads_to(RouteTarget.VPC_PEERING, route_tables) else {}


def read_attachments(
    reader: Reader, place: VpcPlace, route_tables: RouteTables | Unread, ahead: Ahead, *, is_sure: bool
) -> tuple[Attachment, ...] | Unread:
    """Return the VPC's attachments to transit gateways, if a route leads to one.

    What lies behind the target of a default route is nearly certain to be needed. `is_sure` says that it is for any.
    """
    if isinstance(route_tables, Unread) or not _leads_to(RouteTarget.TRANSIT_GATEWAY, route_tables):
        return ()
    found = neighbours.read_attachments(reader, place)
    routes = [route for table in route_tables.all for route in table.routes]
    defaults = {route.target for route in routes if route.active and route.destination in _DEFAULTS}
    for each in () if isinstance(found, Unread) else found:
        if is_sure or each.gateway_id in defaults:
            ahead.attachment(each)
    return found
