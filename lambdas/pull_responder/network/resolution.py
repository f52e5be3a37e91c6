"""Names: the three hosts a pull talks to, and whether the VPC's DNS leads them to an interface endpoint.

Sources: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints" (ecr.api, ecr.dkr, S3; only Amazon-provided DNS)
and "Making requests to Amazon ECR registries" (dual-stack hosts); AWS PrivateLink Guide, "Private DNS names" (both
DNS attributes of the VPC must be on).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Final

from pull_responder.model.pull import Stage
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, RegistryPlace, Vpc, VpcEndpoint

AMAZON_DNS: Final = "AmazonProvidedDNS"
# Amazon VPC User Guide, "Understanding Amazon DNS": these two, and the base of the VPC's primary block plus two.
_AMAZON_DNS_ADDRESSES: Final = ("169.254.169.253", "fd00:ec2::253")
_GONE: Final = {"deleting", "deleted"}
# "Partial" is an endpoint that is up in some of its Availability Zones.
_UP: Final = {"available", "partial"}


@dataclass(frozen=True, slots=True)
class Destination:
    """One host a pull talks to. `service` ends the name of its endpoint service ("ecr.api"); empty where there is none.

    `plain` is false for dual-stack and FIPS hosts, whose names an endpoint's private DNS may or may not hold; `fips` is
    true for those that an endpoint service of their own may serve. `versions` are the IP versions of its addresses.
    """

    stage: Stage
    host: str
    region: str
    service: str
    plain: bool = True
    versions: tuple[int, ...] = (4,)
    fips: bool = False

    @property
    def service_name(self) -> str:
        """The full name of the endpoint service, to create one with."""
        china = self.region.startswith("cn-") and self.service != "s3"
        return f"{'cn.' if china else ''}com.amazonaws.{self.region}.{self.service}"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a name leads: to `endpoint`, or to public addresses where that is None.

    A non-empty `doubt` says why it may as well be the other of the two; with `elsewhere` it may be any address at all,
    for example of an endpoint in another VPC.
    """

    hop: Hop
    endpoint: VpcEndpoint | None = None
    doubt: str = ""
    elsewhere: bool = False


def destinations(registry: RegistryPlace) -> tuple[Destination, ...]:
    """Return the hosts a pull from `registry` talks to, in the order it does.

    ECR Public is pulled without a token if need be, so its token host does not count; its layers come from CloudFront.
    No endpoint serves its registry, only its API (com.amazonaws.us-east-1.ecr-public.api): the way is by the internet.
    """
    region = registry.region
    if registry.public:
        public = (4, 6) if registry.dual_stack else (4,)
        return (
            Destination(Stage.MANIFEST, registry.host, region, "", versions=public),
            Destination(Stage.LAYER, "cloudfront.net", region, "", versions=public),
        )
    suffix = registry.host.partition(f".{region}.")[2]
    china = suffix.endswith(".cn")
    versions = (4, 6) if registry.dual_stack else (4,)
    fips = "-fips" if registry.fips else ""
    if registry.dual_stack:
        api = f"ecr{fips}.{region}.{'api.amazonwebservices.com.cn' if china else 'api.aws'}"
        s3 = f"s3.dualstack.{region}.amazonaws.com{'.cn' if china else ''}"
    else:
        api = f"ecr{fips}.{region}.{suffix}" if fips else f"api.ecr.{region}.{suffix}"
        s3 = f"s3.{region}.{suffix}"
    plain = not (registry.dual_stack or registry.fips)
    bucket = f"prod-{region}-starport-layer-bucket.{s3}"
    return (
        Destination(Stage.TOKEN, api, region, "ecr.api", plain, versions, registry.fips),
        Destination(Stage.MANIFEST, registry.host, region, "ecr.dkr", plain, versions, registry.fips),
        # Inference: a dual-stack registry hands out S3's dual-stack names; a FIPS one S3's plain ones.
        Destination(Stage.LAYER, bucket, region, "s3", not registry.dual_stack, versions),
    )


def endpoints_of(destination: Destination, network: Network, kind: str) -> tuple[VpcEndpoint, ...]:
    """Return the VPC's endpoints of type `kind` that serve the destination, the best first; those going away are gone.

    Only endpoints of the registry's own region count, by their service region. Unread endpoints are none here.
    """
    if isinstance(network.endpoints, Unread) or not destination.service:
        return ()
    service = f".{destination.region}.{destination.service}"
    # Inference: an endpoint service of FIPS hosts has the name of the plain one with this suffix.
    services = (service, f"{service}-fips") if destination.fips else (service,)
    found = [
        endpoint
        for endpoint in network.endpoints
        if endpoint.type == kind
        and endpoint.state.lower() not in _GONE
        and endpoint.service_name.endswith(services)
        and (endpoint.service_region or network.region) == destination.region
    ]
    return tuple(sorted(found, key=lambda each: (not _of_fips(each), not each.private_dns, not is_up(each))))


def _of_fips(endpoint: VpcEndpoint) -> bool:
    return endpoint.service_name.endswith("-fips")


def is_up(endpoint: VpcEndpoint) -> bool:
    """Return whether the endpoint is in a state in which it takes traffic."""
    return endpoint.state.lower() in _UP


def has_private_dns(endpoint: VpcEndpoint) -> bool:
    """Return whether private DNS answers inside the VPC.

    S3's option for inbound Resolver endpoints only leaves the VPC's own queries to public addresses (AWS Storage
    Blog, "Introducing private DNS support for Amazon S3 with AWS PrivateLink").
    """
    return endpoint.private_dns and not endpoint.private_dns_inbound_only


