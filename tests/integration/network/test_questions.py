"""Which nodes a question is about: one, those of a group or profile, those still to be started, or all there are."""

from __future__ import annotations

import json

import click
import pytest

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import Answer, ask
from pull_responder.cli.way import differences
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from pull_responder.pulls.path import PullPath, pull_path
from tests.integration.network.estate import INTERNET, MAY_PULL, REGION, NetworkEstate, causes, only, opened


def path_of(answer: Answer) -> PullPath:
    path = pull_path(answer.diagnosis.pull, answer.facts)
    assert isinstance(path, PullPath)
    return path


def places(answer: Answer) -> list[str]:
    return [place.name for place, _ in path_of(answer).paths]


def all_of(estate: NetworkEstate) -> list[Answer]:
    image = parse_image(estate.image)
    assert image is not None
    return list(ask(Reader(estate.aws()), image, Chosen(estate.name), ()))


def test_a_running_node_of_the_group_is_chosen(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    estate.node()
    node = estate.node(group="workers")
    answer = estate.ask(node_group="workers")
    assert places(answer) == [node]
    assert answer.diagnosis.pull.node == node
    assert answer.diagnosis.role_arn == estate.role
    assert answer.diagnosis.inconclusive == ()


def test_other_subnets_of_the_group_that_differ_are_named(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    estate.node(group="workers")
    estate.unroute(estate.table_b)
    answer = estate.ask(node_group="workers")
    assert causes(answer.diagnosis) == []
    assert differences(path_of(answer)) == [
        f"works from {estate.a}",
        f"does not work from {estate.b} (no_route_to_ecr)",
    ]
    assert differences(path_of(answer), told={estate.a}) == [f"does not work from {estate.b} (no_route_to_ecr)"]


def test_every_subnet_with_a_running_node_counts(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    estate.node(group="workers")
    estate.node(estate.b, group="workers")
    estate.unroute(estate.table_b)
    finding = only(estate.diagnose(node_group="workers"), "no_route_to_ecr")
    assert finding.resource.id.endswith(estate.b)
    assert finding.evidence[-1].endswith(f"these subnets do not have this fault: {estate.a}.")


def test_a_group_without_nodes_has_its_template_groups_and_subnets(estate: NetworkEstate) -> None:
    estate.behind_nat()
    closed = estate.security_group("closed")
    estate.close_egress(closed)
    estate.node_group("workers", template={"SecurityGroupIds": [closed]})
    answer = estate.ask(node_group="workers")
    assert places(answer) == [f"a node in {estate.a}", f"a node in {estate.b}"]
    finding = only(answer.diagnosis, "security_group_blocks_egress")
    assert finding.resource.id.endswith(closed)
    assert answer.diagnosis.pull.node is None


def test_a_template_says_whether_nodes_have_public_addresses(estate: NetworkEstate) -> None:
    estate.in_public()
    interface = {"DeviceIndex": 0, "AssociatePublicIpAddress": False, "Groups": [estate.group]}
    estate.node_group("workers", estate.a, template={"NetworkInterfaces": [interface]})
    finding = only(estate.diagnose(node_group="workers"), "public_ip_missing")
    assert finding.remediation.commands == ()
    interface["AssociatePublicIpAddress"] = True
    estate.node_group("others", estate.a, template={"NetworkInterfaces": [interface]})
    assert causes(estate.diagnose(node_group="others")) == []


def test_an_unreadable_template_leaves_open_what_it_decides(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node_group("workers", template={"SecurityGroupIds": [estate.group]})
    diagnosis = estate.diagnose(denied=["ec2:DescribeLaunchTemplateVersions"], node_group="workers")
    assert causes(diagnosis) == []
    assert {"security_group_blocks_egress", "instance_metadata_disabled"} <= set(opened(diagnosis))
    assert "no_route_to_ecr" in diagnosis.passed


def test_a_fargate_profile(estate: NetworkEstate) -> None:
    estate.behind_nat()
    role = estate.fargate_profile("pods")
    answer = estate.ask(fargate_profile="pods")
    assert places(answer) == [f"a Fargate pod in {estate.a}"]
    # moto names no security group of the cluster.
    assert [each.cause for each in answer.diagnosis.inconclusive] == ["security_group_blocks_egress"]
    assert answer.diagnosis.role_arn == role
    estate.unroute(estate.table_a)
    only(estate.diagnose(fargate_profile="pods"), "no_route_to_ecr")


def test_a_subnet_of_the_group_that_is_gone_is_left_open_and_not_judged_by_the_main_table(
    estate: NetworkEstate,
) -> None:
    estate.behind_nat()
    gone = estate.subnet_without_table()
    estate.node_group("workers", estate.a, gone, template={"SecurityGroupIds": [estate.group]})
    estate.ec2.delete_subnet(SubnetId=gone)
    diagnosis = estate.diagnose(node_group="workers")
    assert causes(diagnosis) == []
    assert f"the route table of {gone} was not found" in opened(diagnosis)["no_route_to_ecr"]
    assert gone in opened(diagnosis)["network_acl_blocks_traffic"]


def test_a_profile_without_subnets_is_left_open(estate: NetworkEstate) -> None:
    estate.behind_nat()
    role = estate.fargate_profile("pods")
    estate.client("eks").create_fargate_profile(
        clusterName=estate.name,
        fargateProfileName="nowhere",
        subnets=[],
        podExecutionRoleArn=role,
        selectors=[{"namespace": "default"}],
    )
    left = opened(estate.diagnose(fargate_profile="nowhere"))
    assert "names no subnet of Fargate profile nowhere" in left["no_route_to_ecr"]
    assert {"security_group_blocks_egress", "network_acl_blocks_traffic", "vpc_dns_disabled"} <= set(left)


@pytest.mark.parametrize(("until", "found"), [("2199", []), ("2001", ["role_lacks_pull_permissions"])])
def test_a_question_is_about_now(estate: NetworkEstate, until: str, found: list[str]) -> None:
    estate.behind_nat().node()
    limit = {"DateLessThan": {"aws:CurrentTime": f"{until}-01-01T00:00:00Z"}}
    allow = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": limit}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    estate.client("iam").put_role_policy(
        RoleName=f"{estate.name}-node", PolicyName="pull", PolicyDocument=json.dumps(policy)
    )
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == found
    assert diagnosis.inconclusive == ()


@pytest.mark.parametrize(("block", "found"), [("10.0.0.0/24", []), ("10.9.0.0/16", ["role_policy_denies_pull"])])
@pytest.mark.parametrize("key", ["aws:VpcSourceIp", "aws:Ec2InstanceSourcePrivateIPv4"])
def test_the_nodes_own_address_behind_endpoints_is_known(
    estate: NetworkEstate, key: str, block: str, found: list[str]
) -> None:
    estate.endpoints_only().node()
    deny = {"Effect": "Deny", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    condition = {"NotIpAddress": {key: block}, "Null": {key: "false"}}
    policy = {"Version": "2012-10-17", "Statement": [*MAY_PULL["Statement"], {**deny, "Condition": condition}]}
    estate.client("iam").put_role_policy(
        RoleName=f"{estate.name}-node", PolicyName="pull", PolicyDocument=json.dumps(policy)
    )
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == found
    assert diagnosis.inconclusive == ()


def test_a_terminated_instance_is_stood_in_for_by_its_node_group(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers", estate.b, template={"SecurityGroupIds": [estate.group]})
    node = estate.node(group="workers")
    estate.ec2.terminate_instances(InstanceIds=[node])
    estate.unroute(estate.table_b)
    answer = estate.ask(instance=node)
    assert answer.nodes.name == f"instance {node}, which is gone: node group workers of cluster {estate.name}"
    assert only(answer.diagnosis, "no_route_to_ecr").resource.id.endswith(estate.b)


def test_a_terminated_instance_of_which_nothing_tells_more_is_not_there(estate: NetworkEstate) -> None:
    node = estate.behind_nat().node()
    estate.ec2.terminate_instances(InstanceIds=[node])
    with pytest.raises(click.ClickException, match=f"there is no running instance '{node}'"):
        estate.ask(instance=node)


def test_all_kinds_of_nodes_are_asked_about_in_turn(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    estate.fargate_profile("pods", estate.b)
    managed, own = estate.node(group="workers"), estate.node()
    answers = all_of(estate)
    assert [answer.nodes.name for answer in answers] == [
        f"node group workers of cluster {estate.name}",
        f"Fargate profile pods of cluster {estate.name}",
        f"nodes {own} of cluster {estate.name}",
    ]
    assert [places(answer) for answer in answers] == [[managed], [f"a Fargate pod in {estate.b}"], [own]]
    estate.unroute(estate.table_b)
    assert [causes(answer.diagnosis) for answer in all_of(estate)] == [[], ["no_route_to_ecr"], []]


def test_reads_of_eks_that_are_refused_leave_a_running_node_to_speak(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    estate.node(group="workers")
    estate.unroute(estate.table_a)
    denied = ["eks:DescribeCluster", "eks:DescribeNodegroup"]
    assert causes(estate.diagnose(denied=denied, node_group="workers")) == ["no_route_to_ecr"]


def test_nothing_readable_of_a_node_group_is_inconclusive(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    diagnosis = estate.diagnose(denied=["eks:DescribeNodegroup"], node_group="workers")
    assert causes(diagnosis) == []
    for cause in ("no_route_to_ecr", "instance_profile_missing", "instance_metadata_disabled"):
        assert cause not in diagnosis.passed
        assert "eks:DescribeNodegroup failed" in opened(diagnosis)[cause]
    assert "eks:DescribeNodegroup failed" in opened(diagnosis)["role_lacks_pull_permissions"]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"node_group": "worker"}, "there is no node group 'worker' in cluster {name}; did you mean workers?"),
        ({"node_group": "zzz"}, "there is no node group 'zzz' in cluster {name}; known are workers"),
        ({"fargate_profile": "pod"}, "there is no Fargate profile 'pod' in cluster {name}; did you mean pods?"),
        ({"instance": "i-0123456789abcdef0"}, "there is no running instance 'i-0123456789abcdef0' in us-east-1"),
    ],
)
def test_what_does_not_exist_is_said_with_near_names(estate: NetworkEstate, choice: dict[str, str], said: str) -> None:
    estate.behind_nat().node_group("workers")
    estate.fargate_profile("pods")
    with pytest.raises(click.ClickException) as raised:
        estate.ask(**choice)
    assert raised.value.message.startswith(said.format(name=estate.name))


def test_a_misspelt_cluster_is_said_with_near_names(estate: NetworkEstate) -> None:
    image = parse_image(estate.image)
    assert image is not None
    missing = f"there is no cluster '{estate.name}x' in {REGION} of account {estate.account}"
    with pytest.raises(click.ClickException, match=f"{missing}; did you mean .*{estate.name}"):
        list(ask(Reader(estate.aws()), image, Chosen(f"{estate.name}x"), ()))


def test_a_node_of_another_cluster_is_refused(estate: NetworkEstate) -> None:
    estate.behind_nat()
    node = estate.node()
    image = parse_image(estate.image)
    assert image is not None
    estate.client("eks").create_cluster(
        name=f"{estate.name}-two", roleArn=estate.role, resourcesVpcConfig={"subnetIds": [estate.a]}
    )
    with pytest.raises(click.ClickException, match=f"{node} is a node of cluster {estate.name}"):
        list(ask(Reader(estate.aws()), image, Chosen(f"{estate.name}-two", instance=node), ()))


def test_an_add_on_of_aws_is_judged_by_what_is_ours(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    image = f"602401143452.dkr.ecr.{REGION}.amazonaws.com/eks/pause:3.10"
    diagnosis = estate.ask(image=image).diagnosis
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()
    assert {"role_lacks_pull_permissions", "no_route_to_ecr"} <= set(diagnosis.passed)
    assert "belongs to AWS" in opened(diagnosis)["repository_policy_lacks_grant"]
    estate.client("iam").delete_role_policy(RoleName=f"{estate.name}-node", PolicyName="pull")
    assert causes(estate.ask(image=image).diagnosis) == ["role_lacks_pull_permissions"]


def test_ecr_public_hangs_on_the_way_alone(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    estate.client("iam").delete_role_policy(RoleName=f"{estate.name}-node", PolicyName="pull")
    image = "public.ecr.aws/docker/library/nginx:1"
    only(estate.ask(image=image).diagnosis, "no_route_to_ecr")
    estate.route(estate.table_a, INTERNET, GatewayId=estate.igw)
    only(estate.ask(image=image).diagnosis, "public_ip_missing")


def test_a_registry_in_another_region_is_not_served_by_the_endpoints_here(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    image = estate.image.replace(REGION, "eu-west-1")
    diagnosis = estate.ask(image=image).diagnosis
    assert set(causes(diagnosis)) == {"no_route_to_ecr", "repository_not_found"}
    finding = diagnosis.findings[0]
    assert (finding.region, finding.remediation.region) == (REGION, REGION)


def test_a_region_that_is_not_enabled_is_said_as_such(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    with pytest.raises(click.ClickException, match=f"region {REGION} does not answer. Is it enabled"):
        estate.ask(denied=["eks:DescribeCluster"], code="UnrecognizedClientException")
