"""What CloudTrail shows of a change before the first failure is told as a fact, once; all else is told without it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.findings.problem import iso
from pull_responder.responder.what_broke_it import WhatBrokeIt
from tests.integration.responder.scene import ACCOUNT, ADMIN, PULL_ONLY, REGION, change
from tests.integration.responder.test_broken_answers import hang, through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.findings.life import Life
    from tests.integration.responder.scene import Node, Scene

LACKS = "role_lacks_pull_permissions"
OTHER = "222222222222"


def record(scene: Scene, service: str, call: str, *, ago: float = 120, account: str = ACCOUNT, **parts: Any) -> str:  # noqa: ANN401 -- JSON
    """Have CloudTrail know of a call `ago` seconds before now; return the id of its event.

    `parts` with a capital letter replace fields of the record, the others are parameters of the call.
    """
    fields = {key[0].lower() + key[1:]: parts.pop(key) for key in list(parts) if key[0].isupper()}
    event = change(service, call, **parts)
    event["detail"] |= {
        "eventTime": iso(scene.clock.now - ago),
        "userIdentity": {"type": "AssumedRole", "arn": ADMIN},
        "recipientAccountId": account,
        "readOnly": False,
        **fields,
    }
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
    scene.aws.client("events", account=account, region=event["detail"]["awsRegion"]).put_events(Entries=[entry])
    return str(event["detail"]["eventID"])


def broken_by(scene: Scene, node: Node, **settings: str) -> Any:  # noqa: ANN401 -- JSON
    """Let a pull of `node` fail now; return what people are told of who changed its role."""
    scene.respond(node.denied(scene.clock.now), **settings)
    (told,) = scene.told()
    assert told["finding"]["cause"] == LACKS
    return told["finding"]["broken_by"]


def life_of(scene: Scene) -> Life:
    (finding_id,) = scene.store.open_findings(limit=10)
    life = scene.store.lives([finding_id])[finding_id]
    assert not isinstance(life, Exception)
    return life


@pytest.fixture
def node(scene: Scene) -> Node:
    return scene.role()


def test_who_detached_the_policy_is_told_and_stored(scene: Scene, node: Node) -> None:
    event = record(scene, "iam", "DetachRolePolicy", roleName=node.role, policyArn=PULL_ONLY)

    at = iso(scene.clock.now - 120)
    assert broken_by(scene, node) == {
        "call": "DetachRolePolicy",
        "policy": "AmazonEC2ContainerRegistryPullOnly",
        "by": ADMIN,
        "at": at,
        "event_id": event,
    }
    assert (deed := life_of(scene).broken_by)
    assert (deed.call, deed.by, deed.at, deed.event_id) == ("DetachRolePolicy", ADMIN, at, event)


def test_the_likeliest_call_and_of_several_the_latest(scene: Scene, node: Node) -> None:
    record(scene, "iam", "DetachRolePolicy", ago=900, roleName=node.role, policyArn=PULL_ONLY)
    latest = record(scene, "iam", "DetachRolePolicy", ago=600, roleName=node.role, policyArn=PULL_ONLY)
    record(scene, "iam", "PutRolePolicy", ago=60, roleName=node.role, policyName="logs")

    assert broken_by(scene, node)["event_id"] == latest


def test_what_is_no_such_change_is_not_told(scene: Scene, node: Node) -> None:
    detached = {"roleName": node.role, "policyArn": PULL_ONLY}
    for near_miss in (
        {"ago": -60.0},
        {"ago": 2 * 3600.0},
        {"roleName": "another"},
        {"EventName": "GetRole", "ReadOnly": True},
        {"ReadOnly": None},
        {"EventName": "TagRole"},
        {"ErrorCode": "AccessDenied"},
        {"UserIdentity": {"type": "Unknown"}},
        {"UserIdentity": {"arn": "<script>"}},
        {"AwsRegion": "eu-west-1"},
        {"EventSource": "ec2.amazonaws.com"},
        {"EventSource": "iam.example.com"},
        {"RecipientAccountId": OTHER},
        {"RequestParameters": "none"},
    ):
        record(scene, "iam", "DetachRolePolicy", **detached | near_miss)

    assert broken_by(scene, node) is None
    assert life_of(scene).changes_unread == ""


def test_a_call_that_cloudtrail_shows_late_is_found_at_the_next_look(scene: Scene, node: Node) -> None:
    assert broken_by(scene, node) is None
    scene.clock.forward(minutes=16)
    event = record(scene, "iam", "DeleteRolePolicy", ago=17 * 60, roleName=node.role, policyName="pull")
    scene.recheck()

    deed = life_of(scene).broken_by
    assert deed
    assert deed.event_id == event
    fields = scene.in_hub(node.role)[0]["ProductFields"]
    assert fields["pull-responder/changed-by"] == f"DeleteRolePolicy of pull by {ADMIN} (event {event}) at {deed.at}"


def test_a_policy_of_the_role_that_the_fix_names_counts_as_its_part(scene: Scene, node: Node) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}]}
    iam = scene.aws.client("iam")
    arn = iam.create_policy(PolicyName=f"deny-{uuid4().hex[:8]}", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=node.role, PolicyArn=arn)
    scene.allow(node)
    event = record(scene, "iam", "CreatePolicyVersion", policyArn=arn, setAsDefault=True)
    denied = node.denied(scene.clock.now)
    denied["detail"]["errorMessage"] = denied["detail"]["errorMessage"].replace(
        "because no identity-based policy allows the ecr:GetAuthorizationToken action",
        "with an explicit deny in an identity-based policy",
    )
    scene.respond(denied)
    (told,) = scene.told()

    assert told["finding"]["cause"] == "role_policy_denies_pull"
    assert told["finding"]["broken_by"]["event_id"] == event


def test_who_changed_it_is_not_asked_if_the_operator_does_not_want_it(scene: Scene, node: Node) -> None:
    record(scene, "iam", "DetachRolePolicy", roleName=node.role, policyArn=PULL_ONLY)
    with through(scene, "cloudtrail", hang):
        assert broken_by(scene, node, LOOK_UP_CHANGES="false") is None
    assert life_of(scene).changes_unread == ""


def test_at_most_two_look_ups_a_finding(scene: Scene, node: Node) -> None:
    asked: list[str] = []

    def count(request: Any, send: Any) -> Any:  # noqa: ANN401 -- botocore's request and answer
        asked.append(json.loads(request.body)["LookupAttributes"][0]["AttributeKey"])
        return send(request)

    with through(scene, "cloudtrail", count):
        assert broken_by(scene, node) is None
    assert asked == ["ResourceName", "EventName"]


def test_when_cloudtrail_does_not_answer_the_alert_goes_out_and_says_so(scene: Scene) -> None:
    asked: list[Any] = []

    def never(request: Any, send: Any) -> Any:  # noqa: ANN401 -- as above
        asked.append(request)
        return hang(request, send)

    nodes = [scene.role(), scene.role()]
    with through(scene, "cloudtrail", never):
        scene.respond(*(each.denied(scene.clock.now) for each in nodes))
    assert [each["finding"]["broken_by"] for each in scene.told()] == [None, None]
    assert len(asked) == 1
    ids = scene.store.open_findings(limit=10)
    for life in scene.store.lives(ids).values():
        assert not isinstance(life, Exception)
        assert life.changes_unread.startswith("cloudtrail:LookupEvents failed: ReadTimeoutError")


@pytest.fixture
def member(scene: Scene) -> Iterator[Any]:
    """A role in another account that may be assumed; return what puts a policy on it."""
    iam = scene.aws.client("iam", account=OTHER)
    allowed = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [allowed]}
    iam.create_role(RoleName="PullResponderReadOnly", AssumeRolePolicyDocument=json.dumps(trust))

    def allow(action: str) -> None:
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName="PullResponderReadOnly", PolicyName="read", PolicyDocument=document)

    yield allow
    for name in iam.list_role_policies(RoleName="PullResponderReadOnly")["PolicyNames"]:
        iam.delete_role_policy(RoleName="PullResponderReadOnly", PolicyName=name)
    iam.delete_role(RoleName="PullResponderReadOnly")


def elsewhere(scene: Scene, node: Node) -> Life:
    """A new finding on a security group of another account and region."""
    broken_by(scene, node)
    life = life_of(scene)
    group = f"arn:aws:ec2:eu-west-1:{OTHER}:security-group/sg-0123456789abcdef0"
    resource = replace(life.finding.resource, id=group, account=OTHER)
    return replace(life, finding=replace(life.finding, cause="security_group_blocks_egress", resource=resource))


def test_a_resource_of_another_account_is_asked_about_there(scene: Scene, node: Node, member: Any) -> None:  # noqa: ANN401
    member("cloudtrail:LookupEvents")
    life = elsewhere(scene, node)
    call: dict[str, Any] = {"groupId": "sg-0123456789abcdef0", "AwsRegion": "eu-west-1"}
    record(scene, "ec2", "RevokeSecurityGroupEgress", ago=90, **call)
    event = record(scene, "ec2", "RevokeSecurityGroupEgress", account=OTHER, **call)
    record(scene, "ec2", "RevokeSecurityGroupEgress", ago=90, account=OTHER, **call | {"AwsRegion": REGION})

    deed = WhatBrokeIt(scene.run()).add_to(life, before=None).broken_by
    assert deed
    assert deed.event_id == event


EC2 = f"arn:aws:ec2:eu-west-1:{OTHER}"
FIREWALL = f"arn:aws:network-firewall:eu-west-1:{OTHER}"
TABLE, ATTACHMENT, PEERING = "tgw-rtb-0123456789abcdef0", "tgw-attach-0123456789abcdef0", "pcx-0123456789abcdef0"
RULES = "rslvr-frg-0123456789abcdef"
# By the resource at fault: its cause, and the call that broke it with its parameters.
OF_NETWORKS: dict[str, tuple[str, str, str, dict[str, object]]] = {
    f"{EC2}:transit-gateway-route-table/{TABLE}": (
        "transit_gateway_blocks_traffic",
        "ec2",
        "DeleteTransitGatewayRoute",
        {
            "DeleteTransitGatewayRouteRequest": {
                "TransitGatewayRouteTableId": TABLE,
                "DestinationCidrBlock": "0.0.0.0/0",
            }
        },
    ),
    f"{EC2}:transit-gateway-attachment/{ATTACHMENT}": (
        "transit_gateway_blocks_traffic",
        "ec2",
        "DisassociateTransitGatewayRouteTable",
        {"DisassociateTransitGatewayRouteTableRequest": {"TransitGatewayAttachmentId": ATTACHMENT}},
    ),
    f"{EC2}:vpc-peering-connection/{PEERING}": (
        "peering_cannot_carry_traffic",
        "ec2",
        "DeleteVpcPeeringConnection",
        {"vpcPeeringConnectionId": PEERING},
    ),
    f"{FIREWALL}:stateful-rulegroup/egress": (
        "network_firewall_blocks_registry",
        "network-firewall",
        "UpdateRuleGroup",
        {"ruleGroupArn": f"{FIREWALL}:stateful-rulegroup/egress"},
    ),
    f"{FIREWALL}:firewall-policy/central": (
        "network_firewall_blocks_registry",
        "network-firewall",
        "UpdateFirewallPolicy",
        {"firewallPolicyName": "central"},
    ),
    f"arn:aws:route53resolver:eu-west-1:{OTHER}:firewall-rule-group/{RULES}": (
        "dns_firewall_blocks_registry",
        "route53resolver",
        "UpdateFirewallRule",
        {"firewallRuleGroupId": RULES},
    ),
}


@pytest.mark.parametrize("resource", OF_NETWORKS)
def test_who_broke_a_network_is_asked_in_the_account_that_owns_it(
    scene: Scene,
    node: Node,
    member: Any,  # noqa: ANN401 -- the fixture
    resource: str,
) -> None:
    member("cloudtrail:LookupEvents")
    cause, service, call, asked = OF_NETWORKS[resource]
    life = elsewhere(scene, node)
    of = replace(life.finding.resource, id=resource, account=OTHER)
    life = replace(life, finding=replace(life.finding, cause=cause, resource=of))
    there: dict[str, Any] = {"AwsRegion": "eu-west-1"}
    record(scene, service, call, ago=90, RequestParameters=asked, **there)  # in our own account
    event = record(scene, service, call, account=OTHER, RequestParameters=asked, **there)
    record(scene, service, call, ago=60, account=OTHER, RequestParameters={"id": "another"}, **there)

    deed = WhatBrokeIt(scene.run()).add_to(life, before=None).broken_by
    assert deed
    assert (deed.call, deed.by, deed.event_id) == (call, ADMIN, event)


def test_a_role_that_may_not_look_up_is_told_of(scene: Scene, node: Node, member: Any) -> None:  # noqa: ANN401
    member("ec2:DescribeSubnets")
    life = WhatBrokeIt(scene.run()).add_to(elsewhere(scene, node), before=None)

    assert life.broken_by is None
    assert "cloudtrail:LookupEvents failed: AccessDenied" in life.changes_unread


def test_a_finding_that_came_back_is_not_told_with_the_change_of_before(scene: Scene, node: Node) -> None:
    record(scene, "iam", "DetachRolePolicy", roleName=node.role, policyArn=PULL_ONLY)
    assert broken_by(scene, node)
    scene.clock.forward(minutes=5)
    scene.recheck(scene.allow(node))
    scene.clock.forward(minutes=20)
    scene.recheck()
    assert [edge for edge, _ in scene.edges()] == ["resolved"]
    scene.clock.forward(minutes=120)
    scene.forbid(node)
    scene.respond(node.denied(scene.clock.now))

    (back,) = scene.told()
    assert (back["edge"], back["finding"]["broken_by"]) == ("back", None)
