"""What kubectl prints is diagnosed as the deployed event of the same failure is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import yaml

from tests.integration.cli.test_diagnose import ACCOUNT, KEYS, run
from tests.unit.cli.kubectl import printed
from tests.unit.cli.kubectl.test_reading import LOG

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.emulator.emulated_aws import EmulatedAws

    Run = Callable[..., Any]

__all__ = ["run"]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Estate:
    """A cluster whose nodes' role may not pull, a repository, and what kubectl prints there."""

    def __init__(self, aws: EmulatedAws) -> None:
        self.aws = aws
        self.role = f"node-{uuid4().hex[:8]}"
        self.cluster = f"prod-{uuid4().hex[:8]}"
        self.repository = f"shop-{uuid4().hex[:8]}/web"
        self.image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{self.repository}:v1.4.2"
        iam = aws.client("iam")
        iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.create_instance_profile(InstanceProfileName=self.role)
        iam.add_role_to_instance_profile(InstanceProfileName=self.role, RoleName=self.role)
        aws.client("ecr").create_repository(repositoryName=self.repository)
        self.nodes = self.start(1)

    @property
    def found(self) -> tuple[str, str]:
        return "role_lacks_pull_permissions", f"arn:aws:iam::{ACCOUNT}:role/{self.role}"

    def start(self, count: int) -> list[str]:
        """Start instances, and return the names of the nodes."""
        tags = [{"Key": f"kubernetes.io/cluster/{self.cluster}", "Value": "owned"}]
        instances = self.aws.client("ec2").run_instances(
            ImageId="ami-12345678",
            MinCount=count,
            MaxCount=count,
            IamInstanceProfile={"Name": self.role},
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )["Instances"]
        self.provider_id = f"aws:///us-east-1a/{instances[0]['InstanceId']}"
        return [each["PrivateDnsName"] for each in instances]

    def of(self, document: dict[str, Any]) -> dict[str, Any]:
        """An object of the API, of this estate."""
        made: dict[str, Any] = json.loads(self.here(json.dumps(document)))
        return made

    def here(self, text: str | bytes) -> bytes:
        """What kubectl prints, of this estate."""
        data = text if isinstance(text, bytes) else text.encode()
        registry = f"{printed.ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com"
        names = {
            printed.IMAGE: self.image,
            f"{registry}/v2/shop/web": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/v2/{self.repository}",
            printed.NODE: self.nodes[0],
        }
        for old, new in names.items():
            data = data.replace(old.encode(), new.encode())
        return data


@pytest.fixture
def estate(aws: EmulatedAws) -> Estate:
    return Estate(aws)


def causes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["cause"], each["resource"]["id"]) for each in answer["findings"]]


