"""Reads that are refused, one or several: the facts of an estate with holes in them."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.network import Network, Surroundings, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Hole = Callable[[Network], Network]

_NOT_READ: Final = ("region", "account", "around", "asked_server", "hosted_zones")


def holes(network: Network) -> Iterator[tuple[str, Hole]]:
    """Return each read that may be refused, by a name for it."""
    yield from _of_network("the node's VPC", network, lambda change: change)
    for name, found in network.around.vpcs.items():
        if isinstance(found, Network):
            yield from _of_network(name, found, _within(name))
    around = network.around
    for kind in ("gateways", "tables", "vpcs", "endpoints"):
        for name in getattr(around, kind):
            yield f"{kind} {name}", _around(kind, name)
    for each in network.hosted_zones:
        yield f"the records of {each.name}", _of_zone(each.name)


def _of_network(where: str, network: Network, place: Callable[[Hole], Hole]) -> Iterator[tuple[str, Hole]]:
    for field in fields(Network):
        if field.name not in _NOT_READ:
            yield f"{field.name} of {where}", place(_field(field.name))
    for table in ("subnets", "route_tables", "network_acls", "security_groups", "nat_gateways", "internet_gateways"):
        for key in getattr(network, table):
            yield f"{key} of {where}: not listed in {table}", place(_without(table, key))
    for name in network.prefix_lists if not isinstance(network.prefix_lists, Unread) else ():
        yield f"the entries of {name} of {where}", place(_entry("prefix_lists", name))
    for attribute in ("dns_support", "dns_hostnames", "dns_servers"):
        yield f"{attribute} of {where}", place(_of_vpc(attribute))
    yield f"the interfaces of endpoints of {where}", place(_each("endpoints", interfaces=_unread("interfaces")))
    yield f"the subnets of attachments of {where}", place(_each("attachments", subnet_ids=_unread("subnets")))
    yield f"the policies of firewalls of {where}", place(_each("firewalls", policy=_unread("policy")))
    yield f"the tables of attachments of {where}", place(_each("attachments", table_id="", association=""))


def _unread(what: str) -> Unread:
    return Unread(f"{what}: denied")


def _with(network: Network, name: str, value: Any) -> Network:  # noqa: ANN401 -- any of the network's facts
    facts: dict[str, Any] = {name: value}
    return replace(network, **facts)


def _field(name: str) -> Hole:
    return lambda network: _with(network, name, _unread(name))


def _without(table: str, key: str) -> Hole:
    return _in_table(table, lambda found: {name: each for name, each in found.items() if name != key})


def _entry(table: str, key: str) -> Hole:
    return _in_table(table, lambda found: {**found, key: _unread(key)})


def _in_table(table: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Hole:
    def apply(network: Network) -> Network:
        found = getattr(network, table)
        return network if isinstance(found, Unread) else _with(network, table, change(found))

    return apply


def _of_vpc(attribute: str) -> Hole:
    def change(network: Network) -> Network:
        vpc: Any = network.vpc
        return network if isinstance(vpc, Unread) else replace(network, vpc=replace(vpc, **{attribute: _unread("DNS")}))

    return change


def _each(table: str, **facts: object) -> Hole:
    def change(network: Network) -> Network:
        found = getattr(network, table)
        return network if isinstance(found, Unread) else _with(network, table, tuple(_new(found, facts)))

    return change


def _new(found: Any, facts: dict[str, object]) -> Iterator[Any]:  # noqa: ANN401 -- any of the facts' dataclasses
    yield from (replace(each, **facts) for each in found)


def _within(name: str) -> Callable[[Hole], Hole]:
    def place(change: Hole) -> Hole:
        def apply(network: Network) -> Network:
            far = network.around.vpcs[name]
            vpcs = {**network.around.vpcs, name: far if isinstance(far, Unread) else change(far)}
            return replace(network, around=replace(network.around, vpcs=vpcs))

        return apply

    return place


def _around(kind: str, name: str) -> Hole:
    def apply(network: Network) -> Network:
        around: Surroundings = network.around
        table = {**getattr(around, kind), name: _unread(name)}
        return replace(network, around=replace(around, **{kind: table}))

    return apply


def _of_zone(name: str) -> Hole:
    def apply(network: Network) -> Network:
        zones = (replace(each, records=_unread(name)) if each.name == name else each for each in network.hosted_zones)
        return replace(network, hosted_zones=tuple(zones))

    return apply
