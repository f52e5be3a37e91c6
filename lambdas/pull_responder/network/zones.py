"""Private hosted zones of a VPC, and where their records lead a name.

Sources: Amazon Route 53 Developer Guide, "Considerations when working with a private hosted zone" (the most specific
zone answers; without a record there, the name does not exist), "Using an asterisk (*) in the names of hosted zones
and records" and "Choosing between alias and non-alias records" (an alias may stand for another record of its zone); AWS
PrivateLink Guide, "Access an AWS service using an interface VPC endpoint", "DNS names" (an endpoint's own names begin
with its id).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.resolver import is_below

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS_TYPES: Final = {4: "A", 6: "AAAA"}
# vpce-0123456789abcdef0-a1b2c3d4.api.ecr.us-east-1.vpce.amazonaws.com; a zone's own name has it behind the second part.
_OF_ENDPOINT: Final = re.compile(r"(vpce-[0-9a-f]{8,17})-[0-9a-z]{1,16}(?:-([0-9a-z-]{1,32}))?\.[0-9a-z.-]+\.vpce\..+")

# A zone for a service of AWS leads to one endpoint, or to a few.
_MOST_ENDPOINTS: Final = 4
# A wildcard may stand for the zone's own name, and that for the endpoint. More names are a loop, or nothing known.
_MOST_NAMES: Final = 4


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """A record set: `values`, or for an alias the name that it stands for. `several` is true with a routing policy."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    alias: str = ""
    several: bool = False


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A private hosted zone, with the account that owns it. Names have no final dot.

    - `profile`: the Profile that brings it; empty if the VPC itself has it.
    - `endpoint`: the interface endpoint of the Profile whose private DNS it stands for. Then `id` is empty, as AWS
      shows nobody the zone of an endpoint.
    """

    name: str
    id: str
    owner: str
    records: tuple[ZoneRecord, ...] | Unread
    profile: str = ""
    endpoint: str = ""

    def __str__(self) -> str:
        by = f" of Route 53 Profile {self.profile}" if self.profile else ""
        if self.endpoint:
            return f"private DNS of {self.endpoint}{by}"
        return f"the private hosted zone {self.name} ({self.id}){by}"


@dataclass(frozen=True, slots=True)
class ZoneAnswer:
    """Where a hosted zone leads a name.

    - `addresses`: the addresses of its record.
    - `endpoint_id`: the interface endpoint that an alias or CNAME stands for.
    - `availability_zone`: the only one of the endpoint's zones that it stands for; empty for all.
    - `elsewhere`: another name that it stands for, or records that a routing policy chooses from, in words.
    - `nothing`: the zone has no record of this type for the name.
    """

    zone: HostedZone
    addresses: tuple[str, ...] = ()
    endpoint_id: str = ""
    availability_zone: str = ""
    elsewhere: str = ""
    nothing: bool = False

    @property
    def leads(self) -> bool:
        """Whether the answer is an address or an endpoint."""
        return bool(self.addresses or self.endpoint_id)

    def __str__(self) -> str:
        where = self.endpoint_id or ", ".join(self.addresses[:4]) or self.elsewhere
        return f"{self.zone} leads it to {where}"


def zone_of(host: str, zones: Iterable[HostedZone]) -> HostedZone | None:
    """Return the zone that answers for a host: the most specific one, of the same name the VPC's own."""
    covering = [zone for zone in zones if zone.name and is_below(host, zone.name)]
    return max(covering, key=lambda zone: (len(zone.name), not zone.profile), default=None)


def look_up(host: str, zone: HostedZone, version: int) -> ZoneAnswer | Unread:
    """Return where a zone leads a host over an IP version, also by other records of its own."""
    if isinstance(zone.records, Unread):
        return zone.records
    types, name = (_ADDRESS_TYPES[version], "CNAME"), host
    for _ in range(_MOST_NAMES):
        found = [each for each in _records_for(name, zone.records) if each.type in types]
        if not found:
            return ZoneAnswer(zone, nothing=True) if name == host else ZoneAnswer(zone, elsewhere=name)
        if len(found) > 1 or found[0].several:
            return ZoneAnswer(zone, elsewhere=f"one of several records for {name}")
        (record,) = found
        target = _target(record)
        # An alias for a name in the zone is answered from there. What a CNAME names is asked for anew.
        if target != zone.name and not (record.alias and is_below(target, zone.name)):
            return _answer(zone, record, target)
        name = target
    return ZoneAnswer(zone, elsewhere=name)


def _answer(zone: HostedZone, record: ZoneRecord, target: str) -> ZoneAnswer:
    if not target:
        return ZoneAnswer(zone, addresses=record.values)
    if match := _OF_ENDPOINT.fullmatch(target.removeprefix("*.")):
        return ZoneAnswer(zone, endpoint_id=match[1], availability_zone=match[2] or "")
    return ZoneAnswer(zone, elsewhere=target)


def _target(record: ZoneRecord) -> str:
    """Return the name that a record stands for; empty if it has addresses."""
    named = record.alias or (record.values[0] if record.type == "CNAME" and record.values else "")
    return named.rstrip(".").lower()


def _records_for(host: str, records: tuple[ZoneRecord, ...]) -> list[ZoneRecord]:
    """Return the records of a name; those of the closest wildcard if the name itself has none."""
    exact = [each for each in records if each.name == host]
    if exact:
        return exact
    wildcards = {each.name for each in records if each.name.startswith("*.") and host.endswith(each.name[1:])}
    closest = max(wildcards, key=len, default="")
    return [each for each in records if closest and each.name == closest]


def endpoints_of(zone: HostedZone) -> tuple[str, ...]:
    """Return the ids of the interface endpoints that the records of a zone stand for."""
    records = () if isinstance(zone.records, Unread) else zone.records
    found = (_OF_ENDPOINT.fullmatch(_target(each).removeprefix("*.")) for each in records)
    return tuple(dict.fromkeys(each[1] for each in found if each))[:_MOST_ENDPOINTS]