EVENT = printed.event()
FORMS: dict[str, str | bytes] = {
    "pod": printed.as_json(printed.pod()),
    "list": printed.as_json(printed.listed(printed.pod(), printed.running("web-b"))),
    "yaml": str(yaml.safe_dump(printed.listed(printed.pod()))),
    "event": printed.as_json(EVENT),
    "newer event": printed.as_json(printed.newer_event()),
    "events": printed.as_json(printed.listed(EVENT, printed.event(printed.BARE, reason="BackOff"))),
    "describe": printed.described(),
    "wide table": printed.events_table(wide=True, all_namespaces=True),
    "log": LOG,
    "pod with its event": printed.as_json(printed.listed(printed.pod(message=printed.BARE), EVENT)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_cause_of_the_deployed_event(run: Run, estate: Estate, form: str) -> None:
    deployed = {"source": "cd", "detail-type": "x", "account": ACCOUNT, "region": "us-east-1", "detail": EVENT}
    of_event = run("diagnose", "--event", "-", "-o", "json", stdin=estate.here(json.dumps(deployed)))
    ended = run("diagnose", "-", "-o", "json", stdin=estate.here(FORMS[form]))
    answer, *rest = ended.objects
    assert ended.status == of_event.status == 1
    assert causes(answer) == causes(of_event.objects[0]) == [estate.found]
    assert answer.keys() >= KEYS
    pull = answer["pull"]
    assert (pull["image"], pull["namespace"], pull["pod"]) == (estate.image, "shop", printed.POD)
    assert (pull["cluster"], pull["node"]) == (estate.cluster, estate.nodes[0])
    assert answer["pods"]["names"] == [f"shop/{printed.POD}"]
    if form == "list":
        assert [each["skipped"] for each in rest] == ["pod shop/web-b runs: all its images are pulled"]


def test_a_table_without_nodes_is_diagnosed_once_the_cluster_is_named(run: Run, estate: Estate) -> None:
    table = estate.here(printed.events_table(all_namespaces=True))
    without = run("diagnose", "-", stdin=table)
    assert without.status == 3
    assert without.out.splitlines()[1] == "Next: Add --cluster NAME or give the pod itself because nothing says on ..."
    eks = estate.aws.client("eks")
    role = f"arn:aws:iam::{ACCOUNT}:role/{estate.role}"
    eks.create_cluster(name=estate.cluster, roleArn=role, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    eks.create_nodegroup(clusterName=estate.cluster, nodegroupName="workers", subnets=["subnet-1"], nodeRole=role)
    eks.create_access_entry(clusterName=estate.cluster, principalArn=role, type="EC2_LINUX")
    arn = f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{estate.cluster}"
    ended = run("diagnose", "-", "--cluster", arn, "-o", "json", stdin=table)
    assert (ended.status, causes(ended.objects[0])) == (1, [estate.found])


def test_the_option_is_the_next_step_where_ec2_shows_no_such_node(run: Run, estate: Estate) -> None:
    name = "ip-10-9-9-9"
    data = estate.here(printed.as_json(printed.pod(node=f"{name}.ec2.internal")))
    text = run("diagnose", "-", stdin=data)
    first, second, *rest = text.out.splitlines()
    assert (text.status, first[:12]) == (3, "Not decided:")
    assert second == f"Next: Add --cluster NAME because EC2 shows no instance {name} in ..."
    said = (
        f"Add --cluster NAME because EC2 shows no instance {name} in account {ACCOUNT}, region us-east-1, or several."
    )
    # The line that was cut is told whole once, and nothing sends to an event that nobody has.
    assert " ".join(line.strip() for line in rest).count(said) == 1
    assert "--image" not in text.out
    (answer,) = run("diagnose", "-", "-o", "json", stdin=data).objects
    assert {each["next"] for each in answer["inconclusive"]} == {said}


def test_five_thousand_pods_on_many_nodes_are_one_diagnosis(run: Run, estate: Estate) -> None:
    nodes = [*estate.nodes, *estate.start(9)]
    pods = [printed.pod(f"web-{at}", node=nodes[at % 10]) for at in range(5000)]
    ended = run("diagnose", "-", "-o", "json", stdin=estate.here(json.dumps(printed.listed(*pods))))
    (answer,) = ended.objects
    assert (ended.status, causes(answer)) == (1, [estate.found])
    assert answer["pods"] == {
        "count": 5000,
        "names": [f"shop/web-{at}" for at in range(10)],
        "nodes": 10,
        "workloads": ["Deployment web"],
    }
    text = run("diagnose", "-", stdin=estate.here(json.dumps(printed.listed(*pods))))
    assert "5,000 pods on 10 nodes: shop/web-0, shop/web-1, shop/web-2 and 4,997 more" in text.out


def test_pods_on_nodes_that_differ_are_diagnosed_by_their_nodes(run: Run, estate: Estate, aws: EmulatedAws) -> None:
    other = Estate(aws)
    other.cluster = estate.cluster
    pods = printed.listed(printed.pod("web-a"), printed.pod("web-b", node=other.nodes[0]))
    ended = run("diagnose", "-", "-o", "json", stdin=estate.here(json.dumps(pods)))
    assert [causes(each) for each in ended.objects] == [[estate.found], [other.found]]
    assert [each["pods"]["names"] for each in ended.objects] == [["shop/web-a"], ["shop/web-b"]]


def test_a_pod_that_runs_is_one_line(run: Run) -> None:
    ended = run("diagnose", "-", stdin=printed.as_json(printed.running()))
    assert ended.status == 0
    assert ended.out.strip() == f"Skipped: pod shop/{printed.POD} runs: all its images are pulled"


def test_the_region_is_the_nodes_whatever_is_configured(
    run: Run, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-central-1")
    ended = run("diagnose", "-", "-o", "json", stdin=estate.here(FORMS["pod"]))
    assert causes(ended.objects[0]) == [estate.found]


def test_a_service_account_with_a_role_of_its_own_decides(run: Run, estate: Estate, aws: EmulatedAws) -> None:
    own = f"pods-{uuid4().hex[:8]}"
    aws.client("iam").create_role(RoleName=own, AssumeRolePolicyDocument=json.dumps(TRUST))
    annotations = {"eks.amazonaws.com/ecr-role-arn": f"arn:aws:iam::{ACCOUNT}:role/{own}"}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
    }
    pods = printed.as_json(printed.listed(printed.pod(), account))
    ended = run("diagnose", "-", "--cluster", estate.cluster, "-o", "json", stdin=estate.here(pods))
    answer = ended.objects[0]
    assert answer["pull"]["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/{own}"
    assert ("role_lacks_pull_permissions", f"arn:aws:iam::{ACCOUNT}:role/{own}") in causes(answer)
    assert estate.found not in causes(answer)


def test_a_pod_on_fargate_is_of_the_profile_that_its_label_names(run: Run, estate: Estate, aws: EmulatedAws) -> None:
    iam, eks = aws.client("iam"), aws.client("eks")
    eks.create_cluster(
        name=estate.cluster,
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/{estate.role}",
        resourcesVpcConfig={"subnetIds": ["subnet-1"]},
    )
    trust = json.dumps(TRUST).replace("ec2.", "eks-fargate-pods.")
    roles = {}
    for name in ("one", "two"):
        roles[name] = iam.create_role(RoleName=f"{name}-{estate.role}", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        eks.create_fargate_profile(
            fargateProfileName=name,
            clusterName=estate.cluster,
            podExecutionRoleArn=roles[name],
            subnets=["subnet-1"],
            selectors=[{"namespace": "shop"}],
        )
    made = printed.pod(node="fargate-ip-10-0-1-23.us-east-1.compute.internal")
    made["metadata"]["labels"]["eks.amazonaws.com/fargate-profile"] = "two"
    data = estate.here(printed.as_json(made))
    ended = run("diagnose", "-", "--cluster", estate.cluster, "-o", "json", stdin=data)
    assert causes(ended.objects[0]) == [("role_lacks_pull_permissions", roles["two"])]
    without = run("diagnose", "-", stdin=data)
    assert without.status == 3
    assert without.out.splitlines()[1].startswith("Next: Add --cluster NAME because fargate-ip-10-0-1-23 is on Fargate")


def test_pods_without_a_failed_pull_need_no_credentials(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "there-is-none")
    ended = run("diagnose", "-", stdin=printed.as_json(printed.running()))
    assert (ended.status, ended.err) == (0, "")


def test_no_region_at_all_is_that_of_the_image(run: Run, estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    instance = estate.provider_id.rpartition("/")[2]
    made = printed.as_json(printed.pod(node=instance))
    ended = run("diagnose", "-", "-o", "json", stdin=estate.here(made))
    assert causes(ended.objects[0]) == [estate.found]


def test_other_kinds_of_pulls_than_are_diagnosed_are_counted(
    run: Run, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pull_responder.cli.kubectl.answers.MOST_DIAGNOSED", 1)
    other = printed.pod("web-b")
    other = json.loads(json.dumps(other).replace("v1.4.2", "v2"))
    ended = run("diagnose", "-", "-o", "json", stdin=estate.here(json.dumps(printed.listed(printed.pod(), other))))
    assert causes(ended.objects[0]) == [estate.found]
    assert ended.objects[1]["skipped"].endswith(
        "kinds of failed pulls: 1, on 1 pods. Give fewer pods, such as those of one namespace"
    )
