"""Nodes that no node group has: Karpenter's, EKS Auto Mode's, hybrid ones, and roles that access entries let in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import Answer, ask
from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Symptom
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import MAY_PULL, REGION, NetworkEstate, causes, only, opened, trust
from tests.integration.network.test_unread import PATH

MANAGED_ID = "mi-0123456789abcdef0"


@pytest.fixture
def network(estate: NetworkEstate) -> NetworkEstate:
    return estate.behind_nat()


def role(estate: NetworkEstate, name: str, *services: str, may_pull: bool = True) -> str:
    iam = estate.client("iam")
    made: str = iam.create_role(RoleName=f"{estate.name}-{name}", AssumeRolePolicyDocument=trust(*services))["Role"][
        "Arn"
    ]
    if may_pull:
        iam.put_role_policy(RoleName=f"{estate.name}-{name}", PolicyName="pull", PolicyDocument=json.dumps(MAY_PULL))
    return made


def let_in(estate: NetworkEstate, role_arn: str, kind: str) -> None:
    estate.client("eks").create_access_entry(clusterName=estate.name, principalArn=role_arn, type=kind)


def tagged(estate: NetworkEstate, tags: dict[str, str], *, profile: str = "") -> str:
    made = estate.ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=estate.a,
        SecurityGroupIds=[estate.group],
        IamInstanceProfile={"Name": profile or estate.name},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}],
    )
    instance: str = made["Instances"][0]["InstanceId"]
    return instance


def all_of(estate: NetworkEstate, *denied: str) -> dict[str, Answer]:
    image = parse_image(estate.image)
    assert image is not None
    answers = ask(Reader(estate.aws(*denied)), image, Chosen(estate.name), ())
    return {answer.nodes.name: answer for answer in answers}


def session(estate: NetworkEstate, name: str, role_arn: str) -> Principal:
    role_name = role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{estate.account}:assumed-role/{role_name}/{name}"
    return Principal(PrincipalKind.ROLE, arn, "aws", estate.account, role_name, name, role_arn)


def look(estate: NetworkEstate, principal: Principal | None, node: str | None = None) -> Diagnosis:
    pull = PullFailure(
        symptom=Symptom.UNKNOWN,
        stage=None,
        region=REGION,
        account=estate.account,
        principal=principal,
        registry_account=estate.account,
        repository=f"{estate.name}/app",
        tag="v1",
        cluster=estate.name,
        node=node,
    )
    return diagnose(pull, PullFacts(Reader(estate.aws())))


def test_karpenters_nodes_are_found_by_their_tags_pool_by_pool(network: NetworkEstate) -> None:
    by_cluster = {f"kubernetes.io/cluster/{network.name}": "owned", "eks:eks-cluster-name": network.name}
    spot = tagged(network, by_cluster | {"karpenter.sh/nodepool": "spot"})
    general = tagged(network, by_cluster | {"karpenter.sh/nodepool": "general"})
    assert {name: answer.diagnosis.pull.node for name, answer in all_of(network).items()} == {
        f"nodes {spot} of cluster {network.name} (node pool spot)": spot,
        f"nodes {general} of cluster {network.name} (node pool general)": general,
    }


def test_auto_modes_nodes_are_found_by_their_tags_and_need_no_second_answer_for_their_role(
    network: NetworkEstate,
) -> None:
    let_in(network, network.role, "EC2")
    tags = {"eks:eks-cluster-name": network.name, "eks:kubernetes-node-pool-name": "general-purpose"}
    node = tagged(network, tags)
    answers = all_of(network)
    assert list(answers) == [f"nodes {node} of cluster {network.name} (node pool general-purpose)"]
    only_one = next(iter(answers.values()))
    assert only_one.diagnosis.role_arn == network.role
    assert causes(only_one.diagnosis) == []
    assert only_one.diagnosis.inconclusive == ()


@pytest.mark.parametrize("kind", ["EC2", "EC2_LINUX", "EC2_WINDOWS"])
def test_a_role_that_only_an_access_entry_shows_is_asked_about_as_far_as_it_goes(
    network: NetworkEstate, kind: str
) -> None:
    network.node_group("workers")
    let_in(network, network.role, "EC2_LINUX")
    pool = role(network, "pool", "ec2", may_pull=False)
    let_in(network, pool, kind)
    let_in(network, role(network, "people", "ec2"), "STANDARD")
    answers = all_of(network)
    name = f"nodes with the role {pool} of cluster {network.name} ({kind} access entry)"
    assert list(answers) == [f"node group workers of cluster {network.name}", name]
    diagnosis = answers[name].diagnosis
    assert causes(diagnosis) == ["role_lacks_pull_permissions"]
    reason = f"no node with the role {pool} is running"
    for cause in (*PATH, "instance_profile_missing", "instance_metadata_disabled"):
        assert opened(diagnosis)[cause].startswith(reason)
    assert "role_trust_policy_excludes_service" in diagnosis.passed


def test_an_access_entry_whose_role_is_gone_is_nobodys(network: NetworkEstate) -> None:
    network.node_group("workers")
    let_in(network, f"arn:aws:iam::{network.account}:role/{network.name}-gone", "EC2_LINUX")
    assert list(all_of(network)) == [f"node group workers of cluster {network.name}"]


LISTINGS = {
    "eks:ListNodegroups": "node groups",
    "eks:ListFargateProfiles": "Fargate profiles",
    "eks:ListAccessEntries": "nodes let in by access entries",
    "ec2:DescribeInstances": "running nodes",
}


@pytest.mark.parametrize("action", LISTINGS)
def test_what_a_refused_listing_hides_is_left_open_and_not_out(network: NetworkEstate, action: str) -> None:
    network.node()
    answers = all_of(network, action)
    hidden = answers[f"{LISTINGS[action]} of cluster {network.name}"].diagnosis
    assert causes(hidden) == []
    assert f"{action} failed" in opened(hidden)["no_route_to_ecr"]
    assert not {"no_route_to_ecr", "instance_profile_missing", "role_lacks_pull_permissions"} & set(hidden.passed)


def test_a_hybrid_node_is_judged_by_its_role_and_nothing_that_ec2_has(network: NetworkEstate) -> None:
    hybrid = role(network, "hybrid", "ssm", may_pull=False)
    let_in(network, hybrid, "HYBRID_LINUX")
    diagnosis = look(network, session(network, MANAGED_ID, hybrid))
    assert causes(diagnosis) == ["role_lacks_pull_permissions"]
    for cause in PATH:
        assert "hybrid nodes run outside AWS" in opened(diagnosis)[cause]
    on_ec2 = {"instance_profile_missing", "instance_metadata_disabled", "role_trust_policy_excludes_service"}
    assert not on_ec2 & {*diagnosis.passed, *opened(diagnosis)}


def test_a_hybrid_node_with_credentials_of_roles_anywhere_is_known_by_its_access_entry(network: NetworkEstate) -> None:
    hybrid = role(network, "hybrid", "rolesanywhere")
    let_in(network, hybrid, "HYBRID_LINUX")
    diagnosis = look(network, session(network, "node-in-the-cellar", hybrid))
    assert causes(diagnosis) == []
    assert "hybrid nodes run outside AWS" in opened(diagnosis)["no_route_to_ecr"]
    assert "role_lacks_pull_permissions" in diagnosis.passed


def test_a_hybrid_node_known_by_name_alone_has_the_clusters_only_hybrid_role(network: NetworkEstate) -> None:
    hybrid = role(network, "hybrid", "ssm", may_pull=False)
    let_in(network, hybrid, "HYBRID_LINUX")
    assert causes(look(network, None, MANAGED_ID)) == ["role_lacks_pull_permissions"]
    let_in(network, role(network, "other", "ssm"), "HYBRID_LINUX")
    undecided = look(network, None, MANAGED_ID)
    assert causes(undecided) == []
    assert "role_lacks_pull_permissions" in opened(undecided)


def test_hybrid_roles_are_part_of_the_cluster(network: NetworkEstate) -> None:
    hybrid = role(network, "hybrid", "ssm")
    let_in(network, hybrid, "HYBRID_LINUX")
    name = f"nodes with the role {hybrid} of cluster {network.name} (HYBRID_LINUX access entry)"
    diagnosis = all_of(network)[name].diagnosis
    assert causes(diagnosis) == []
    assert "role_lacks_pull_permissions" in diagnosis.passed


def gone(estate: NetworkEstate, template: dict[str, object], tags: dict[str, str]) -> str:
    """A node that was made by a launch template and terminated: of those EC2 shows tags, but no subnet."""
    made = estate.ec2.create_launch_template(LaunchTemplateName=f"{estate.name}-own", LaunchTemplateData=template)
    template_id = made["LaunchTemplate"]["LaunchTemplateId"]
    node = tagged(estate, tags | {"aws:ec2launchtemplate:id": template_id, "aws:ec2launchtemplate:version": "1"})
    estate.ec2.terminate_instances(InstanceIds=[node])
    return node


def own(estate: NetworkEstate) -> dict[str, str]:
    return {f"kubernetes.io/cluster/{estate.name}": "owned"}


def test_a_terminated_node_is_stood_in_for_by_its_launch_template(network: NetworkEstate) -> None:
    options = {"MetadataOptions": {"HttpEndpoint": "disabled"}, "IamInstanceProfile": {"Name": network.name}}
    node = gone(network, {**options, "SecurityGroupIds": [network.group]}, own(network))
    diagnosis = look(network, session(network, node, network.role))
    finding = only(diagnosis, "instance_metadata_disabled")
    assert finding.resource.type == "AwsEc2LaunchTemplate"
    assert "instance_profile_missing" in diagnosis.passed
    assert f"instance {node} is gone" in opened(diagnosis)["no_route_to_ecr"]


@pytest.mark.parametrize("problem", ["holds no role", "does not exist"])
def test_the_instance_profile_of_a_launch_template(network: NetworkEstate, problem: str) -> None:
    iam = network.client("iam")
    iam.create_instance_profile(InstanceProfileName=f"{network.name}-empty")
    node = gone(network, {"IamInstanceProfile": {"Name": f"{network.name}-empty"}}, own(network))
    if problem == "does not exist":
        iam.delete_instance_profile(InstanceProfileName=f"{network.name}-empty")
    finding = only(look(network, session(network, node, network.role)), "instance_profile_missing")
    assert problem in finding.explanation
    assert finding.resource.type == "AwsEc2LaunchTemplate"


def test_the_subnet_of_a_launch_template(network: NetworkEstate) -> None:
    network.unroute(network.table_b)
    interface = {"DeviceIndex": 0, "SubnetId": network.b, "Groups": [network.group]}
    node = gone(network, {"NetworkInterfaces": [interface]}, own(network))
    finding = only(look(network, session(network, node, network.role)), "no_route_to_ecr")
    assert finding.resource.id.endswith(network.b)


def test_a_terminated_node_of_a_node_group_is_stood_in_for_by_it(network: NetworkEstate) -> None:
    template = {"SecurityGroupIds": [network.group], "MetadataOptions": {"HttpEndpoint": "disabled"}}
    network.node_group("workers", template=template)
    tags = {"eks:cluster-name": network.name, "eks:nodegroup-name": "workers"}
    node = tagged(network, tags)
    network.ec2.terminate_instances(InstanceIds=[node])
    only(look(network, session(network, node, network.role)), "instance_metadata_disabled")


@pytest.mark.parametrize("others", [[], ["EC2_LINUX"]], ids=["alone", "beside others"])
def test_a_name_alone_means_the_only_node_group_only_where_nothing_else_can_have_started_it(
    network: NetworkEstate, others: list[str]
) -> None:
    network.node_group("workers", network.b)
    let_in(network, network.role, "EC2_LINUX")
    for kind in others:
        let_in(network, role(network, "pool", "ec2"), kind)
    network.unroute(network.table_b)
    diagnosis = look(network, None, "ip-10-0-9-9.ec2.internal")
    assert causes(diagnosis) == ([] if others else ["no_route_to_ecr"])
    assert ("no_route_to_ecr" in opened(diagnosis)) is bool(others)


def test_a_gone_node_of_karpenters_role_is_not_taken_for_one_of_the_node_group(network: NetworkEstate) -> None:
    network.node_group("workers", network.b)
    network.unroute(network.table_b)
    pool = role(network, "pool", "ec2")
    let_in(network, network.role, "EC2_LINUX")
    let_in(network, pool, "EC2_LINUX")
    diagnosis = look(network, replace(session(network, "i-0123456789abcdef0", pool)))
    assert causes(diagnosis) == []
    assert opened(diagnosis)["no_route_to_ecr"].startswith(f"no node with the role {pool} is running")
