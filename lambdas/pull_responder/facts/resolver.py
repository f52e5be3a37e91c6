"""What decides who answers a name in a VPC besides its private hosted zones: Resolver rules and Route 53 Profiles.

ListHostedZonesByVPC does not list the hosted zones that come by a Profile (Amazon Route 53 API Reference,
ListHostedZonesByVPC).
"""
# ruff: noqa: ANN401 -- the clients of these services have no type stubs among the pinned ones

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, EndpointConnectionError

from pull_responder.facts.paging import pages
from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.resolver import Profile, ResolverRule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace

T = TypeVar("T")

PERMISSIONS: Final = (
    "route53profiles:ListProfileAssociations",
    "route53resolver:GetResolverRule",
    "route53resolver:ListResolverRuleAssociations",
    "route53resolver:ListResolverRules",
)

# An association in one of these states has no effect (API references, ResolverRuleAssociation and ProfileAssociation).
_WITHOUT_EFFECT: Final = {"DELETING", "DELETED", "FAILED"}
_DNS: Final = 53
# Resolver's own rules, which every VPC has. They keep questions with Amazon's DNS server (Developer Guide, "Domain
# names that VPC Resolver creates autodefined system rules for").
_AUTODEFINED: Final = "rslvr-autodefined-"
# What urllib3 and the socket library raise where a name does not resolve.
_NO_SUCH_NAME: Final = ("NameResolutionError", "gaierror")
# What an API says that has none of these operations.
_NOT_SERVED: Final = {"UnknownOperationException", "UnknownOperation"}
# What emulators answer for a service that they lack. AWS names its errors: from AWS these mean that the read failed.
_NOT_EMULATED: Final = {"400", "404", "405", "500", "501"}
_OF_AWS: Final = (*(f".{each}" for each in DNS_SUFFIXES.values()), ".api.aws", ".api.amazonwebservices.com.cn")


def read_profiles(reader: Reader, place: VpcPlace) -> tuple[Profile, ...] | Unread:
    """Return the Profiles associated with the VPC; none where the service is not offered in its region."""

    def request(client: Any) -> tuple[Profile, ...]:
        found = pages(client, "list_profile_associations", "ProfileAssociations", ResourceId=place.vpc_id)
        return tuple(
            Profile(each["ProfileId"], each.get("Name", ""))
            for each in found
            if "ProfileId" in each
            and each.get("ResourceId", place.vpc_id) == place.vpc_id
            and each.get("Status") not in _WITHOUT_EFFECT
        )

    return call(reader, place, "route53profiles:ListProfileAssociations", request) or ()


def read_associated_rules(reader: Reader, place: VpcPlace) -> tuple[str, ...] | Unread:
    """Return the ids of the Resolver rules associated with the VPC; none where the service is not offered."""

    def request(client: Any) -> tuple[str, ...]:
        filters = [{"Name": "VPCId", "Values": [place.vpc_id]}]
        found = pages(client, "list_resolver_rule_associations", "ResolverRuleAssociations", Filters=filters)
        in_effect = (each.get("ResolverRuleId", "") for each in found if each.get("Status") not in _WITHOUT_EFFECT)
        return tuple(rule for rule in in_effect if rule and not rule.startswith(_AUTODEFINED))

    return call(reader, place, "route53resolver:ListResolverRuleAssociations", request) or ()


def read_rules(reader: Reader, place: VpcPlace) -> Mapping[str, ResolverRule] | Unread:
    """Return the account's Resolver rules by id, with those that other accounts share with it."""

    def request(client: Any) -> dict[str, ResolverRule]:
        found = pages(client, "list_resolver_rules", "ResolverRules")
        return {each["Id"]: _rule(each) for each in found if "Id" in each}

    return call(reader, place, "route53resolver:ListResolverRules", request) or {}


def read_rule(reader: Reader, place: VpcPlace, rule_id: str) -> ResolverRule | Unread:
    """Return a rule that ListResolverRules did not list."""

    def request(client: Any) -> ResolverRule:
        return _rule(client.get_resolver_rule(ResolverRuleId=rule_id)["ResolverRule"])

    action = "route53resolver:GetResolverRule"
    found = reader.call(action, account=place.account, region=place.region, request=request)
    if found is None or isinstance(found, Unread):
        return found or Unread(Reason(f"{action} gave no answer", AGAIN))
    return (
        found
        if found.type
        else Unread(
            Reason(
                f"{action} tells neither type nor domain of {rule_id}",
                f"Open Resolver rule {rule_id} in the Route 53 console, and see for which domain it answers.",
            )
        )
    )


def _rule(found: Mapping[str, Any]) -> ResolverRule:
    targets = found.get("TargetIps") or []
    return ResolverRule(
        id=found.get("Id", ""),
        domain=found.get("DomainName", "").lower().strip("."),
        type=found.get("RuleType", ""),
        targets=tuple(filter(None, (each.get("Ip") or each.get("Ipv6") for each in targets))),
        endpoint_id=found.get("ResolverEndpointId") or "",
        owner=found.get("OwnerId") or "",
        plain=all(each.get("Port", _DNS) == _DNS and each.get("Protocol", "Do53") == "Do53" for each in targets),
    )


def _is_of_aws(client: Any) -> bool:
    return (urlsplit(client.meta.endpoint_url).hostname or "").endswith(_OF_AWS)


def _is_surely_none(reader: Reader, service: str, region: str, error: EndpointConnectionError) -> bool:
    """Return whether a region has no such service: the SDK knows the region without it, and the name does not resolve.

    Where the SDK is older than the region, or nothing answers at the endpoint, that is not known.
    """
    known = reader.aws.offers("ecr", region) and not reader.aws.offers(service, region)
    return known and type(error.kwargs.get("error")).__name__ in _NO_SUCH_NAME


def call(reader: Reader, place: VpcPlace, action: str, request: Callable[..., T]) -> T | Unread | None:
    """Make a read. None where nothing serves it in this region: then no VPC there can have any of it."""

    def tolerant(client: Any) -> T | None:
        try:
            return request(client)
        except EndpointConnectionError as error:
            if _is_surely_none(reader, action.partition(":")[0], place.region, error):
                return None
            raise
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code in _NOT_SERVED or (code in _NOT_EMULATED and not _is_of_aws(client)):
                return None
            raise

    return reader.call(action, account=place.account, region=place.region, request=tolerant)
