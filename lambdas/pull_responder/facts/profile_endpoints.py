"""Interface endpoints that a Route 53 Profile brings, as the private hosted zones that their private DNS stands for.

Sources: AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint", "Private DNS" (a hidden
private hosted zone, managed by AWS); Amazon Route 53 Developer Guide, "Associate interface VPC endpoints to a Route 53
Profile".
Inference: what the Profile brings are the names of the endpoint's private DNS, and nothing if that is off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.facts.of_aws import may_answer
from pull_responder.model.arn import DNS_SUFFIXES, partition_of
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.zones import HostedZone, ZoneRecord

if TYPE_CHECKING:
    from pull_responder.network.model import VpcEndpoint

_TYPES: Final = ("A", "AAAA")
# The zones of an endpoint's private DNS: those that it surely has, and those that it may have.
_SURE: Final = {
    "ecr.api": ("api.ecr.{region}.{suffix}",),
    "ecr.dkr": ("dkr.ecr.{region}.{suffix}",),
    "s3": ("s3.{region}.{suffix}",),
}
_POSSIBLE: Final = {
    "ecr.api": ("ecr.{region}.api.aws", "ecr-fips.{region}.{suffix}", "ecr-fips.{region}.api.aws"),
    "ecr.dkr": ("dkr-ecr.{region}.on.aws", "dkr.ecr-fips.{region}.{suffix}", "dkr-ecr-fips.{region}.on.aws"),
    "s3": ("s3.dualstack.{region}.{suffix}",),
}


def zones_of_endpoint(endpoint: VpcEndpoint, owner: str, region: str) -> tuple[HostedZone, ...]:
    """Return the zones that the private DNS of an endpoint of `owner` stands for, if it serves pulls of its region."""
    service = next((each for each in _SURE if endpoint.service_name.endswith(f".{each}")), "")
    if not service or (endpoint.service_region or region) != region:
        return ()
    names = [_zone_name(each) for each in endpoint.dns_names if ".vpce." not in each]
    sure = dict.fromkeys((*_named(_SURE[service], region), *filter(may_answer, names)))
    if not endpoint.private_dns or endpoint.private_dns_inbound_only:
        how = "answers only inbound Resolver endpoints" if endpoint.private_dns else "is off"
        return tuple(HostedZone(each, "", owner, _open(endpoint, how), endpoint=endpoint.id) for each in sure)
    possible = [each for each in _named(_POSSIBLE[service], region) if each not in sure]
    return (
        *(HostedZone(each, "", owner, _records(each, endpoint), endpoint=endpoint.id) for each in sure),
        *(HostedZone(each, "", owner, _open(endpoint, "may not have it"), endpoint=endpoint.id) for each in possible),
    )


def _named(patterns: tuple[str, ...], region: str) -> list[str]:
    suffix = DNS_SUFFIXES[partition_of(region)]
    return [each.format(region=region, suffix=suffix) for each in patterns]


def _zone_name(name: str) -> str:
    return name.rstrip(".").lower().removeprefix("*.")


def _records(zone: str, endpoint: VpcEndpoint) -> tuple[ZoneRecord, ...]:
    alias = f"{endpoint.id}-private.{zone}.vpce.amazonaws.com"
    return tuple(ZoneRecord(name, kind, alias=alias) for name in (zone, f"*.{zone}") for kind in _TYPES)


def _open(endpoint: VpcEndpoint, how: str) -> Unread:
    step = f"On a node, run `nslookup` for the registry's host and compare the address with those of {endpoint.id}."
    return Unread(Reason(f"private DNS of {endpoint.id} {how}, and whether its Profile answers is not known", step))
