"""A VPC behind the nodes', in one round of reads: without its DNS, which nobody asks there.

Where a rule or a route names a customer's prefix list, another round reads its entries. So it is with a firewall, whose
policy and rule groups are listed in the first round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pull_responder.facts import endpoints, network_firewall, onward, vpc, vpc_dns
from pull_responder.facts.network import VpcParts, complete_lists, entries_of, named_lists, network_of
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.facts.reader import Reader
    from pull_responder.network.model import Network


def read_neighbour(reader: Reader, account: str, region: str, vpc_id: str) -> Network | Unread:
    """Return a VPC of another account or region. Unread if nothing of it could be read."""
    place = VpcPlace(account, region, vpc_id)
    network_firewall.start_reading(reader, place)
    reads: dict[str, Callable[[], Any]] = {
        "record": lambda: vpc_dns.read_vpc(reader, place),
        "subnets": lambda: vpc.read_subnets(reader, place),
        "route_tables": lambda: vpc.read_route_tables(reader, place),
        "network_acls": lambda: vpc.read_network_acls(reader, place),
        "security_groups": lambda: vpc.read_security_groups(reader, place),
        "nat_gateways": lambda: vpc.read_nat_gateways(reader, place),
        "internet_gateways": lambda: vpc.read_internet_gateways(reader, place),
        "endpoints": lambda: endpoints.read_endpoints(reader, place),
        "interfaces": lambda: endpoints.read_all_interfaces(reader, place),
        "prefix_lists": lambda: endpoints.read_aws_prefix_lists(reader, place),
    }
    found = dict(zip(reads, reader.each(lambda read: read(), list(reads.values())), strict=True))
    tables, groups, named = found["route_tables"], found["security_groups"], found["prefix_lists"]
    if isinstance(tables, Unread) and isinstance(found["subnets"], Unread):
        return tables
    lists = sorted(set(named_lists(tables, groups)) - set(complete_lists(named)))
    later: list[Callable[[], Any]] = [
        lambda: onward.read_firewalls(reader, place, tables),
        *(entries_of(reader, place, each, named) for each in lists),
    ]
    firewalls, *entries = reader.each(lambda read: read(), later)
    parts = VpcParts(
        place=place,
        vpc=vpc_dns.vpc_of(place, found["record"], (True, True), {}),
        subnets=found["subnets"],
        route_tables=tables,
        network_acls=found["network_acls"],
        security_groups=groups,
        endpoints=endpoints.with_all_interfaces(found["endpoints"], found["interfaces"]),
        nat_gateways=found["nat_gateways"],
        internet_gateways=found["internet_gateways"],
        egress_only_gateways={},
        prefix_lists={**complete_lists(named), **dict(zip(lists, entries, strict=True))},
        private_zones=(),
        hosted_zones=(),
        resolver_rules=(),
        profiles=(),
        firewall_rules=(),
        firewalls=firewalls,
        peerings={},
        attachments=(),
    )
    return network_of(parts, ())
