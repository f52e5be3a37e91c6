"""Policies and rule groups for moto 5.2.5's Network Firewall, which has firewalls alone, without endpoints.

Each subnet of a firewall gets an endpoint in EC2, which the firewall's status shows. Source of the shapes: botocore's
model of the service.
"""
# ruff: noqa: ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

from importlib import import_module
from typing import Any

_APPLIED = "_serves_policies"
_WORDS = {"FirewallPolicy": "firewall_policy", "RuleGroup": "rule_group"}


def apply() -> None:
    """Patch moto in this process. Call it before moto's server starts; a second time changes nothing."""
    responses: Any = import_module("moto.networkfirewall.responses").NetworkFirewallResponse
    if getattr(responses, _APPLIED, False):
        return
    result: Any = import_module("moto.core.responses").ActionResult
    for name in _WORDS:
        _keep(responses, result, name)
    stock = responses.describe_firewall

    def describe(self: Any) -> Any:
        answer = stock(self)
        firewall = answer.result["Firewall"]
        subnets = [each["SubnetId"] for each in firewall["SubnetMappings"]]
        states = {
            f"zone-{number}": {
                "Attachment": {
                    "SubnetId": subnet,
                    "EndpointId": _endpoint(self, firewall["VpcId"], subnet),
                    "Status": "READY",
                }
            }
            for number, subnet in enumerate(subnets)
        }
        status = {"Status": "READY", "ConfigurationSyncStateSummary": "IN_SYNC", "SyncStates": states}
        answer.result["FirewallStatus"] = status
        return answer

    responses.describe_firewall = describe
    setattr(responses, _APPLIED, True)


def _endpoint(response: Any, vpc_id: str, subnet_id: str) -> str:
    """Return the id of the firewall's endpoint in a subnet, which is made when it is first asked for."""
    ec2 = import_module("moto.backends").get_backend("ec2")[response.current_account][response.region]
    kind = "GatewayLoadBalancer"
    for endpoint in ec2.vpc_end_points.values():
        if endpoint.vpc_endpoint_type == kind and endpoint.subnet_ids == [subnet_id]:
            return str(endpoint.id)
    service = f"com.amazonaws.vpce.{response.region}.vpce-svc-0f1f2f3f4f5f6f7f8"
    return str(ec2.create_vpc_endpoint(vpc_id, service, kind, None, [], subnet_ids=[subnet_id]).id)


def _keep(responses: Any, result: Any, name: str) -> None:
    word = _WORDS[name]

    def kept(self: Any) -> dict[str, Any]:
        backend = self.networkfirewall_backend
        if not hasattr(backend, word):
            setattr(backend, word, {})
        found: dict[str, Any] = getattr(backend, word)
        return found

    def create(self: Any) -> Any:
        named, of_type = self._get_param(f"{name}Name"), self._get_param("Type")
        kind = f"{of_type.lower()}-rulegroup" if of_type else "firewall-policy"
        arn = f"arn:aws:network-firewall:{self.region}:{self.current_account}:{kind}/{named}"
        kept(self)[arn] = self._get_param(name)
        return result({f"{name}Response": {f"{name}Arn": arn, f"{name}Name": named}, "UpdateToken": "1"})

    def update(self: Any) -> Any:
        arn = self._get_param(f"{name}Arn")
        kept(self)[arn] = self._get_param(name)
        return result({f"{name}Response": {f"{name}Arn": arn}, "UpdateToken": "2"})

    def describe(self: Any) -> Any:
        arn = self._get_param(f"{name}Arn")
        answer = {f"{name}Arn": arn, f"{name}Name": arn.rpartition("/")[2]}
        return result({f"{name}Response": answer, name: kept(self)[arn], "UpdateToken": "1"})

    def listing(self: Any) -> Any:
        found = [{"Arn": arn, "Name": arn.rpartition("/")[2]} for arn in kept(self)]
        return result({{"FirewallPolicy": "FirewallPolicies", "RuleGroup": "RuleGroups"}[name]: found})

    plural = {"firewall_policy": "firewall_policies", "rule_group": "rule_groups"}[word]
    setattr(responses, f"list_{plural}", listing)
    setattr(responses, f"create_{word}", create)
    setattr(responses, f"update_{word}", update)
    setattr(responses, f"describe_{word}", describe)
