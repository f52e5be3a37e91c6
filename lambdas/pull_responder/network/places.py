"""Both sides of the traffic, as peers in rules: the node, an endpoint's interfaces, the public addresses of a host."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pull_responder.model.sighting import Sighting
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import ALL_IPV4, ALL_IPV6, PUBLIC_IPV4, PUBLIC_IPV6, AddressSet, Peer
from pull_responder.network.model import (
    EndpointInterface,
    Network,
    NodePlace,
    PrefixList,
    RouteTable,
    VpcEndpoint,
    read,
)
from pull_responder.network.resolution import Destination, endpoints_of

_IPV4 = 4


@dataclass(frozen=True, slots=True)
class Trip:
    """The way from one node to one destination over one IP version (4 or 6).

    - `seen`: what kubelet's message shows of this way, empty if it shows nothing. None before a failure.
    - `hint`: why the name may lead to another VPC, as names of the same registry do. Empty if nothing says so.
    - `nat64`: whether a NAT gateway translates, so that the node speaks IPv6 and the destination IPv4.
    - `came_from`: the node as a peer, for the part of a way that is in another VPC. Then `network` is that VPC and the
      subnet of `node` is the one by which the traffic enters it.
    - `to`: where it goes, if that is known already. Else to the destination's public addresses.
    """

    node: NodePlace
    destination: Destination
    network: Network
    version: int
    seen: Sighting | None = None
    hint: str = ""
    came_from: Peer | None = None
    nat64: bool = False
    to: Peer | None = None

    @property
    def table(self) -> RouteTable | Unread:
        """The route table of the node's subnet."""
        subnet = self.node.subnet_id
        return read(self.network.route_tables, subnet, f"the route table of {subnet}")

    @property
    def dialled(self) -> str:
        """The address that kubelet dialled; empty if none is known."""
        return self.seen.address if self.seen else ""

    @property
    def source(self) -> Peer:
        """The node's own addresses."""
        return self.came_from or node_peer(self.node, self.network, self.version)

    @property
    def foreign_source(self) -> Peer:
        """The node as another VPC sees it: by its addresses, and as a member of its groups, which may or may not count.

        Security groups of peered VPCs can be named in rules (VPC Peering Guide, "Update your security groups to
        reference peer security groups").
        """
        source = self.source
        known = source.group_ids if source.groups_known else source.possible_groups
        return replace(source, group_ids=frozenset(), groups_known=False, possible_groups=known)

    @property
    def foreign_range(self) -> Peer:
        """The same, with the block of the node's VPC as the one to route to."""
        source = self.foreign_source
        return replace(source, cidr=_block_of(source.addresses, self.network) or source.cidr)

    @property
    def server(self) -> Peer:
        """The destination's public addresses, or the address of its endpoint where the way leads to that."""
        return self.to or public_peer(self.destination, self.network, self.version)


def addresses_of(cidrs: tuple[str, ...], version: int | None = None) -> AddressSet:
    """Return the addresses in these CIDR blocks or single addresses; only those of `version`, if it is given."""
    found = AddressSet.of(*cidrs)
    if version is None:
        return found
    return found & (ALL_IPV4 if version == _IPV4 else ALL_IPV6)


def vpc_id(network: Network) -> str:
    """Return the VPC's id, or words for it if the VPC could not be read."""
    return "the VPC" if isinstance(network.vpc, Unread) else network.vpc.id


def node_versions(node: NodePlace, network: Network) -> tuple[int, ...]:
    """Return the IP versions of the node's addresses. Without them, those of its subnet; if that is unread, IPv4."""
    found = _node_addresses(node, network)
    return tuple(v for v in (4, 6) if addresses_of(found, v)) if found else (_IPV4,)


def node_peer(node: NodePlace, network: Network, version: int) -> Peer:
    """Return the node as a peer: with its addresses; without them, all of its subnet's; if that is unread, all."""
    groups_known = not isinstance(node.group_ids, Unread) and not node.assumption
    groups = frozenset(node.group_ids) if not isinstance(node.group_ids, Unread) else frozenset[str]()
    subnet = read(network.subnets, node.subnet_id, node.subnet_id)
    blocks = () if isinstance(subnet, Unread) else subnet.cidrs
    known = _node_addresses(node, network)
    any_address = ALL_IPV4 if version == _IPV4 else ALL_IPV6
    addresses = addresses_of(known, version) if known else any_address
    cidr = _first(blocks, version) or _first(known, version)
    return Peer(node.name, addresses, cidr, groups, groups_known=groups_known)


def endpoint_peer(endpoint: VpcEndpoint, network: Network, version: int) -> Peer:
    """Return an interface endpoint as a peer. If its interfaces are not known, it has any address of the VPC."""
    interfaces = interfaces_of(endpoint, network)
    addresses = addresses_of(tuple(address for found in interfaces for address in found.addresses), version)
    inside = inside_peer(network, version)
    if not isinstance(network.vpc, Unread) and (blocks := addresses_of(network.vpc.cidrs, version)):
        addresses = addresses & blocks  # an interface has only addresses of its VPC
    groups = frozenset(endpoint.group_ids)
    cidr = _block_of(addresses, network) if addresses else inside.cidr
    return Peer(f"endpoint {endpoint.id}", addresses or inside.addresses, cidr, groups, groups_known=bool(groups))


def interfaces_of(endpoint: VpcEndpoint, network: Network) -> tuple[EndpointInterface, ...]:
    """Return an endpoint's interfaces. If they are unread, one for each of its subnets, with any address there."""
    if not isinstance(endpoint.interfaces, Unread):
        return endpoint.interfaces
    vpc = () if isinstance(network.vpc, Unread) else network.vpc.cidrs
    subnets = {subnet_id: read(network.subnets, subnet_id, subnet_id) for subnet_id in endpoint.subnet_ids}
    return tuple(
        EndpointInterface(subnet_id, vpc if isinstance(subnet, Unread) else subnet.cidrs)
        for subnet_id, subnet in subnets.items()
    )


