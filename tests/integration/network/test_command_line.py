"""`pull-responder diagnose --image … --cluster …`: statuses, the path hop by hop, and unusable questions."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from pull_responder.cli.main import main
from tests.integration.network.estate import ACCOUNT, MAY_PULL, REGION, NetworkEstate, trust

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., "Ended"]


@dataclass
class Ended:
    status: object
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(estate: NetworkEstate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for key, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)

    def command(*arguments: str, image: str = estate.image, cluster: str = estate.name) -> Ended:
        monkeypatch.setattr(
            sys, "argv", ["pull-responder", "diagnose", "--image", image, "--cluster", cluster, *arguments]
        )
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code, *capsys.readouterr())

    return command


def test_a_sound_way_is_shown_hop_by_hop(estate: NetworkEstate, run: Run) -> None:
    estate.behind_nat()
    node = estate.node()
    ended = run("--instance", node, "--format", "json")
    assert ended.status == 0
    (answer,) = ended.objects
    assert answer["pull"]["image"] == estate.image
    assert answer["pull"]["symptom"] == "unknown"
    assert (answer["pull"]["node"], answer["pull"]["role_arn"]) == (node, estate.role)
    assert answer["findings"] == answer["inconclusive"] == []
    (way,) = answer["path"]["from"]
    assert (way["node"], way["subnet"], way["verdict"]) == (node, estate.a, "ok")
    assert [leg["stage"] for leg in way["legs"]] == ["token", "manifest", "layer"]
    hops = [(hop["kind"], hop["resource"]) for hop in way["legs"][0]["hops"]]
    assert hops == [
        ("name", f"api.ecr.{REGION}.amazonaws.com"),
        ("node", node),
        ("subnet", estate.a),
        ("route", estate.table_a),
        ("NAT gateway", estate.nat),
        ("subnet", estate.public),
        ("route", estate.table_public),
    ]
    assert all(hop["proof"] for leg in way["legs"] for hop in leg["hops"])


def test_a_broken_way_is_status_1_and_shows_where(estate: NetworkEstate, run: Run) -> None:
    estate.behind_nat().node_group("workers")
    estate.node(group="workers")
    estate.unroute(estate.table_a)
    ended = run("--nodegroup", "workers", "--format", "json")
    assert ended.status == 1
    (answer,) = ended.objects
    assert [finding["cause"] for finding in answer["findings"]] == ["no_route_to_ecr"]
    (command,) = answer["findings"][0]["remediation"]["commands"]
    assert command.startswith(f"aws ec2 create-route --route-table-id {estate.table_a} ")
    (way,) = answer["path"]["from"]
    assert way["causes"] == ["no_route_to_ecr"]
    (other,) = answer["path"]["other_subnets"]
    assert (other["subnet"], other["verdict"]) == (estate.b, "ok")

    text = run("--nodegroup", "workers").out
    assert text.splitlines()[:3] == [
        f"HIGH: No route leads from the node to the registry ({estate.a})",
        f"Run in account {ACCOUNT}, {REGION}: {command}",
        f"Image {estate.name}/app:v1 on node group workers of cluster {estate.name}",
    ]
    ways = [line for line in text.splitlines() if line.startswith("Way ")]
    hosts = f"api.ecr.{REGION}.amazonaws.com (token), {ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com (manifest)"
    from_node = f"from {estate.instance} in {estate.a}"
    assert [line.partition(", prod-")[0] for line in ways] == [
        f"Way        fails at route {estate.table_a}, {from_node}, to {hosts}"
    ]
    assert "Path " not in text
    assert f"works from {estate.b}" in text
    whole = run("--nodegroup", "workers", "--path").out
    for said in (text, whole):
        # The subnet that the way is shown from is not elsewhere.
        assert [line for line in said.splitlines() if line.startswith("Elsewhere")] == [
            f"Elsewhere  works from {estate.b}"
        ]


def test_the_whole_way_is_shown_when_it_is_asked_for(estate: NetworkEstate, run: Run) -> None:
    estate.behind_nat().node_group("workers")
    node = estate.node(group="workers")
    sound = run("--nodegroup", "workers", "--path").out.splitlines()
    assert sound[0] == f"No fault found: {estate.image} on node group workers of cluster {estate.name}"
    assert sound[2] == f"Path       from {node}, subnet {estate.a}: ok"
    assert any(line.startswith(f"           - NAT gateway {estate.nat}: ok: ") for line in sound)
    estate.unroute(estate.table_a)
    text = run("--nodegroup", "workers", "--path").out
    assert f"Path       from {node}, subnet {estate.a}: failed" in text
    assert f"           - route {estate.table_a}: failed: " in text
    assert "Way " not in text


def test_a_sound_answer_is_one_line(estate: NetworkEstate, run: Run) -> None:
    node = estate.behind_nat().node()
    ended = run("--instance", node)
    assert ended.status == 0
    assert ended.out == f"No fault found: {estate.image} on instance {node}\n"


def test_a_question_about_the_cluster_gives_one_object_for_each_kind_of_node(estate: NetworkEstate, run: Run) -> None:
    estate.behind_nat().node_group("workers")
    estate.fargate_profile("pods")
    answers = run("--format", "json").objects
    assert [answer["path"]["nodes"] for answer in answers] == [
        f"node group workers of cluster {estate.name}",
        f"Fargate profile pods of cluster {estate.name}",
    ]


def test_an_image_elsewhere_is_skipped(run: Run) -> None:
    ended = run("--format", "json", image="nginx:1")
    assert ended.status == 0
    hint = ", as it names no registry: did you forget ACCOUNT.dkr.ecr.REGION.amazonaws.com/ before it?"
    assert ended.objects[0]["skipped"] == f"nginx:1 is not in Amazon ECR but in docker.io{hint}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"image": "not an image"}, "--image: 'not an image' is no image reference"),
        (
            {"image": f"1234.dkr.ecr.{REGION}.amazonaws.com/app:v1"},
            "--image: '1234' is not an account id of twelve digits",
        ),
        (
            {"image": f"{ACCOUNT}.dkr.ecr.us-esat-1.amazonaws.com/app:v1"},
            "--image: there is no region 'us-esat-1'; did you mean us-west-1 or us-east-1",
        ),
        (
            {"image": f"{ACCOUNT}.dkr.ecr.amazonaws.com/app:v1"},
            f"--image: an image in Amazon ECR is written 123456789012.dkr.ecr.{REGION}.amazonaws.com/name:tag",
        ),
        ({"cluster": "nowhere-at-all"}, "there is no cluster 'nowhere-at-all' in us-east-1"),
    ],
)
def test_an_unusable_question_is_one_line_and_status_2(run: Run, arguments: dict[str, str], said: str) -> None:
    ended = run(**arguments)
    assert ended.status == 2
    assert ended.err.startswith(f"pull-responder: {said}")
    assert ended.err.count("\n") == 1
    assert ended.out == ""


def test_two_choices_are_one_too_many(run: Run) -> None:
    ended = run("--nodegroup", "a", "--instance", "i-1")
    assert ended.status == 2
    assert "give one of --nodegroup, --fargate-profile and --instance" in ended.err


def test_a_node_is_named_as_kubectl_names_it_and_the_cluster_by_its_arn(
    estate: NetworkEstate, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.behind_nat()
    node = estate.node()
    name = estate.ec2.describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"][0]["PrivateDnsName"]
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(variable, "eu-central-1")
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{estate.name}"
    by_name = run("--instance", name, "--format", "json", cluster=arn)
    by_id = run("--instance", node, "--format", "json", cluster=arn)
    assert by_name.objects == by_id.objects
    assert (by_name.status, by_name.objects[0]["pull"]["node"]) == (0, node)
    nobody = run("--instance", "ip-10-99-99-99.ec2.internal", cluster=arn)
    assert (nobody.status, nobody.out) == (2, "")
    assert "there is no running instance 'ip-10-99-99-99.ec2.internal' in us-east-1" in nobody.err


def test_no_region_at_all_is_that_of_the_image(
    estate: NetworkEstate, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.behind_nat()
    node = estate.node()
    for variable in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable)
    ended = run("--instance", node, "--format", "json")
    assert (ended.status, ended.err, ended.objects[0]["pull"]["node"]) == (0, "", node)


def test_a_cluster_of_another_account_is_said(estate: NetworkEstate, run: Run) -> None:
    ended = run(cluster=f"arn:aws:eks:{REGION}:999999999999:cluster/{estate.name}")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"{estate.name} is in account 999999999999, and the credentials are of account {ACCOUNT}" in ended.err


@pytest.mark.parametrize("option", ["--nodegroup", "--fargate-profile", "--instance", "--cluster", "--image"])
def test_an_option_without_a_value_does_not_widen_the_question(estate: NetworkEstate, run: Run, option: str) -> None:
    estate.behind_nat().node_group("workers")
    ended = run(option, "")
    assert (ended.status, ended.out, ended.err) == (2, "", f"pull-responder: {option} is empty\n")


@pytest.mark.parametrize(
    ("option", "name", "kind"),
    [
        ("--cluster", "../x", "an EKS cluster's name"),
        ("--cluster", "two words", "an EKS cluster's name"),
        ("--cluster", "a" * 101, "an EKS cluster's name"),
        ("--nodegroup", "-workers", "a node group's name"),
        ("--fargate-profile", "pods?", "a Fargate profile's name"),
        ("--instance", "i-123", "an EC2 instance's id"),
        ("--instance", "worker-1", "an EC2 instance's id"),
        ("--cluster", "arn:aws:eks:us-east-1:123456789012:nodegroup/a/b/c", "an EKS cluster's name"),
    ],
)
def test_what_aws_gives_nothing_as_a_name_is_said_before_any_call(
    run: Run, monkeypatch: pytest.MonkeyPatch, option: str, name: str, kind: str
) -> None:
    def call(*_: object, **__: object) -> NoReturn:
        pytest.fail("AWS was asked")

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    ended = run(option, name)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"pull-responder: {option}: {name!r} cannot be {kind}: ")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--nodegroup", "worker", "there is no node group 'worker' in cluster {cluster}; did you mean workers?"),
        ("--fargate-profile", "podz", "there is no Fargate profile 'podz' in cluster {cluster}; did you mean pods?"),
        ("--instance", "{near}", "there is no running instance '{near}' in us-east-1; did you mean {node}?"),
    ],
)
def test_misspelt_nodes_are_said_with_near_names(
    estate: NetworkEstate, run: Run, option: str, name: str, said: str
) -> None:
    estate.behind_nat().node_group("workers")
    estate.fargate_profile("pods")
    node = estate.node()
    names = {"node": node, "near": node[:-1] + ("1" if node.endswith("0") else "0"), "cluster": estate.name}
    ended = run(option, name.format(**names))
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == f"pull-responder: {said.format(**names)}\n"


def test_a_misspelt_region_of_our_own_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-esat-1")
    ended = run()
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("pull-responder: AWS_REGION: there is no region 'us-esat-1'; did you mean ")
    assert ended.err.count("\n") == 1


def test_nodes_of_which_only_the_role_is_known_are_named_and_left_open(estate: NetworkEstate, run: Run) -> None:
    estate.behind_nat()
    pool = estate.client("iam").create_role(RoleName=f"{estate.name}-pool", AssumeRolePolicyDocument=trust("ec2"))
    arn = pool["Role"]["Arn"]
    pull = json.dumps(MAY_PULL)
    estate.client("iam").put_role_policy(RoleName=f"{estate.name}-pool", PolicyName="pull", PolicyDocument=pull)
    estate.client("eks").create_access_entry(clusterName=estate.name, principalArn=arn, type="EC2_LINUX")
    name = f"nodes with the role {arn} of cluster {estate.name} (EC2_LINUX access entry)"
    ended = run("--format", "json")
    assert ended.status == 3
    assert [answer["nodes"] for answer in ended.objects] == [name]
    assert f"By         {name}" in run().out


def test_what_is_undecided_names_the_permission_to_grant_once(
    estate: NetworkEstate, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several causes need the same reads; the text says what to grant in one line, and the JSON for each cause."""
    node = estate.behind_nat().node()
    whole = BaseClient._make_api_call  # type: ignore[attr-defined]  # the stubs leave it out
    refused = ("DescribeRouteTables", "DescribeNetworkAcls")

    def call(self: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401 -- as botocore's
        if operation not in refused:
            return whole(self, operation, parameters)
        said = (
            f"You are not authorized to perform this operation. User: arn:aws:sts::{ACCOUNT}:assumed-role/reader/x is "
            f"not authorized to perform: ec2:{operation} because no identity-based policy allows the action"
        )
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": said}}, operation)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    ended = run("--instance", node, "--format", "json")
    assert ended.status == 3
    (answer,) = ended.objects
    steps = {each["cause"]: each["next"] for each in answer["inconclusive"]}
    where = f"to role reader in account {ACCOUNT}."
    assert steps["no_route_to_ecr"] == f"Grant ec2:DescribeRouteTables {where}"
    assert steps["network_acl_blocks_traffic"] == f"Grant ec2:DescribeNetworkAcls {where}"
    assert all(each["reason"] and each["next"] for each in answer["inconclusive"])

    lines = run("--instance", node).out.splitlines()
    assert lines[0].startswith("Not decided: perhaps no route leads from the node to the registry, or ")
    whole = f"Needs: ec2:DescribeRouteTables, ec2:DescribeNetworkAcls (account {ACCOUNT}, role reader)"
    assert lines[1] in (whole, f"Needs: 2 permissions (account {ACCOUNT}, role reader), listed below")
    assert lines[2] == f"Image {estate.name}/app:v1 on instance {node}"
    assert sum(line.startswith("Needs: ec2:") for line in lines) == 1
    assert sum("`pull-responder permissions` prints the policy" in line for line in lines) == 1
    (left,) = [line for line in lines if line.startswith("Left open by that: ")]
    assert {"no_route_to_ecr", "network_acl_blocks_traffic"} <= set(left.partition(": ")[2].split(", "))
    assert not any("UnauthorizedOperation" in line for line in lines)


def test_a_sound_way_names_nothing_to_look_at(estate: NetworkEstate, run: Run) -> None:
    node = estate.behind_nat().node()
    ended = run("--instance", node)
    assert ended.status == 0
    assert "\nNext " not in ended.out
