"""Who answers a name in the VPC: Amazon's DNS server by itself, or somebody whose answer cannot be read here.

Sources: Amazon VPC User Guide, "Understanding Amazon DNS" (its addresses) and "DHCP option sets"; those of `resolver`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address, ip_network
from typing import Final

from pull_responder.model.reason import Reason, join_reasons, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network.model import Network, Vpc
from pull_responder.network.next_steps import RESOLVE
from pull_responder.network.resolver import ResolverRule, is_below, winning_rule
from pull_responder.network.zones import HostedZone, ZoneAnswer, look_up, zone_of

AMAZON_DNS: Final = "AmazonProvidedDNS"
# These two, and the VPC's primary IPv4 network address plus two.
_AMAZON_DNS_ADDRESSES: Final = ("169.254.169.253", "fd00:ec2::253")


class By(Enum):
    """What may answer for a name instead."""

    SERVER = "server"
    RULE = "rule"
    ZONE = "zone"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class OtherAnswer:
    """Who else may answer for a name.

    - `shown`: who that is, in words, as it was read; empty if nobody was.
    - `unread`: what was not read that may show somebody, in words; empty if everything was read.
    - `by`: what was read: another DNS server, a Resolver rule, a private hosted zone or a Profile.
    - `zone`: the private hosted zone whose records lead the name to an address or an endpoint, if nothing else answers.
    """

    shown: str = ""
    unread: str = ""
    by: By | None = None
    zone: HostedZone | None = None


def vpc_of(network: Network) -> Vpc:
    """Return the VPC; one of which nothing is known if it could not be read."""
    if isinstance(network.vpc, Unread):
        return Vpc("the VPC", (), network.vpc, network.vpc, network.vpc)
    return network.vpc


def other_answer(host: str, network: Network, *, zone: str = "") -> OtherAnswer:
    """Return who else than Amazon's DNS and the VPC's endpoints may answer for `host`.

    `zone` is the private hosted zone of an endpoint in the VPC that has the name. Empty if there is none. It outranks a
    Resolver rule for a less specific domain, and no other hosted zone for one decides.
    """
    servers = other_servers(network)
    if servers and not servers_unread(network):
        return OtherAnswer(servers, by=By.SERVER)
    most_specific = max(zone, _covering_zone(host, network), key=len)
    found = {
        By.RULE: _rule(host, network, most_specific),
        By.ZONE: _private_zone(host, network),
        By.PROFILE: _profile(network),
    }
    by = next((each for each, words in found.items() if words), None)
    unread = join_reasons(filter(None, (servers, *_unread(network))))
    if by is By.ZONE and not unread and not found[By.PROFILE] and (decided := _deciding_zone(host, network, zone)):
        return OtherAnswer(zone=decided)
    return OtherAnswer(found[by] if by else "", unread, by)


def other_servers(network: Network) -> str:
    """Say that the node asks, or may ask, DNS servers other than Amazon's. Empty if it does not."""
    if is_other_server(network.asked_server, network):
        return Reason(
            f"kubelet asked the DNS server {network.asked_server}, whose answers cannot be read",
            f"Ask the DNS server {network.asked_server} on a node: `nslookup` for the registry's host.",
        )
    if _is_amazons(network.asked_server, network):
        return ""
    servers = vpc_of(network).dns_servers
    if isinstance(servers, Unread):
        return Reason(
            f"the DNS servers in the VPC's DHCP options are not known: {servers.reason}",
            *steps_of(servers.reason),
            RESOLVE,
        )
    if all(_is_amazons(server, network) for server in servers):
        return ""
    return Reason(
        f"the VPC's DHCP options name the DNS servers {', '.join(servers)}, whose answers cannot be read", RESOLVE
    )


def is_other_server(server: str, network: Network) -> bool:
    """Return whether an address is certainly that of another DNS server than Amazon's.

    A resolver on the node itself (127.0.0.53) or a cache on a link-local address does not tell whom it asks.
    """
    if not server or _is_amazons(server, network) or not vpc_of(network).cidrs:
        return False
    address = ip_address(server)
    return not (address.is_loopback or address.is_link_local)


