"""Route 53 Profiles for moto 5.2.5, and Profiles and Resolver rules for ministack 1.5.33, which lack them.

ministack has no rules of DNS Firewall, and says so.

Only what a diagnosis reads and what a test sets up: the associations of VPCs and of resources with a Profile, and the
rules with their domains and targets.
Source of the shapes: botocore's models of both services.
"""
# ruff: noqa: ANN401 -- neither emulator has types for any of this

from __future__ import annotations

import json
import re
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping

_SCOPE = re.compile(r"Credential=[^/]+/[^/]+/([^/]+)/([^/]+)/")
_APPLIED = "_serves_profiles"
# Of moto, by region.
_ASSOCIATIONS: Final[dict[str, dict[str, Any]]] = {}
_Answer = tuple[int, dict[str, Any]]


def apply_to_moto() -> None:
    """Serve Profiles of this process's moto, over HTTP and without. Call it before moto's server starts.

    A second time changes nothing.
    """
    dispatcher: Any = import_module("moto.moto_server.werkzeug_app").DomainDispatcherApplication
    stubber: Any = import_module("moto.core.botocore_stubber").BotocoreStubber
    if getattr(dispatcher, _APPLIED, False):
        return
    get_stock_application, process_stock_request = dispatcher.get_application, stubber.process_request

    def answer(region: str, method: str, path: str, query: str, body: bytes) -> _Answer:
        named = {key: values[0] for key, values in parse_qs(query).items()}
        return _profiles(_ASSOCIATIONS.setdefault(region, {}), method, path, named, body)

    def get_application(self: Any, environ: dict[str, Any]) -> Any:
        region = _region_of(environ.get("HTTP_AUTHORIZATION", ""))
        if region is None:
            return get_stock_application(self, environ)

        def serve(asked: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            body = asked["wsgi.input"].read(int(asked.get("CONTENT_LENGTH") or 0))
            status, given = answer(
                region, asked["REQUEST_METHOD"], asked["PATH_INFO"], asked.get("QUERY_STRING", ""), body
            )
            start_response(f"{status} -", [("Content-Type", "application/json")])
            return [json.dumps(given).encode()]

        return serve

    def process_request(self: Any, request: Any) -> Any:
        header = request.headers.get("Authorization") or ""
        region = _region_of(header.decode() if isinstance(header, bytes) else header)
        if region is None:
            return process_stock_request(self, request)
        url = urlsplit(request.url)
        return _reply(*answer(region, request.method, url.path, url.query, request.body or b""))

    dispatcher.get_application = get_application
    stubber.process_request = process_request
    setattr(dispatcher, _APPLIED, True)


def forget() -> None:
    """Delete all associations of Profiles of this process's moto."""
    _ASSOCIATIONS.clear()


def _region_of(authorization: str) -> str | None:
    """Return the region of a request that is signed for Route 53 Profiles, None for any other."""
    scope = _SCOPE.search(authorization)
    return scope[1] if scope and scope[2] == "route53profiles" else None


def apply_to_ministack() -> None:
    """Serve Profiles and Resolver rules. Call it before ministack's server starts."""
    app: Any = import_module("ministack.app")
    responses: Any = import_module("ministack.core.responses")
    profiles, rules = responses.AccountRegionScopedDict(), responses.AccountRegionScopedDict()

    async def serve_profiles(method: str, path: str, _: Any, body: bytes, query: Any) -> Any:
        named = {key: values[0] if isinstance(values, list) else values for key, values in query.items()}
        return _reply(*_profiles(profiles, method, path, named, body))

    async def serve_rules(_: str, __: str, headers: Any, body: bytes, ___: Any) -> Any:
        return _reply(*_rules(rules, headers.get("x-amz-target", "").rpartition(".")[2], json.loads(body or b"{}")))

    app.SERVICE_HANDLERS |= {"route53profiles": serve_profiles, "route53resolver": serve_rules}


def _profiles(kept: MutableMapping[str, Any], method: str, path: str, query: dict[str, str], body: bytes) -> _Answer:
    if method == "GET" and path == "/profileassociations":
        associated = [each for each in kept.values() if "ResourceId" in each]
        found = [each for each in associated if each["ResourceId"] == query.get("resourceId", each["ResourceId"])]
        return 200, {"ProfileAssociations": found}
    if method == "POST" and path == "/profileassociation":
        asked = json.loads(body)
        association = {key: asked[key] for key in ("Name", "ProfileId", "ResourceId")}
        association |= {"Id": f"rpassoc-{len(kept) + 1:08x}", "Status": "COMPLETE"}
        kept[association["Id"]] = association
        return 200, {"ProfileAssociation": association}
    if method == "POST" and path == "/profileresourceassociation":
        asked = json.loads(body)
        held = {key: asked[key] for key in ("Name", "ProfileId", "ResourceArn", "ResourceProperties") if key in asked}
        held |= {"Id": f"rpr-{len(kept) + 1:08x}", "Status": "COMPLETE", "OwnerId": _owner_of(asked["ResourceArn"])}
        kept[held["Id"]] = held
        return 200, {"ProfileResourceAssociation": held}
    if method == "GET" and path.startswith("/profileresourceassociations/profileid/"):
        profile = path.rpartition("/")[2]
        found = [each for each in kept.values() if "ResourceArn" in each and each["ProfileId"] == profile]
        return 200, {"ProfileResourceAssociations": found}
    return 404, {"__type": "ResourceNotFoundException", "Message": path}


def _owner_of(arn: str) -> str:
    """Return the account of a resource: that in its ARN. That of a hosted zone has none, so moto is asked."""
    account = arn.split(":")[4]
    if account or "moto.backends" not in sys.modules:
        return account
    zone = arn.rpartition("/")[2]
    accounts: Any = import_module("moto.backends").get_backend("route53")
    return next((each for each, regions in accounts.items() for own in regions.values() if zone in own.zones), "")


def _rules(kept: MutableMapping[str, Any], operation: str, asked: dict[str, Any]) -> _Answer:
    if operation == "CreateResolverRule":
        rule: dict[str, Any] = {
            key: asked[key] for key in ("DomainName", "RuleType", "TargetIps", "Name") if key in asked
        }
        rule["Id"] = f"rslvr-rr-{len(kept) + 1:017x}"
        kept[rule["Id"]] = rule
        return 200, {"ResolverRule": rule}
    if operation == "AssociateResolverRule":
        association = {"Id": f"rslvr-rrassoc-{len(kept) + 1:017x}", "Status": "COMPLETE"}
        association |= {key: asked[key] for key in ("ResolverRuleId", "VPCId")}
        kept[association["Id"]] = association
        return 200, {"ResolverRuleAssociation": association}
    listed: dict[str, dict[str, Any]] = {
        "ListFirewallRuleGroupAssociations": {"FirewallRuleGroupAssociations": []},
        "ListResolverRules": {"ResolverRules": [each for each in kept.values() if "RuleType" in each]},
    }
    if operation in listed:
        return 200, listed[operation]
    if operation == "GetResolverRule" and asked.get("ResolverRuleId") in kept:
        return 200, {"ResolverRule": kept[asked["ResolverRuleId"]]}
    if operation == "ListResolverRuleAssociations":
        vpcs = {value for each in asked.get("Filters", []) if each["Name"] == "VPCId" for value in each["Values"]}
        found = [each for each in kept.values() if "VPCId" in each and (not vpcs or each["VPCId"] in vpcs)]
        return 200, {"ResolverRuleAssociations": found}
    return 400, {"__type": "ResourceNotFoundException", "Message": operation}


def _reply(status: int, answer: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    return status, {"Content-Type": "application/json"}, json.dumps(answer).encode()