def resolve(destination: Destination, network: Network) -> Resolution:
    """Return where the VPC's DNS leads the destination's name, with what is wrong with DNS itself."""
    faults, undecided = _dns_support(network)
    hop = Hop(HopKind.NAME, destination.host, (PathCause.VPC_DNS_DISABLED,), (), faults, undecided)
    endpoint = next(
        (found for found in endpoints_of(destination, network, "Interface") if has_private_dns(found)), None
    )
    covered = _answers(endpoint, destination) if endpoint else None
    if isinstance(network.endpoints, Unread):
        return Resolution(_said(hop, "leads to an endpoint or to public addresses"), doubt=network.endpoints.reason)
    zone_doubt = _zone_doubt(destination, network)
    if endpoint is None or _vpc(network).dns_hostnames is False:
        return Resolution(_said(hop, "leads to public addresses"), doubt=zone_doubt, elsewhere=bool(zone_doubt))
    if isinstance(hostnames := _vpc(network).dns_hostnames, Unread):
        hop = _with_doubt(hop, hostnames.reason)
    doubt = zone_doubt or _doubt(endpoint, destination, network, covered=covered is True)
    words = f"leads to {endpoint.id}, whose private DNS takes this name's traffic for the whole VPC"
    if not doubt:
        hop = replace(hop, looked_for=(*hop.looked_for, PathCause.ENDPOINT_MISSING, PathCause.PRIVATE_DNS_DISABLED))
    return Resolution(_said(hop, words), endpoint, doubt, elsewhere=bool(doubt and (zone_doubt or _own_dns(network))))


def dns_fault(network: Network, attributes: tuple[str, ...], explanation: str) -> Fault:
    """Return the fault that DNS attributes of the VPC are off."""
    vpc = _vpc(network).id
    evidence = tuple(f"{attribute} of {vpc} is false" for attribute in attributes)
    fix = Fix(vpc_id=vpc, attributes=attributes)
    return Fault(PathCause.VPC_DNS_DISABLED, ResourceType.VPC, vpc, explanation, evidence, (fix,))


def _vpc(network: Network) -> Vpc:
    if isinstance(network.vpc, Unread):
        return Vpc("the VPC", (), network.vpc, network.vpc, network.vpc)
    return network.vpc


def _own_dns(network: Network) -> str:
    """Return the words for DNS servers other than Amazon's that the VPC hands out, or may, as unread; else empty."""
    servers = _vpc(network).dns_servers
    if isinstance(servers, Unread):
        return f"which DNS servers the VPC hands out is not known: {servers.reason}"
    if all(_is_amazons(server, network) for server in servers):
        return ""
    return f"the VPC's DHCP options name the DNS servers {', '.join(servers)}, whose answers cannot be read"


def _is_amazons(server: str, network: Network) -> bool:
    """Return whether a DNS server is Amazon's: by name, or by its addresses, of which the VPC has one of its own."""
    if server in (AMAZON_DNS, *_AMAZON_DNS_ADDRESSES):
        return True
    block = next((cidr for cidr in _vpc(network).cidrs if ":" not in cidr), None)
    return block is not None and server == str(ip_network(block, strict=False).network_address + 2)


def _dns_support(network: Network) -> tuple[tuple[Fault, ...], tuple[Undecided, ...]]:
    vpc = _vpc(network)
    if vpc.dns_support is True:
        return (), ()
    if isinstance(vpc.dns_support, Unread):
        return (), (Undecided(PathCause.VPC_DNS_DISABLED, vpc.dns_support.reason),)
    if unknown := _own_dns(network):
        return (), (Undecided(PathCause.VPC_DNS_DISABLED, f"enableDnsSupport of {vpc.id} is false, and {unknown}"),)
    explanation = f"DNS resolution is off in {vpc.id}, so no name resolves there."
    return (dns_fault(network, ("enableDnsSupport",), explanation),), ()


def _answers(endpoint: VpcEndpoint, destination: Destination) -> bool | None:
    """Return whether the endpoint's private DNS holds the destination's name; None when that is not known.

    Its DnsEntries may list the name. Inference: where they do not, the private hosted zone behind may hold it yet.
    """
    if destination.plain or (destination.fips and _of_fips(endpoint)):
        return True
    return any(_matches(name.rstrip("."), destination.host) for name in endpoint.dns_names) or None


def _matches(name: str, host: str) -> bool:
    return host == name or (name.startswith("*.") and host.endswith(name[1:]))


def _doubt(endpoint: VpcEndpoint, destination: Destination, network: Network, *, covered: bool) -> str:
    if not covered:
        return f"whether the private DNS of {endpoint.id} holds {destination.host} is not known"
    if not is_up(endpoint):
        return f"{endpoint.id} is in state {endpoint.state}, and whether its private DNS answers is not known"
    return _own_dns(network)


def _zone_doubt(destination: Destination, network: Network) -> str:
    if isinstance(network.private_zones, Unread):
        return ""
    zones = (zone.rstrip(".") for zone in network.private_zones)
    zone = next((zone for zone in zones if destination.host == zone or destination.host.endswith(f".{zone}")), None)
    return (
        f"a private hosted zone, {zone}, answers for {destination.host}, and its records were not read" if zone else ""
    )


def _said(hop: Hop, words: str) -> Hop:
    return replace(hop, evidence=(f"{hop.resource_id} {words}",))


def _with_doubt(hop: Hop, reason: str) -> Hop:
    if any(doubt.reason == reason for doubt in hop.undecided):
        return hop
    return replace(hop, undecided=(*hop.undecided, Undecided(PathCause.VPC_DNS_DISABLED, reason)))
