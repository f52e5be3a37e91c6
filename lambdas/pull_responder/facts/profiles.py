"""What the Route 53 Profiles of a VPC hold that decides who answers a name: zones, rules, rule groups and endpoints.

Whoever a Profile is shared with sees what is associated with it (Amazon Route 53 Developer Guide, "Working with shared
Route 53 Profiles", "Permissions for consumers"). The resources themselves are read in the accounts that own them.
"""
# ruff: noqa: ANN401 -- the clients of these services have no type stubs among the pinned ones

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts import endpoints, resolver, vpc_dns
from pull_responder.facts.of_aws import may_answer
from pull_responder.facts.paging import pages
from pull_responder.facts.profile_endpoints import zones_of_endpoint
from pull_responder.model.arn import Arn
from pull_responder.model.printable import clean_line
from pull_responder.model.reason import AGAIN, Reason, join_reasons
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pull_responder.facts.dns_firewall import Associations
    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace
    from pull_responder.network.resolver import Profile, ResolverRule
    from pull_responder.network.zones import HostedZone

PERMISSIONS: Final = ("route53:ListHostedZones", "route53profiles:ListProfileResourceAssociations")

_WITHOUT_EFFECT: Final = {"DELETING", "DELETED", "FAILED"}
_ZONE, _RULE, _GROUP, _ENDPOINT = "hostedzone", "resolver-rule", "firewall-rule-group", "vpc-endpoint"
# A configuration of query logs answers nothing.
_KINDS: Final = {_ZONE, _RULE, _GROUP, _ENDPOINT, "resolver-query-log-config"}
# Route 53 answers few requests in a second, so of many zones the names are listed first.
_FEW_ZONES: Final = 12
_FEW_RULES: Final = 12
# Of an ARN that is none of those known here, so much is shown.
_LONGEST_KIND: Final = 60


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a Profile: its kind as in its ARN, its id, its account, and the priority of a rule group."""

    kind: str
    id: str
    account: str
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Held:
    """A Profile with what is associated with it."""

    profile: Profile
    resources: tuple[Resource, ...] | Unread

    def of(self, kind: str) -> tuple[Resource, ...]:
        """Return the resources of a kind."""
        return () if isinstance(self.resources, Unread) else tuple(each for each in self.resources if each.kind == kind)


@dataclass(frozen=True, slots=True)
class Brought:
    """The Profiles of a VPC, with what of each is not known, and the zones and rules that they bring."""

    profiles: tuple[Profile, ...] | Unread
    zones: tuple[HostedZone, ...] = ()
    rules: tuple[ResolverRule | Unread, ...] = ()


def read_held(reader: Reader, place: VpcPlace, profiles: tuple[Profile, ...] | Unread) -> tuple[Held, ...]:
    """Return what each Profile holds; nothing if the Profiles were not read."""
    known = () if isinstance(profiles, Unread) else profiles
    return tuple(reader.each(lambda each: Held(each, _resources(reader, place, each)), known))


def _resources(reader: Reader, place: VpcPlace, profile: Profile) -> tuple[Resource, ...] | Unread:
    def request(client: Any) -> tuple[Resource, ...]:
        found = pages(client, "list_profile_resource_associations", "ProfileResourceAssociations", ProfileId=profile.id)
        return tuple(_resource(each) for each in found if each.get("Status") not in _WITHOUT_EFFECT)

    action = "route53profiles:ListProfileResourceAssociations"
    found = resolver.call(reader, place, action, request)
    return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found


def _resource(found: Mapping[str, Any]) -> Resource:
    """Return a resource. The ARN of a hosted zone names no account: it is that of the association."""
    arn = Arn.parse(found["ResourceArn"])
    kind, _, name = (arn.resource if arn else clean_line(found["ResourceArn"])).partition("/")
    priority = 0
    if kind == _GROUP:
        priority = int(json.loads(found["ResourceProperties"])["priority"])
    return Resource(kind[:_LONGEST_KIND], name, (arn.account if arn else "") or found.get("OwnerId", ""), priority)


def rule_groups(held: Sequence[Held], associated: Associations | Unread) -> Associations | Unread:
    """Return the DNS Firewall rule groups of the VPC and of its Profiles, in the order in which they apply.

    The lowest priority comes first (Developer Guide, "Associate DNS Firewall rule groups to a Route 53 Profile").
    Inference: that is one order for the VPC's own and the Profile's, and of the same priority the VPC's comes first.
    """
    if isinstance(associated, Unread):
        return associated
    unread = next((each.resources for each in held if isinstance(each.resources, Unread)), None)
    if unread is not None:
        return unread
    brought = [
        {"FirewallRuleGroupId": group.id, "Priority": group.priority, "Account": group.account}
        for each in held
        for group in each.of(_GROUP)
    ]
    return sorted((*associated, *brought), key=lambda each: each["Priority"])


def read_brought(
    reader: Reader,
    place: VpcPlace,
    profiles: tuple[Profile, ...] | Unread,
    held: Sequence[Held],
    ahead: Callable[[HostedZone], None],
) -> Brought:
    """Return the zones and rules that the Profiles bring, those of its endpoints among them."""
    if isinstance(profiles, Unread) or not held:
        return Brought(profiles)
    each = reader.each(lambda one: _brought(reader, place, one, ahead), held)
    return Brought(
        tuple(profile for profile, _, _ in each),
        tuple(zone for _, zones, _ in each for zone in zones),
        tuple(rule for _, _, rules in each for rule in rules),
    )


def _brought(
    reader: Reader, place: VpcPlace, held: Held, ahead: Callable[[HostedZone], None]
) -> tuple[Profile, tuple[HostedZone, ...], tuple[ResolverRule | Unread, ...]]:
    if isinstance(held.resources, Unread):
        return replace(held.profile, gap=held.resources.reason), (), ()
    reads: list[Callable[[], Any]] = [
        lambda: _zones(reader, place, held, ahead),
        lambda: _rules(reader, place, held),
    ]
    (zones, gaps), rules = reader.each(lambda read: read(), reads)
    unknown = dict.fromkeys(each.kind for each in held.resources if each.kind not in _KINDS)
    gaps = (*gaps, *(Reason(f"it holds a resource of a kind that is not known here: {kind}") for kind in unknown))
    return replace(held.profile, gap=join_reasons(dict.fromkeys(gaps))), zones, rules


def _zones(
    reader: Reader, place: VpcPlace, held: Held, ahead: Callable[[HostedZone], None]
) -> tuple[tuple[HostedZone, ...], tuple[str, ...]]:
    """Return the zones of a Profile and of its endpoints, with what of them is not known."""
    few, gaps = _few(reader, place, held.of(_ZONE))
    named = _by_owner(held.of(_ENDPOINT))

    def read_zone(resource: Resource) -> tuple[HostedZone, ...] | Unread:
        zone = vpc_dns.read_zone_by_id(reader, place, resource.id, resource.account)
        return zone if isinstance(zone, Unread) else start((zone,))

    def read_endpoints(owner: str) -> tuple[HostedZone, ...] | Unread:
        where = replace(place, account=owner or place.account)
        found = endpoints.read_named_endpoints(reader, where, tuple(each.id for each in named[owner]))
        if isinstance(found, Unread):
            return found
        return start(zone for each in found for zone in zones_of_endpoint(each, owner, place.region))

    def start(zones: Iterable[HostedZone]) -> tuple[HostedZone, ...]:
        found = tuple(replace(each, profile=held.profile.id) for each in zones)
        for each in found:
            ahead(each)
        return found

    reads = [*(partial(read_zone, each) for each in few), *(partial(read_endpoints, owner) for owner in named)]
    answers = reader.each(lambda read: read(), reads)
    zones = tuple(zone for answer in answers if not isinstance(answer, Unread) for zone in answer)
    if any(len(each) > endpoints.MOST_NAMED for each in named.values()):
        gaps = (*gaps, Reason(f"it holds more than {endpoints.MOST_NAMED} endpoints of one account"))
    return zones, (*gaps, *(answer.reason for answer in answers if isinstance(answer, Unread)))


def _rules(reader: Reader, place: VpcPlace, held: Held) -> tuple[ResolverRule | Unread, ...]:
    """Return the rules of a Profile. Many of one account are listed, a few are read one by one."""

    def read(resource: Resource) -> ResolverRule | Unread:
        return resolver.read_rule(reader, _where(resource, place), resource.id)

    def listed(owner: str) -> list[ResolverRule | Unread]:
        if len(named[owner]) <= _FEW_RULES:
            return reader.each(read, named[owner])
        found = resolver.read_rules(reader, replace(place, account=owner or place.account))
        if isinstance(found, Unread):
            return [found]
        lacking = Unread(Reason("route53resolver:ListResolverRules does not list all rules of the Profile", AGAIN))
        return [found.get(each.id, lacking) for each in named[owner]]

    named = _by_owner(held.of(_RULE))
    rules = (rule for each in reader.each(listed, list(named)) for rule in each)
    return tuple(rule if isinstance(rule, Unread) else replace(rule, profile=held.profile.id) for rule in rules)


def _by_owner(resources: tuple[Resource, ...]) -> dict[str, list[Resource]]:
    owners = dict.fromkeys(each.account for each in resources)
    return {owner: [each for each in resources if each.account == owner] for owner in owners}


def _where(resource: Resource, place: VpcPlace) -> VpcPlace:
    """Return where a resource is read: in the account that owns it."""
    return replace(place, account=resource.account or place.account)


def _few(reader: Reader, place: VpcPlace, zones: tuple[Resource, ...]) -> tuple[tuple[Resource, ...], tuple[str, ...]]:
    """Return the zones that may answer for names of AWS, with what is not known of them. Of few zones, all."""
    if len(zones) <= _FEW_ZONES:
        return zones, ()
    owners = list(dict.fromkeys(each.account for each in zones))
    listed = reader.each(lambda owner: vpc_dns.read_zone_names(reader, place, owner), owners)
    names = {key: name for each in listed if not isinstance(each, Unread) for key, name in each.items()}
    gaps = tuple(each.reason for each in listed if isinstance(each, Unread))
    found = tuple(each for each in zones if may_answer(names.get(each.id, "")))
    if len(found) <= _FEW_ZONES:
        return found, gaps
    more = Reason(f"it holds {len(found)} hosted zones that may answer, of which {_FEW_ZONES} were read")
    return found[:_FEW_ZONES], (*gaps, more)