def servers_unread(network: Network) -> bool:
    """Return whether it is not known which DNS servers the node asks."""
    asks_other = is_other_server(network.asked_server, network)
    return not asks_other and isinstance(vpc_of(network).dns_servers, Unread)


def _is_amazons(server: str, network: Network) -> bool:
    """Return whether a DNS server is Amazon's: by its name, its fixed addresses, or its address in this VPC."""
    if server in (AMAZON_DNS, *_AMAZON_DNS_ADDRESSES):
        return True
    block = next((cidr for cidr in vpc_of(network).cidrs if ":" not in cidr), None)
    return block is not None and server == str(ip_network(block, strict=False).network_address + 2)


def _rule(host: str, network: Network, zone: str) -> str:
    """Say that a Resolver rule sends questions for `host` to other DNS servers. Empty if none does."""
    if isinstance(network.resolver_rules, Unread):
        return ""
    rules = [rule for rule in network.resolver_rules if isinstance(rule, ResolverRule)]
    rule = winning_rule(host, rules)
    if rule is None or not rule.forwards or (zone and len(rule.domain) < len(zone)):
        return ""
    return Reason(f"{rule}, so these servers decide what the name resolves to", RESOLVE)


def _private_zone(host: str, network: Network) -> str:
    zone = _covering_zone(host, network)
    if not zone:
        return ""
    read = zone_of(host, network.hosted_zones)
    step = f"Look at the records of the private hosted zone {zone} in the Route 53 console, and at where {host} leads."
    found = look_up(host, read, 4) if read and read.name == zone else None
    if isinstance(found, Unread):
        words = f"a private hosted zone, {zone}, answers for {host}, and its records were not read: {found.reason}"
        return Reason(words, *steps_of(found.reason), step)
    if found is None:
        return Reason(f"a private hosted zone, {zone}, answers for {host}, and its records were not read", step)
    if found.leads:
        return Reason(f"a private hosted zone, {zone}, may answer for {host}: {found}", step)
    if found.nothing:
        return Reason(f"a private hosted zone, {zone}, answers for {host}, and has no record for it", step)
    return Reason(f"a private hosted zone, {zone}, answers for {host}, and leads it to {found.elsewhere}", step)


def _covering_zone(host: str, network: Network) -> str:
    """Return the name of the most specific private hosted zone that covers a host, whether it was read or not."""
    names = () if isinstance(network.private_zones, Unread) else network.private_zones
    zones = (name.rstrip(".") for name in names)
    return max((name for name in zones if name and is_below(host, name)), key=len, default="")


def _deciding_zone(host: str, network: Network, of_endpoint: str) -> HostedZone | None:
    """Return the zone whose records lead a host somewhere. None if that is not certain.

    It is certain only of the most specific zone, which has to be more specific than `of_endpoint`, too.

    Both DNS attributes of the VPC must be on for its private hosted zones (Amazon Route 53 Developer Guide,
    "Considerations when working with a private hosted zone").
    """
    vpc, zone = vpc_of(network), zone_of(host, network.hosted_zones)
    if zone is None or vpc.dns_support is not True or vpc.dns_hostnames is not True:
        return None
    if zone.name != _covering_zone(host, network) or len(zone.name) <= len(of_endpoint):
        return None
    answers = (look_up(host, zone, version) for version in (4, 6))
    return zone if any(isinstance(each, ZoneAnswer) and each.leads for each in answers) else None


def _profile(network: Network) -> str:
    """Say that a Profile may bring a zone, a rule or an endpoint's name. Empty if the VPC has none."""
    if isinstance(network.profiles, Unread) or not network.profiles:
        return ""
    found = " and ".join(map(str, network.profiles))
    return Reason(
        f"{found} may bring a hosted zone, a Resolver rule or an endpoint that answers for the registry's names",
        f"Look at what {found} holds for the registry's names, in the Route 53 console of its owner.",
    )


def _unread(network: Network) -> tuple[str, ...]:
    """Return why it is not known who else answers."""
    rules = network.resolver_rules
    each = (rules,) if isinstance(rules, Unread) else tuple(rule for rule in rules if isinstance(rule, Unread))
    facts = (network.private_zones, *each, network.profiles)
    return tuple(dict.fromkeys(fact.reason for fact in facts if isinstance(fact, Unread)))
