"""DNS names: the hosts that a pull talks to, and whether the VPC's DNS resolves them to an interface endpoint.

Sources: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints" (ecr.api, ecr.dkr, S3; only Amazon-provided DNS)
and "Making requests to Amazon ECR registries" (dual-stack hosts); AWS PrivateLink Guide, "Private DNS names" (both
DNS attributes of the VPC must be on).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from pull_responder.model.arn import DNS_SUFFIXES, partition_of
from pull_responder.model.pull import Stage
from pull_responder.model.reason import Reason, reword
from pull_responder.model.unread import Unread
from pull_responder.network.answer import Fault, Fix, Hop, HopKind, PathCause, ResourceType, Undecided
from pull_responder.network.model import Network, RegistryPlace, VpcEndpoint
from pull_responder.network.names import OtherAnswer, other_answer, other_servers, vpc_of

_GONE: Final = {"deleting", "deleted"}
# "Partial" is an endpoint that is up in some of its Availability Zones.
_UP: Final = {"available", "partial"}


@dataclass(frozen=True, slots=True)
class Destination:
    """One host that a pull talks to.

    - `service`: the last part of its endpoint service's name, such as "ecr.api". Empty if it has no endpoint service.
    - `plain`: false for dual-stack and FIPS hosts. An endpoint's private DNS may or may not have their names.
    - `versions`: the IP versions of its addresses.
    - `fips`: true for FIPS hosts, which may have an endpoint service of their own.
    - `foreign`: true for a host that only kubelet's message names, and that is none of ECR or its storage.
    """

    stage: Stage
    host: str
    region: str
    service: str
    plain: bool = True
    versions: tuple[int, ...] = (4,)
    fips: bool = False
    foreign: bool = False

    @property
    def service_name(self) -> str:
        """The full name of the endpoint service, to create an endpoint with.

        ECR's begin with the partition's domain, turned round: "com.amazonaws", "cn.com.amazonaws", "gov.ic.c2s" (AWS
        CDK, InterfaceVpcEndpointAwsService.getDefaultEndpointPrefix).
        """
        domain = "amazonaws.com" if self.service == "s3" else DNS_SUFFIXES[partition_of(self.region)]
        return f"{'.'.join(reversed(domain.split('.')))}.{self.region}.{self.service}"

    @property
    def zone(self) -> str:
        """The private hosted zone in which an endpoint's private DNS has this name.

        Inference: it is the name of the service, with a wildcard record for registries and buckets.
        """
        return self.host if self.service == "ecr.api" else self.host.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Resolution:
    """Where a name resolves to.

    - `hop`: the name's hop on the path, with the faults of the VPC's DNS.
    - `endpoint`: the endpoint that the name resolves to. None if it resolves to public addresses.
    - `doubt`: why it may instead resolve to public addresses, or to an endpoint. Empty if `endpoint` is certain.
    - `elsewhere`: it may also resolve to any other address, for example to an endpoint in another VPC.
    - `other`: who else than the VPC's own DNS may answer.
    """

    hop: Hop
    endpoint: VpcEndpoint | None = None
    doubt: str = ""
    elsewhere: bool = False
    other: OtherAnswer = field(default_factory=OtherAnswer)


def destinations(registry: RegistryPlace) -> tuple[Destination, ...]:
    """Return the hosts that a pull from `registry` talks to, in this order.

    For ECR Public there is no token host, because a pull works without a token. Its layers come from CloudFront. Its
    only endpoint service is for its API (com.amazonaws.us-east-1.ecr-public.api), so images come over the internet.
    """
    region = registry.region
    if registry.public:
        public = (4, 6) if registry.dual_stack else (4,)
        return (
            Destination(Stage.MANIFEST, registry.host, region, "", versions=public),
            Destination(Stage.LAYER, "cloudfront.net", region, "", versions=public),
        )
    suffix = registry.host.partition(f".{region}.")[2]
    versions = (4, 6) if registry.dual_stack else (4,)
    fips = "-fips" if registry.fips else ""
    if registry.dual_stack:
        api = f"ecr{fips}.{region}.api.{suffix.removeprefix('on.')}"
        s3 = f"s3.dualstack.{region}.{DNS_SUFFIXES[partition_of(region)]}"
    else:
        api = f"ecr{fips}.{region}.{suffix}" if fips else f"api.ecr.{region}.{suffix}"
        s3 = f"s3.{region}.{suffix}"
    plain = not (registry.dual_stack or registry.fips)
    bucket = f"prod-{region}-starport-layer-bucket.{s3}"
    return (
        Destination(Stage.TOKEN, api, region, "ecr.api", plain, versions, registry.fips),
        Destination(Stage.MANIFEST, registry.host, region, "ecr.dkr", plain, versions, registry.fips),
        # Inference: layer URLs of a dual-stack registry have S3's dual-stack names, those of a FIPS one plain names.
        Destination(Stage.LAYER, bucket, region, "s3", not registry.dual_stack, versions),
    )


def endpoints_of(destination: Destination, network: Network, kind: str) -> tuple[VpcEndpoint, ...]:
    """Return the VPC's endpoints of type `kind` that serve the destination, the best first.

    Only endpoints whose service region is the registry's region count. Endpoints in state deleting or deleted do not.
    Empty if the endpoints could not be read.
    """
    if isinstance(network.endpoints, Unread) or not destination.service:
        return ()
    service = f".{destination.region}.{destination.service}"
    # Inference: the endpoint service for FIPS hosts has the name of the plain service with this suffix.
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
    """Return whether the endpoint's state lets it take traffic."""
    return endpoint.state.lower() in _UP


