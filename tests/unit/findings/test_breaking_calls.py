"""Which calls can have brought a finding about: they exist, they change things, and they name the resource at fault."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.session import get_session

from pull_responder.checks import BY_ID
from pull_responder.events.change import Change
from pull_responder.findings.breaking_calls import _OF_KIND, BREAKING_CALLS, suspects_of
from pull_responder.model.verdict import Remediation
from tests.unit.findings.test_concern import finding

ACCOUNT = "111111111111"
ECR, EC2 = f"arn:aws:ecr:eu-west-1:{ACCOUNT}", f"arn:aws:ec2:eu-west-1:{ACCOUNT}"
FIREWALL = f"arn:aws:network-firewall:eu-west-1:{ACCOUNT}"
DNS = f"arn:aws:route53resolver:eu-west-1:{ACCOUNT}"
TABLE = "rtb-0123456789abcdef0"
SERVICES = ("ec2", "ecr", "iam", "kms", "network-firewall", "organizations", "route53resolver")


def test_every_cause_is_known() -> None:
    assert BREAKING_CALLS.keys() <= BY_ID.keys()
    assert {cause for cause, _ in _OF_KIND} <= BREAKING_CALLS.keys()


def test_every_call_is_one_of_aws() -> None:
    session = get_session()
    calls = {name for service in SERVICES for name in session.get_service_model(service).operation_names}

    known = [call for each in (*BREAKING_CALLS.values(), *_OF_KIND.values()) for call in each]
    assert set(known) <= calls
    assert not [call for call in known if call.startswith(("Get", "List", "Describe"))]


def change(service: str, name: str, *words: str, account: str = ACCOUNT, region: str = "eu-west-1") -> Change:
    return Change(service, name, account, region, words=frozenset(words), by="arn", at="2026-03-01T12:00:00Z")


@pytest.mark.parametrize(
    ("cause", "resource", "made"),
    [
        (
            "role_lacks_pull_permissions",
            "arn:aws:iam::111111111111:role/team/nodes",
            change("iam", "DetachRolePolicy", "nodes", region="us-east-1"),
        ),
        ("nat_gateway_unavailable", f"{EC2}:natgateway/nat-01", change("ec2", "DeleteNatGateway", "nat-01")),
        ("no_route_to_ecr", f"{EC2}:subnet/subnet-01", change("ec2", "DeleteRoute", TABLE)),
        ("repository_not_found", f"{ECR}:repository/app", change("ecr", "DeleteRepository", "app")),
        ("image_not_found", f"{ECR}:repository/app:1", change("ecr", "BatchDeleteImage", "app", "1")),
        ("registry_policy_denies_pull", f"{ECR}:repository/app", change("ecr", "PutRegistryPolicy")),
        ("repository_key_unusable", "arn:aws:kms:eu-west-1:111111111111:key/k-1", change("kms", "DisableKey", "k-1")),
        (
            "transit_gateway_blocks_traffic",
            f"{EC2}:transit-gateway-route-table/tgw-rtb-01",
            change("ec2", "DisableTransitGatewayRouteTablePropagation", "tgw-rtb-01", "tgw-attach-02"),
        ),
        (
            "transit_gateway_blocks_traffic",
            f"{EC2}:transit-gateway-attachment/tgw-attach-01",
            change("ec2", "DisassociateTransitGatewayRouteTable", "tgw-rtb-02", "tgw-attach-01"),
        ),
        (
            "peering_cannot_carry_traffic",
            f"{EC2}:vpc-peering-connection/pcx-01",
            change("ec2", "CreateRoute", "rtb-09", "pcx-01"),
        ),
        (
            "network_firewall_blocks_registry",
            f"{FIREWALL}:stateful-rulegroup/egress",
            change("network-firewall", "UpdateRuleGroup", "egress"),
        ),
        (
            "network_firewall_blocks_registry",
            f"{FIREWALL}:firewall-policy/central",
            change("network-firewall", "UpdateFirewallPolicy", f"{FIREWALL}:firewall-policy/central", "central"),
        ),
        (
            "dns_firewall_blocks_registry",
            f"{DNS}:firewall-rule-group/rslvr-frg-01",
            change("route53resolver", "CreateFirewallRule", "rslvr-frg-01", "rslvr-fdl-09"),
        ),
        (
            "scp_blocks_pull",
            "arn:aws:organizations::111111111111:policy/o-1/service_control_policy/p-01",
            change("organizations", "UpdatePolicy", "p-01", region="us-east-1"),
        ),
    ],
)
def test_a_call_counts_if_it_names_the_resource_at_fault(cause: str, resource: str, made: Change) -> None:
    fix = Remediation("Add a route.", ACCOUNT, "eu-west-1", "", (("aws", "--route-table-id", TABLE),))
    found = finding(cause, "Other", resource)
    found = replace(found, remediation=fix, pull=replace(found.pull, repository="app"))
    suspects = suspects_of(found)

    assert suspects
    assert suspects.has(made)
    assert not suspects.has(replace(made, account="222222222222"))
    assert not suspects.has(replace(made, name="TagResource"))
    assert not suspects.has(replace(made, service="sqs"))
    if cause != "registry_policy_denies_pull":
        assert not suspects.has(replace(made, words=frozenset({"another"})))
    if made.service not in ("iam", "organizations"):
        assert not suspects.has(replace(made, region="eu-west-2"))


def test_what_breaks_a_table_of_a_transit_gateway_does_not_break_an_attachment() -> None:
    table = finding("transit_gateway_blocks_traffic", "Other", f"{EC2}:transit-gateway-route-table/tgw-rtb-01")
    attachment = finding("transit_gateway_blocks_traffic", "Other", f"{EC2}:transit-gateway-attachment/tgw-attach-01")
    made = change("ec2", "DeleteTransitGatewayRoute", "tgw-rtb-01", "tgw-attach-01")
    of_table, of_attachment = suspects_of(table), suspects_of(attachment)
    assert of_table
    assert of_attachment
    assert of_table.has(made)
    assert not of_attachment.has(made)
    assert of_attachment.has(replace(made, name="ModifyTransitGatewayVpcAttachment"))


def test_a_domain_list_counts_as_a_part_of_its_rule_group_if_the_evidence_names_it() -> None:
    found = finding("dns_firewall_blocks_registry", "Other", f"{DNS}:firewall-rule-group/rslvr-frg-01")
    found = replace(found, evidence=("rule 10 of rslvr-frg-01 (BLOCK NXDOMAIN, rslvr-fdl-0a) has *",))
    suspects = suspects_of(found)
    assert suspects
    assert suspects.has(change("route53resolver", "UpdateFirewallDomains", "rslvr-fdl-0a", "example.com"))
    assert not suspects.has(change("route53resolver", "UpdateFirewallDomains", "rslvr-fdl-0b", "example.com"))


def test_the_region_is_that_of_the_resource_and_not_of_the_pull() -> None:
    found = finding("nat_gateway_unavailable", "Other", f"{EC2}:natgateway/nat-01")
    suspects = suspects_of(replace(found, region="eu-central-1"))
    assert suspects
    assert suspects.has(change("ec2", "DeleteNatGateway", "nat-01"))
    assert not suspects.has(change("ec2", "DeleteNatGateway", "nat-01", region="eu-central-1"))


@pytest.mark.parametrize("repository", ["team/app", None])
def test_an_image_is_looked_for_by_its_repository_and_its_tag(repository: str | None) -> None:
    of = f"{ECR}:repository/team/app"
    found = finding("image_not_found", "Other", f"{of}:XL" if repository else of)
    suspects = suspects_of(replace(found, pull=replace(found.pull, repository=repository)))
    assert suspects
    assert suspects.arn == of
    assert suspects.has(change("ecr", "BatchDeleteImage", "team/app", "XL"))
    assert suspects.has(change("ecr", "BatchDeleteImage", of, "XL"))
    assert not suspects.has(change("ecr", "BatchDeleteImage", "app", "XL"))
    assert suspects.has(change("ecr", "BatchDeleteImage", "team/app", "L")) is (repository is None)


def test_a_registrys_policy_has_no_name_to_look_for() -> None:
    suspects = suspects_of(finding("registry_policy_denies_pull", "Other", f"{ECR}:repository/app"))
    assert suspects
    assert (suspects.arn, suspects.names) == ("", ())


def test_the_deletion_of_another_image_of_the_repository_does_not_count() -> None:
    found = finding("image_not_found", "Other", f"{ECR}:repository/app:1")
    suspects = suspects_of(replace(found, pull=replace(found.pull, repository="app")))

    assert suspects
    assert not suspects.has(change("ecr", "BatchDeleteImage", "app", "2"))


@pytest.mark.parametrize(
    ("cause", "resource"),
    [
        ("node_disk_full", f"{EC2}:instance/i-01"),
        ("scp_blocks_pull", "AWS::::Account:111111111111"),
        ("a_cause_of_tomorrow", "arn:aws:iam::111111111111:role/nodes"),
        ("image_not_found", f"{ECR}:repository/other:1"),
    ],
)
def test_what_no_call_on_the_resource_can_bring_about_is_not_asked(cause: str, resource: str) -> None:
    found = finding(cause, "Other", resource)
    assert suspects_of(replace(found, pull=replace(found.pull, repository="app"))) is None
