"""The three lines that an answer begins with, whatever is broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from rich.cells import cell_len

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check
from pull_responder.cli.headline import cause_line
from pull_responder.diagnosis import Undecided
from pull_responder.findings.finding import Finding
from pull_responder.model.verdict import Severity
from tests.first_lines import faults_of_answer, printed
from tests.unit.cli.answers import ACCOUNT, ATTACH, NODE, PULL, REGION, ROLE, cause, diagnosis, ec2, refused
from tests.unit.cli.test_hostile_text import HOSTILE
from tests.unit.publish.examples import findings

POD = f"Pod shop/web-0, image team/app:v1, node {NODE}, cluster prod"
WHERE = f"account {ACCOUNT}, {REGION}"
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app"
GROUP = ec2("security-group", "sg-0a1b2c3d4e5f60718")
TABLE = f"arn:aws:ec2:{REGION}:222222222222:transit-gateway-route-table/tgw-rtb-0a1b2c3d4e5f60718"
LONG = "In the transit gateway route table tgw-rtb-0a1b2c3d4e5f60718, add a route for 0.0.0.0/0 to its attachment."
OPEN_443 = ("aws", "ec2", "authorize-security-group-egress", "--group-id", "sg-0a1b2c3d4e5f60718")


@pytest.mark.parametrize(
    ("finding", "first", "second"),
    [
        (
            cause("role_lacks_pull_permissions", ROLE, commands=(ATTACH,)),
            "HIGH: The role does not allow the pull (role prod-node)",
            f"Run in {WHERE}: aws iam attach-role-policy --role-name prod-node --policy-arn arn:aws:iam::aws:policy/P",
        ),
        (
            cause("security_group_blocks_egress", GROUP, commands=(OPEN_443, OPEN_443)),
            "HIGH: Security groups block egress (security group sg-0a1b2c3d4e5f60718)",
            f"Run 1 of 2 in {WHERE}: {' '.join(OPEN_443)}",
        ),
        (
            cause("vpc_dns_disabled", ec2("vpc", "vpc-0a1b2c3d"), summary="Turn on DNS."),
            "HIGH: The VPC's DNS does not resolve the registry's names (vpc-0a1b2c3d)",
            f"By hand in {WHERE}: Turn on DNS.",
        ),
        (
            cause("nat_gateway_unavailable", ec2("natgateway", "nat-0a1b2c3d4e5f60718")),
            "HIGH: The NAT gateway is unavailable (NAT gateway nat-0a1b2c3d4e5f60718)",
            f"By hand in {WHERE}: Put it right.",
        ),
        (
            cause("vpc_endpoint_unavailable", ec2("vpc-endpoint", "vpce-0a1b2c3d")),
            "HIGH: A VPC endpoint on the way to the registry is not available (vpce-0a1b2c3d)",
            f"By hand in {WHERE}: Put it right.",
        ),
        (
            cause("no_route_to_ecr", ec2("subnet", "subnet-0a1b2c3d4e5f60718"), summary="Build a NAT gateway, " * 6),
            "HIGH: No route leads from the node to the registry (subnet-0a1b2c3d4e5f60718)",
            "By hand: Build a NAT gateway, Build a NAT gateway, Build a NAT gateway ...",
        ),
        (
            cause("repository_policy_denies_pull", REPOSITORY, summary="x" * 90, short="Take out the Deny."),
            "MEDIUM: The repository policy denies the pull (repository team/app)",
            f"By hand in {WHERE}: Take out the Deny.",
        ),
        (
            cause(
                "image_not_found", f"{REPOSITORY}:v1", summary="Use the tag v2 in the pod, or push team/app:v1 again."
            ),
            "LOW: The repository has no such image (image team/app:v1)",
            "By hand: Use the tag v2 in the pod, or push team/app:v1 again.",
        ),
        (
            cause("image_not_found", f"{REPOSITORY}/sha256:{'0a' * 32}"),
            "LOW: The repository has no such image (image team/app)",
            f"By hand in {WHERE}: Put it right.",
        ),
        (
            cause(
                "scp_blocks_pull",
                "arn:aws:organizations::333333333333:policy/o-a1b2c3d4e5/service_control_policy/p-1a2b3c4d",
                summary="In the service control policy p-1a2b3c4d, do not deny ecr:BatchGetImage.",
            ),
            "HIGH: A service control policy stops the pull (policy p-1a2b3c4d)",
            "In the service control policy p-1a2b3c4d, do not deny ecr:BatchGetImage.",
        ),
        (
            cause("node_group_unhealthy", f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/prod/workers/0a1b2c3d-aaaa"),
            "HIGH: Amazon EKS reports an issue (node group workers)",
            f"By hand in {WHERE}: Put it right.",
        ),
        (
            cause(
                "repository_key_unusable", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000001-aaaa-bbbb-cccc-ddddeeeeffff"
            ),
            "MEDIUM: The KMS key is unusable (key 00000001-aaaa-bbbb-cccc-ddddeeeeffff)",
            f"By hand in {WHERE}: Put it right.",
        ),
        (
            cause("role_lacks_pull_permissions", f"arn:aws:iam::{ACCOUNT}:role/{'a' * 30}-NodeInstanceRole-{'B' * 16}"),
            f"HIGH: The role does not allow the pull (role {'a' * 16}...{'B' * 15})",
            f"By hand in {WHERE}: Put it right.",
        ),
        (
            cause("proxy_blocks_pull", f"AWS::::Account:{ACCOUNT}"),
            f"HIGH: The node's HTTP proxy stops the pull (account {ACCOUNT})",
            f"By hand in {WHERE}: Put it right.",
        ),
    ],
    ids=lambda each: each.cause if isinstance(each, Finding) else "",
)
def test_the_first_three_lines(finding: Finding, first: str, second: str) -> None:
    if finding.resource.id.startswith("AWS::"):
        finding = replace(finding, resource=replace(finding.resource, type="AwsAccount"))
    answered = diagnosis(finding)
    assert printed(answered)[:3] == [first, second, POD]
    assert faults_of_answer(answered) == []


def test_the_worst_cause_comes_first_and_the_others_are_counted() -> None:
    low = cause("image_not_found", f"{REPOSITORY}:v1", summary="Push it.")
    medium = cause("repository_policy_denies_pull", REPOSITORY, commands=(("aws", "ecr", "x"), ("aws", "ecr", "y")))
    high = cause(
        "no_route_to_ecr", ec2("subnet", "subnet-0a1b2c3d"), commands=(("aws", "ec2", "z"), ("aws", "ec2", "w"))
    )
    lines = printed(diagnosis(low, medium, high))
    assert lines[:14] == [
        "HIGH: No route to the registry (subnet-0a1b2c3d), and 2 more causes",
        f"Run 1 of 2 in {WHERE}: aws ec2 z",
        POD,
        "Then       $ aws ec2 w",
        "",
        "MEDIUM: The repository policy denies the pull (repository team/app)",
        f"Run 1 of 2 in {WHERE}: aws ecr x",
        "Then       $ aws ecr y",
        "",
        "LOW: The repository has no such image (image team/app:v1)",
        f"By hand in {WHERE}: Push it.",
        "",
        "Cause      no_route_to_ecr: No route leads from the node to the registry",
        f"Broken     AwsEc2Subnet {ec2('subnet', 'subnet-0a1b2c3d')}",
    ]
    # The proof of each comes after what there is to do for all.
    assert [line for line in lines if line.startswith("Cause ")] == [
        "Cause      no_route_to_ecr: No route leads from the node to the registry",
        "Cause      repository_policy_denies_pull",
        "Cause      image_not_found",
    ]


def test_of_equal_causes_the_one_that_explains_the_symptom_comes_first() -> None:
    """A timeout is explained by the way; what the role lacks stops the next pull."""
    role = cause("role_lacks_pull_permissions", ROLE, commands=(ATTACH,))
    way = cause("no_route_to_ecr", ec2("subnet", "subnet-0a1b2c3d"))
    assert printed(diagnosis(role, way))[0] == "HIGH: No route to the registry (subnet-0a1b2c3d), and 1 more cause"
    denied = replace(PULL, symptom=PULL.symptom.ACCESS_DENIED)
    first = printed(diagnosis(way, role, pull=denied))[0]
    assert first == "HIGH: The role does not allow the pull (role prod-node), and 1 more cause"


@pytest.mark.parametrize(
    ("changed", "third"),
    [
        ({"pod": None, "namespace": None}, f"Pod not known, image team/app:v1, node {NODE}, cluster prod"),
        ({"pod": None, "node": None, "cluster": None}, "Pod not known, image team/app:v1, node not known"),
        (
            {"node": "ip-10-0-1-23.eu-west-1.compute.internal", "pod": "payments-api-7d4b9c5f6-x2x7q"},
            "Pod shop/payments-api-7d4b9c5f6-x2x7q, image team/app:v1, node ip-10-0-1-23",
        ),
        ({"tag": None, "digest": f"sha256:{'0a' * 32}"}, f"Pod shop/web-0, image team/app, node {NODE}, cluster prod"),
        (
            {"repository": "a/" * 40 + "app", "pod": "web-" + "x" * 60},
            f"Pod web-{'x' * 5}...{'x' * 9}, image a/a/a/a/a...a/a/a/app, node {NODE}",
        ),
        (
            {"repository": "app", "tag": None, "pod": "w", "node": "n", "cluster": None},
            f"Pod shop/w, image {ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app, node n",
        ),
    ],
)
def test_the_third_line_fits_by_leaving_out(changed: dict[str, str | None], third: str) -> None:
    pull = replace(PULL, **changed)  # type: ignore[arg-type]  # fields of a pull
    found = diagnosis(cause("vpc_dns_disabled", ec2("vpc", "vpc-0a1b2c3d")), pull=pull)
    assert printed(replace(found, puller=replace(found.puller, cluster=pull.cluster)))[2] == third
    assert cell_len(third) <= 80


def test_a_question_names_its_nodes_and_shortens_the_arn_of_a_role() -> None:
    nodes = f"nodes with the role {ROLE} of cluster prod"
    about: dict[str, Any] = {"asked": PULL.image, "nodes": nodes}
    found = diagnosis(cause("vpc_dns_disabled", ec2("vpc", "vpc-0a1b2c3d")))
    assert printed(found, **about)[2] == "Image team/app:v1 on nodes with the role prod-node of cluster prod"
    assert f"By         {nodes}" in printed(found, **about)
    assert printed(diagnosis(), **about) == [f"No fault found: {PULL.image} on {nodes}"]


def test_a_healthy_answer_is_one_line() -> None:
    known = f"image {PULL.image}, node {NODE}, cluster prod"
    assert printed(diagnosis()) == [f"No fault found: pod shop/web-0, {known}"]
    assert printed(diagnosis(note="It works now.")) == [f"No fault found: pod shop/web-0, {known}. It works now."]
    bare = replace(PULL, pod=None, namespace=None)
    assert printed(diagnosis(pull=bare, passed=("image_not_found",))) == [f"No fault found: {known}"]


def test_what_follows_a_healthy_answer_begins_as_a_sentence() -> None:
    line = printed(diagnosis(look_next="everything that can be read lets this pull through"))[0]
    assert line.endswith(". Everything that can be read lets this pull through")


def test_one_missing_permission_is_named_without_the_role_if_both_do_not_fit() -> None:
    opened = refused("network_firewall_blocks_registry", "network-firewall:DescribeFirewallPolicy")
    _, needs, *rest = printed(diagnosis(inconclusive=(opened,)))
    assert needs == f"Needs: network-firewall:DescribeFirewallPolicy (account {ACCOUNT})"
    assert any(f"(account {ACCOUNT}, role reader); " in line for line in rest)


def test_what_is_missing_to_decide_is_asked_for_once() -> None:
    opened = (
        refused("role_lacks_pull_permissions", "iam:GetRole"),
        refused("no_route_to_ecr", "ec2:DescribeSubnets", "ec2:DescribeRouteTables"),
        refused("vpc_dns_disabled", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
        Undecided("network_acl_blocks_traffic", "its rules contradict each other", "Look at `aws ec2 x`."),
    )
    unchecked = (refused("image_not_found", "ecr:ListImages", account="222222222222"),)
    needed = ("ec2:DescribeSubnets", "ec2:DescribeRouteTables", "iam:GetRole", "ec2:DescribeVpcs")
    lines = printed(diagnosis(inconclusive=opened, unchecked=unchecked, passed=("proxy_blocks_pull",)))
    assert lines == [
        "Not decided: perhaps no route leads from the node to the registry, or 3 more",
        f"Needs: 4 permissions (account {ACCOUNT}, role reader), listed below",
        POD,
        "",
        f"Pull       {PULL.image}",
        "Failed     timeout, stage manifest, at 2026-03-01T12:00:00Z",
        f"Role       {ROLE}",
        "",
        f"Needs: {', '.join(needed)} (account {ACCOUNT}, role reader); `pull-responder permissions` prints the policy",
        "Needs: ecr:ListImages (account 222222222222, role reader); `pull-responder permissions` prints the policy",
        "Left open by that: no_route_to_ecr, role_lacks_pull_permissions, vpc_dns_disabled, image_not_found",
        "",
        "Next       Look at `aws ec2 x`.",
        "",
        "Not decided, and may explain it:",
        "           network_acl_blocks_traffic: its rules contradict each other",
        "",
        "Ruled out  proxy_blocks_pull",
        "",
    ]


def test_few_permissions_stand_in_the_second_line_and_not_again() -> None:
    lines = printed(diagnosis(inconclusive=(refused("role_lacks_pull_permissions", "iam:GetRole"),)))
    assert lines[1] == f"Needs: iam:GetRole (account {ACCOUNT}, role reader)"
    assert sum("iam:GetRole" in line for line in lines) == 1
    assert "`pull-responder permissions` prints the policy" in lines


def test_a_step_with_a_command_is_whole_and_one_without_is_cut() -> None:
    command = "Compare the policy with the request: `aws cloudtrail lookup-events --lookup-attributes AttributeKey=x`."
    lines = printed(diagnosis(inconclusive=(Undecided("scp_blocks_pull", "it is not shown", command),)))
    assert lines[1] == f"Next: {command}"
    assert sum(command in line for line in lines) == 1
    long = (
        "Ask whoever looks after the organization for the policies of the account, and of what is above it in the tree."
    )
    lines = printed(diagnosis(inconclusive=(Undecided("scp_blocks_pull", "it is not shown", long),)))
    assert lines[1] == "Next: Ask whoever looks after the organization for the policies of the ..."
    assert f"Next       {long}" in lines


def test_nothing_that_explains_it_is_said_so() -> None:
    left = Undecided("pull_failing_unexplained", "nothing is left", "Look at `journalctl`.")
    lines = printed(diagnosis(inconclusive=(left,)))
    assert lines[:2] == ["Not decided: nothing that can be read explains it", "Next: Look at `journalctl`."]


@pytest.mark.parametrize("more", [0, 1, 40])
@pytest.mark.parametrize("severity", [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_cause_fits_with_every_severity_and_an_id(check: object, severity: Severity, more: int) -> None:
    id_ = check.id  # type: ignore[attr-defined]  # a check
    resource = ec2("vpc-endpoint", "vpce-0a1b2c3d4e5f60718") if "endpoint" in id_ else ROLE
    found = replace(cause(id_, resource), severity=severity)
    others = [
        replace(cause("image_not_found", f"{REPOSITORY}:v{number}"), severity=Severity.LOW) for number in range(more)
    ]
    assert faults_of_answer(diagnosis(found, *others)) == []


# What a broken resource of each kind is called where names and ids are of usual length.
TYPICAL = {
    "AwsAccount": f"AWS::::Account:{ACCOUNT}",
    "AwsEc2Instance": ec2("instance", NODE),
    "AwsEc2NetworkAcl": ec2("network-acl", "acl-0a1b2c3d4e5f60718"),
    "AwsEc2RouteTable": ec2("route-table", "rtb-0a1b2c3d4e5f60718"),
    "AwsEc2SecurityGroup": GROUP,
    "AwsEc2Subnet": ec2("subnet", "subnet-0a1b2c3d4e5f60718"),
    "AwsEc2Vpc": ec2("vpc", "vpc-0a1b2c3d4e5f60718"),
    "AwsEcrContainerImage": f"{REPOSITORY}:v1",
    "AwsEcrRepository": REPOSITORY,
    "AwsIamRole": ROLE,
    "AwsKmsKey": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000001-aaaa-bbbb-cccc-ddddeeeeffff",
    "nat": ec2("natgateway", "nat-0a1b2c3d4e5f60718"),
    "endpoint": ec2("vpc-endpoint", "vpce-0a1b2c3d4e5f60718"),
    "node_group": f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/prod/workers/0a1b2c3d-aaaa",
    "peering": ec2("vpc-peering-connection", "pcx-0a1b2c3d4e5f60718"),
    "transit": ec2("transit-gateway-route-table", "tgw-rtb-0a1b2c3d4e5f60718"),
    "network_firewall": f"arn:aws:network-firewall:{REGION}:{ACCOUNT}:stateful-rulegroup/allowed-hosts",
    "dns_firewall": f"arn:aws:route53resolver:{REGION}:{ACCOUNT}:firewall-rule-group/rslvr-frg-0a1b2c3d4e5f60718",
    "cp_": f"arn:aws:organizations::{ACCOUNT}:policy/o-a1b2c3d4e5/service_control_policy/p-1a2b3c4d",
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_cause_has_plain_words_with_its_resource_and_others(check: Check) -> None:
    kind = check.resource_type
    id_ = TYPICAL.get(kind) or next(arn for part, arn in TYPICAL.items() if part in check.id)
    found = cause(check.id, id_)
    line = cause_line(replace(found, resource=replace(found.resource, type=kind)), 2)
    # The id of a key leaves no room for more.
    tail = ", +2" if kind == "AwsKmsKey" else ", and 2 more causes"
    assert cell_len(line) <= 80
    assert line.endswith(f"){tail}")
    assert check.id not in line
    said = line.removeprefix(f"{found.severity}: ").partition(" (")[0]
    assert said in {check.title, check.short}
    assert "..." not in line
    assert len(check.short) < len(check.title)


@settings(deadline=None, max_examples=30)
@given(findings, HOSTILE)
def test_whatever_a_finding_holds_the_first_lines_are_lines(finding: Finding, text: str) -> None:
    pull = replace(PULL, pod=text, namespace=text, repository=text, tag=text, node=text, cluster=text)
    lines = printed(diagnosis(finding, finding, pull=pull))
    assert all(line.isprintable() for line in lines)
    assert lines[0].startswith(f"{finding.severity}: ")
    assert lines[1].startswith(("Run ", "By hand")) or lines[1] in lines[0:2]
    assert lines[2].startswith("Pod ")
    assert cell_len(lines[2]) <= 80


@pytest.mark.parametrize(
    ("summary", "short", "second"),
    [
        ("Add a route.", "", f"By hand in account 222222222222, {REGION}: Add a route."),
        (LONG, "Add a route for 0.0.0.0/0.", f"By hand in account 222222222222, {REGION}: Add a route for 0.0.0.0/0."),
        (LONG, "", "By hand in account 222222222222: In the transit gateway route table ..."),
    ],
)
def test_the_account_of_a_fix_stands_there_if_it_is_not_the_pods(summary: str, short: str, second: str) -> None:
    finding = cause("transit_gateway_blocks_traffic", TABLE, summary=summary, short=short)
    finding = replace(finding, remediation=replace(finding.remediation, account="222222222222"))
    assert printed(diagnosis(finding))[1] == second