def has_private_dns(endpoint: VpcEndpoint) -> bool:
    """Return whether the endpoint's private DNS answers queries from inside the VPC.

    With S3's option PrivateDnsOnlyForInboundResolverEndpoint, queries from inside the VPC still get public addresses
    (AWS Storage Blog, "Introducing private DNS support for Amazon S3 with AWS PrivateLink").
    """
    return endpoint.private_dns and not endpoint.private_dns_inbound_only


def resolve(destination: Destination, network: Network) -> Resolution:
    """Return where the VPC's DNS resolves the destination's name to, with the faults of DNS itself."""
    faults, undecided = _dns_support(network)
    hop = Hop(HopKind.NAME, destination.host, (PathCause.VPC_DNS_DISABLED,), (), faults, undecided)
    endpoint = next(
        (found for found in endpoints_of(destination, network, "Interface") if has_private_dns(found)), None
    )
    covered = _private_dns_has(endpoint, destination) if endpoint else None
    if endpoint is None or vpc_of(network).dns_hostnames is False:
        other = other_answer(destination.host, network)
        where, doubt = "resolves to public addresses", other.shown
        if other.zone:
            words = f"is answered by the private hosted zone {other.zone.name} ({other.zone.id})"
            return Resolution(_with_evidence(hop, words, ""), other=other)
        if isinstance(network.endpoints, Unread):
            where, doubt = "resolves to an endpoint or to public addresses", network.endpoints.reason
            if vpc_of(network).dns_hostnames is not True:
                # It is a fault if the VPC has endpoints that private names lead to.
                hop = _with_doubt(hop, network.endpoints.reason)
        return Resolution(_with_evidence(hop, where, doubt), None, doubt, elsewhere=bool(other.shown), other=other)
    if isinstance(hostnames := vpc_of(network).dns_hostnames, Unread):
        hop = _with_doubt(hop, hostnames.reason)
    other = other_answer(destination.host, network, zone=destination.zone if covered else "")
    doubt = other.shown or _doubt(endpoint, destination, network, covered=covered is True)
    where = f"resolves to {endpoint.id}: its private DNS answers for this name in the whole VPC"
    if not doubt:
        hop = replace(hop, causes=(*hop.causes, PathCause.ENDPOINT_MISSING, PathCause.PRIVATE_DNS_DISABLED))
    elsewhere = bool(doubt and (other.shown or other_servers(network)))
    return Resolution(_with_evidence(hop, where, doubt), endpoint, doubt, elsewhere=elsewhere, other=other)


def dns_fault(network: Network, attributes: tuple[str, ...], explanation: str) -> Fault:
    """Return the fault that these DNS attributes of the VPC are off."""
    vpc = vpc_of(network).id
    evidence = tuple(f"{attribute} of {vpc} is false" for attribute in attributes)
    fix = Fix(vpc_id=vpc, attributes=attributes)
    return Fault(PathCause.VPC_DNS_DISABLED, ResourceType.VPC, vpc, explanation, evidence, (fix,))


def _dns_support(network: Network) -> tuple[tuple[Fault, ...], tuple[Undecided, ...]]:
    vpc = vpc_of(network)
    if vpc.dns_support is True:
        return (), ()
    if isinstance(vpc.dns_support, Unread):
        return (), (Undecided(PathCause.VPC_DNS_DISABLED, vpc.dns_support.reason),)
    if unknown := other_servers(network):
        return (), (
            Undecided(
                PathCause.VPC_DNS_DISABLED, reword(unknown, f"enableDnsSupport of {vpc.id} is false, and {unknown}")
            ),
        )
    explanation = f"DNS resolution is off in {vpc.id}, so no name resolves there."
    return (dns_fault(network, ("enableDnsSupport",), explanation),), ()


def _private_dns_has(endpoint: VpcEndpoint, destination: Destination) -> bool | None:
    """Return True if the endpoint's private DNS has the destination's name, None if that is not known.

    The endpoint's DnsEntries may list the name. Inference: even if they do not, its private hosted zone may have it.
    """
    if destination.plain or (destination.fips and _of_fips(endpoint)):
        return True
    return any(_matches(name.rstrip("."), destination.host) for name in endpoint.dns_names) or None


def _matches(name: str, host: str) -> bool:
    return host == name or (name.startswith("*.") and host.endswith(name[1:]))


def _doubt(endpoint: VpcEndpoint, destination: Destination, network: Network, *, covered: bool) -> str:
    if not covered:
        return Reason(
            f"whether the private DNS of {endpoint.id} answers for {destination.host} is not known",
            f"On a node, run `nslookup {destination.host}` and compare the address with those of {endpoint.id}.",
        )
    if not is_up(endpoint):
        return Reason(
            f"{endpoint.id} is in state {endpoint.state}, and whether its private DNS answers is not known",
            f"Look at endpoint {endpoint.id} in the VPC console: its state and its DNS names.",
        )
    return other_servers(network)


def _with_evidence(hop: Hop, where: str, doubt: str) -> Hop:
    """Return the hop with where its name leads. A doubt says that this is computed, not seen."""
    line = f"{hop.resource_id} {where}"
    return replace(hop, evidence=(f"as far as can be read, {line}, but {doubt}" if doubt else line,))


def _with_doubt(hop: Hop, reason: str) -> Hop:
    if any(doubt.reason == reason for doubt in hop.undecided):
        return hop
    return replace(hop, undecided=(*hop.undecided, Undecided(PathCause.VPC_DNS_DISABLED, reason)))
