"""DNS Firewall: a rule of the VPC that answers for a name of the registry, or lets it pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.network.enterprise import OUT, other
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.hub import HOST, diagnosed, dns_servers, of_manifest
from tests.integration.network.test_examples import NO_SUCH_HOST, show

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSE = "dns_firewall_blocks_registry"
REGISTRIES = f"*.dkr.ecr.{REGION}.amazonaws.com"
OTHERS = (f"api.ecr.{REGION}.amazonaws.com", f"*.s3.{REGION}.amazonaws.com")
Rule = tuple[str, tuple[str, ...] | list[str]]


def firewall(
    estate: NetworkEstate,
    *rules: Rule,
    priority: int = 101,
    associate: bool = True,
    owner: Any = None,  # noqa: ANN401 -- boto3's Resolver client
    **more: str,
) -> str:
    """A rule group with these rules, each an action and domains, in this order; associated with the VPC. Its id."""
    resolver = owner or estate.client("route53resolver")
    made = resolver.create_firewall_rule_group(CreatorRequestId="g", Name="egress")["FirewallRuleGroup"]
    group: str = made["Id"]
    for number, (action, domains) in enumerate(rules, 1):
        listed = resolver.create_firewall_domain_list(CreatorRequestId=str(number), Name=f"list-{number}")
        list_id = listed["FirewallDomainList"]["Id"]
        resolver.update_firewall_domains(FirewallDomainListId=list_id, Operation="ADD", Domains=list(domains))
        how = {"BlockResponse": "NXDOMAIN"} if action == "BLOCK" else {}
        resolver.create_firewall_rule(
            CreatorRequestId=str(number),
            FirewallRuleGroupId=group,
            FirewallDomainListId=list_id,
            Priority=number * 10,
            Action=action,
            Name=f"rule-{number}",
            **how,
            **more,
        )
    if associate:
        estate.client("route53resolver").associate_firewall_rule_group(
            CreatorRequestId="a", FirewallRuleGroupId=group, VpcId=estate.vpc, Priority=priority, Name="egress"
        )
    return group


BLOCKED: dict[str, tuple[tuple[Rule, ...], str]] = {
    "all names": ((("BLOCK", ["*"]),), "*"),
    "the registries": ((("BLOCK", [REGISTRIES]),), REGISTRIES),
    "this registry": ((("BLOCK", [HOST]),), HOST),
    "all but what is allowed, and the registry is not": ((("ALLOW", OTHERS), ("BLOCK", ["*"])), "*"),
}


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize("name", BLOCKED)
def test_a_rule_that_blocks(estate: NetworkEstate, name: str) -> None:
    rules, matched = BLOCKED[name]
    estate.behind_nat().node()
    group = firewall(estate, *rules)
    finding = only(estate.diagnose(), CAUSE)
    arn = f"arn:aws:route53resolver:{REGION}:{ACCOUNT}:firewall-rule-group/{group}"
    assert (finding.resource.id, finding.account) == (arn, ACCOUNT)
    assert f"blocks {HOST} with NXDOMAIN" in finding.explanation
    assert any(line.endswith(f"has {matched}") for line in finding.evidence)
    assert HOST in finding.remediation.summary


PASSED: dict[str, tuple[Rule, ...]] = {
    "the registry's names are allowed": (("ALLOW", (REGISTRIES, *OTHERS)), ("BLOCK", ["*"])),
    "an alert lets them pass": (("ALERT", ["*"]), ("BLOCK", ["*"])),
    "other names are blocked": (("BLOCK", ["*.example.com", f"dkr.ecr.{REGION}.amazonaws.com"]),),
    "another region's registries": (("BLOCK", ["*.dkr.ecr.eu-west-1.amazonaws.com"]),),
}


@pytest.mark.cause(CAUSE, "passes")
@pytest.mark.cause(CAUSE, "near_miss")
@pytest.mark.parametrize("name", PASSED)
def test_a_rule_that_lets_the_names_pass(estate: NetworkEstate, name: str) -> None:
    estate.behind_nat().node()
    firewall(estate, *PASSED[name])
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    assert CAUSE in diagnosis.passed


def test_the_group_of_the_lower_priority_comes_first(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    firewall(estate, ("BLOCK", ["*"]), priority=200)
    firewall(estate, ("ALLOW", ["*"]), priority=150)
    assert causes(estate.diagnose()) == []


def test_a_list_of_aws_itself_is_no_reason_to_doubt(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    group = firewall(estate, ("ALLOW", [REGISTRIES]))
    estate.client("route53resolver").create_firewall_rule(
        CreatorRequestId="m",
        FirewallRuleGroupId=group,
        FirewallDomainListId="rslvr-fdl-managed",
        Priority=5,
        Action="BLOCK",
        BlockResponse="NODATA",
        Name="malware",
    )
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    assert CAUSE in diagnosis.passed


@pytest.mark.parametrize("query_type", ["AAAA", "28", "TYPE28"])
def test_a_rule_for_other_types_of_query_is_not_asked(estate: NetworkEstate, query_type: str) -> None:
    estate.behind_nat().node()
    firewall(estate, ("BLOCK", ["*"]), Qtype=query_type)
    assert CAUSE not in causes(estate.diagnose())


def test_dns_servers_of_ones_own_are_not_filtered(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    firewall(estate, ("BLOCK", ["*"]))
    dns_servers(estate, "10.0.0.53")
    assert CAUSE not in causes(estate.diagnose())


def test_what_a_cname_leads_to_may_be_what_is_blocked(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    firewall(estate, ("ALLOW", (REGISTRIES, *OTHERS)), ("BLOCK", ["*"]))
    diagnosis = diagnosed(estate, of_manifest(estate, f"dial tcp: lookup {HOST} on 10.0.0.2:53: no such host"))
    assert causes(diagnosis) == []
    reason = {each.cause: each.reason for each in diagnosis.inconclusive}[CAUSE]
    assert "it also looks at the names to which a CNAME" in reason


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize(
    "action",
    ["ListFirewallRuleGroupAssociations", "ListFirewallRules", "ListFirewallDomains"],
)
def test_rules_that_cannot_be_read_are_open_by_the_action(estate: NetworkEstate, action: str) -> None:
    estate.behind_nat().node()
    firewall(estate, ("BLOCK", ["*"]))
    diagnosis = estate.diagnose(denied=[f"route53resolver:{action}"])
    assert causes(diagnosis) == []
    assert f"route53resolver:{action}" in opened(diagnosis)[CAUSE]


def test_a_rule_group_that_another_account_shares_is_that_accounts(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    owner = other(OUT, estate.endpoint)
    group = firewall(estate, ("BLOCK", ["*"]), owner=owner.client("route53resolver"))
    finding = only(estate.diagnose(), CAUSE)
    arn = f"arn:aws:route53resolver:{REGION}:{OUT}:firewall-rule-group/{group}"
    assert (finding.resource.id, finding.account, finding.remediation.account) == (arn, OUT, OUT)
    # Its lists are not shared with it.
    unread = estate.diagnose(denied=["route53resolver:GetFirewallRuleGroup"])
    assert causes(unread) == []
    assert "route53resolver:ListFirewallDomains" in opened(unread)[CAUSE]


def test_the_page(estate: NetworkEstate, example: Callable[..., None]) -> None:
    estate.behind_nat().node()
    firewall(estate, ("ALLOW", OTHERS), ("BLOCK", ["*"]))
    show(example, estate, NO_SUCH_HOST, CAUSE)