def inside_peer(network: Network, version: int) -> Peer:
    """Return an unknown endpoint in the VPC as a peer: it may have any address of the VPC."""
    cidrs = () if isinstance(network.vpc, Unread) else network.vpc.cidrs
    known = addresses_of(cidrs, version)
    found = known or _private(version)
    return Peer("an endpoint in the VPC", found, _first(cidrs, version), groups_known=False)


def public_peer(destination: Destination, network: Network, version: int) -> Peer:
    """Return the public addresses that the destination may have, as a peer.

    For S3 these are the entries of its prefix list, if it was read. For any other host these are all public addresses
    except those of S3 and DynamoDB. Inference: no other service has addresses in the prefix lists of these two.
    """
    default = "0.0.0.0/0" if version == _IPV4 else "::/0"
    public = PUBLIC_IPV4 if version == _IPV4 else PUBLIC_IPV6
    if not isinstance(network.vpc, Unread):
        public = public - addresses_of(network.vpc.cidrs, version)
    peer = Peer("the public internet", public, default)
    if destination.service != "s3":
        return replace(peer, addresses=public - _gateway_services(network))
    lists = _s3_prefix_lists(destination, network)
    read_lists = [read(network.prefix_lists, found, found) for found in lists]
    of_version = {
        each.id: addresses_of(each.entries, version)
        for each in read_lists
        if not isinstance(each, Unread) and each.entries
    }
    known = AddressSet()
    for addresses in of_version.values():
        known |= addresses
    if version != _IPV4 and not known:
        return replace(peer, addresses=public - _gateway_services(network))
    lists = tuple(each for each in lists if of_version.get(each, True))
    return replace(peer, name="S3's public addresses", addresses=known or public, prefix_list_ids=frozenset(lists))


def anywhere_peer(destination: Destination, network: Network, version: int) -> Peer:
    """Return, as a peer, the public addresses of the destination and all addresses of the VPC."""
    public, inside = public_peer(destination, network, version), inside_peer(network, version)
    name = f"{public.name} or {inside.name}"
    return replace(public, name=name, addresses=public.addresses | inside.addresses, groups_known=False)


def elsewhere_peer(destination: Destination, network: Network, version: int) -> Peer:
    """Return, as a peer, the public addresses of the destination and all private addresses."""
    public = public_peer(destination, network, version)
    addresses = public.addresses | _private(version)
    name = f"{public.name} or an endpoint in another VPC"
    return replace(public, name=name, addresses=addresses, groups_known=False)


def private_peer(network: Network, version: int) -> Peer:
    """Return an unknown endpoint in any VPC as a peer: it may have any private address, or any of this VPC."""
    inside = inside_peer(network, version)
    return replace(inside, name="an endpoint in this or another VPC", addresses=inside.addresses | _private(version))


def address_peer(address: str, host: str) -> Peer:
    """Return the one address that a node dialled as a peer. Groups of other VPCs may cover it, over a peering."""
    return Peer(f"{address} ({host})", AddressSet.of(address), groups_known=False)


def is_private(address: str) -> bool:
    """Return whether an address is one that networks use among themselves, such as 10.0.0.1."""
    found = AddressSet.of(address)
    return bool(found & (_private(_IPV4) | _private(6)))


def _gateway_services(network: Network) -> AddressSet:
    """Return the addresses of S3 and DynamoDB, from those of their prefix lists that were read."""
    known = (
        found
        for found in _read_prefix_lists(network)
        if found.name.endswith((".s3", ".dynamodb")) and ".amazonaws." in found.name
    )
    return AddressSet.of(*(cidr for found in known for cidr in found.entries))


def _read_prefix_lists(network: Network) -> tuple[PrefixList, ...]:
    lists = () if isinstance(network.prefix_lists, Unread) else network.prefix_lists.values()
    return tuple(found for found in lists if not isinstance(found, Unread))


def _s3_prefix_lists(destination: Destination, network: Network) -> tuple[str, ...]:
    """Return the ids of S3's prefix list in the destination's region, by its name and by the routes to its endpoint."""
    by_name = [found.id for found in _read_prefix_lists(network) if found.name.endswith(f".{destination.region}.s3")]
    gateways = {endpoint.id for endpoint in endpoints_of(destination, network, "Gateway")}
    tables = () if isinstance(network.route_tables, Unread) else network.route_tables.values()
    by_route = [r.destination for table in tables for r in table.routes if r.target in gateways]
    return tuple(dict.fromkeys((*by_name, *(found for found in by_route if found.startswith("pl-")))))


def _node_addresses(node: NodePlace, network: Network) -> tuple[str, ...]:
    if node.addresses:
        return node.addresses
    subnet = read(network.subnets, node.subnet_id, node.subnet_id)
    return () if isinstance(subnet, Unread) else subnet.cidrs


def _block_of(addresses: AddressSet, network: Network) -> str | None:
    """Return the block of the VPC that contains all the addresses; None if no block does."""
    cidrs = () if isinstance(network.vpc, Unread) else network.vpc.cidrs
    return next((cidr for cidr in cidrs if not addresses - AddressSet.of(cidr)), None)


def _first(cidrs: tuple[str, ...], version: int) -> str | None:
    return next((cidr for cidr in cidrs if addresses_of((cidr,), version)), None)


def _private(version: int) -> AddressSet:
    private = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
    return addresses_of(private, version)
