"""Endpoints of Route 53 Resolver, as their owner sees them."""
# ruff: noqa: ANN401 -- the clients of this service have no type stubs among the pinned ones

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread
from pull_responder.network.resolver_endpoints import ResolverEndpoint, ResolverInterface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = (
    "route53resolver:GetResolverEndpoint",
    "route53resolver:ListResolverEndpointIpAddresses",
    "route53resolver:ListResolverEndpoints",
)

_GONE: Final = frozenset({"ResourceNotFoundException"})
# Of its addresses these are in use (API reference, IpAddressResponse).
_ATTACHED: Final = {"ATTACHED", "UPDATING"}


def read_resolver_endpoint(
    reader: Reader, account: str, region: str, endpoint_id: str
) -> ResolverEndpoint | Unread | None:
    """Return an endpoint of the account with its addresses. None if it is gone."""

    def request(client: Any) -> ResolverEndpoint:
        found = client.get_resolver_endpoint(ResolverEndpointId=endpoint_id)["ResolverEndpoint"]
        return _endpoint(found, account)

    action = "route53resolver:GetResolverEndpoint"
    reads: list[Callable[[], Any]] = [
        lambda: reader.call(action, account=account, region=region, request=request, absent=_GONE),
        lambda: _interfaces(reader, account, region, endpoint_id),
    ]
    found, interfaces = reader.each(lambda read: read(), reads)
    return _joined(found, interfaces)


def read_inbound_endpoints(
    reader: Reader, account: str, region: str, vpc_id: str
) -> tuple[ResolverEndpoint, ...] | Unread:
    """Return the inbound endpoints of a VPC with their addresses. Only the account's own are listed."""

    def request(client: Any) -> tuple[ResolverEndpoint, ...]:
        filters = [{"Name": "HostVPCId", "Values": [vpc_id]}]
        found = pages(client, "list_resolver_endpoints", "ResolverEndpoints", Filters=filters)
        return tuple(
            _endpoint(each, account)
            for each in found
            if each.get("HostVPCId") == vpc_id and each.get("Direction", "").startswith("INBOUND")
        )

    found = reader.call("route53resolver:ListResolverEndpoints", account=account, region=region, request=request)
    if found is None or isinstance(found, Unread):
        return found or ()
    interfaces = reader.each(lambda each: _interfaces(reader, account, region, each.id), found)
    joined = [_joined(each, of_each) for each, of_each in zip(found, interfaces, strict=True)]
    unread = next((each for each in joined if isinstance(each, Unread)), None)
    return unread or tuple(each for each in joined if isinstance(each, ResolverEndpoint))


def _interfaces(
    reader: Reader, account: str, region: str, endpoint_id: str
) -> tuple[ResolverInterface, ...] | Unread | None:
    def request(client: Any) -> tuple[ResolverInterface, ...]:
        found = pages(client, "list_resolver_endpoint_ip_addresses", "IpAddresses", ResolverEndpointId=endpoint_id)
        return tuple(
            ResolverInterface(each.get("SubnetId", ""), _addresses(each))
            for each in found
            if each.get("Status") in _ATTACHED
        )

    action = "route53resolver:ListResolverEndpointIpAddresses"
    return reader.call(action, account=account, region=region, request=request, absent=_GONE)


def _addresses(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(ip_address(found[key])) for key in ("Ip", "Ipv6") if found.get(key))


def _endpoint(found: Mapping[str, Any], account: str) -> ResolverEndpoint:
    return ResolverEndpoint(
        id=found["Id"],
        direction=found.get("Direction", ""),
        state=found.get("Status", ""),
        vpc_id=found.get("HostVPCId", ""),
        account=account,
        group_ids=tuple(found.get("SecurityGroupIds", [])),
    )


def _joined(
    found: ResolverEndpoint | Unread | None, interfaces: tuple[ResolverInterface, ...] | Unread | None
) -> ResolverEndpoint | Unread | None:
    if found is None or isinstance(found, Unread):
        return found
    if isinstance(interfaces, Unread):
        return interfaces
    return replace(found, interfaces=interfaces or ())
