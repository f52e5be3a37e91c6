from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.emulator.emulated_aws import EmulatedAws

    Run = Callable[..., "Ended"]

EVENTS = Path(__file__).parents[2] / "events"
ACCOUNT = "123456789012"
PULL_KEYS = {
    *("image", "registry_account", "region", "repository", "tag", "digest", "role_arn", "cluster", "node"),
    *("namespace", "pod", "symptom", "stage", "observed_at"),
}
KEYS = {"pull", "skipped", "findings", "inconclusive", "unchecked", "passed"}


class Ended:
    """How a command ended."""

    def __init__(self, status: object, out: str, err: str) -> None:
        self.status = status
        self.out = out
        self.err = err

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def run(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`pull-responder` against the emulated AWS."""
    for key, value in aws.environment.items():
        monkeypatch.setenv(key, value)

    def command(*arguments: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "argv", ["pull-responder", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code, *capsys.readouterr())

    return command


def event(session: str, role: str, *, reason: str = "", repository: str = "app") -> bytes:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"
    resource = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{repository}"
    record = {
        "eventSource": "ecr.amazonaws.com",
        "eventName": "BatchGetImage",
        "awsRegion": "us-east-1",
        "eventTime": "2026-03-01T12:00:00Z",
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {arn} is not authorized to perform: ecr:BatchGetImage on resource: {resource}{reason}",
        "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT},
    }
    envelope = {"source": "aws.ecr", "detail-type": "AWS API Call via CloudTrail", "account": ACCOUNT, "detail": record}
    return json.dumps(envelope).encode()


@pytest.fixture
def node(aws: EmulatedAws) -> tuple[str, str, str]:
    """A node whose role may not pull: instance, role, and the repository's name."""
    role, repository = f"node-{uuid4().hex[:8]}", f"app-{uuid4().hex[:8]}"
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    aws.client("ecr").create_repository(repositoryName=repository)
    tags = [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    instances = aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    return instances["Instances"][0]["InstanceId"], role, repository


def test_a_cause_is_exit_status_1(run: Run, node: tuple[str, str, str]) -> None:
    instance, role, repository = node
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=event(instance, role, repository=repository))
    assert ended.status == 1
    (answer,) = ended.objects
    assert answer.keys() >= KEYS
    assert answer["pull"].keys() == PULL_KEYS
    assert answer["pull"] | {"role_arn": ""} == {
        "image": f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{repository}",
        "registry_account": ACCOUNT,
        "region": "us-east-1",
        "repository": repository,
        "tag": None,
        "digest": None,
        "role_arn": "",
        "cluster": "prod",
        "node": instance,
        "namespace": None,
        "pod": None,
        "symptom": "access_denied",
        "stage": "manifest",
        "observed_at": "2026-03-01T12:00:00Z",
    }
    assert answer["pull"]["role_arn"] == f"arn:aws:iam::{ACCOUNT}:role/{role}"
    (finding,) = answer["findings"]
    assert finding["cause"] == "role_lacks_pull_permissions"
    assert finding["resource"] == {"type": "AwsIamRole", "id": f"arn:aws:iam::{ACCOUNT}:role/{role}"}
    assert finding["remediation"]["commands"] == [
        (
            f"aws iam attach-role-policy --role-name {role} "
            "--policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly --region us-east-1"
        )
    ]


def test_a_refusal_by_a_registry_of_aws_is_exit_status_3_and_names_what_is_left(
    run: Run, aws: EmulatedAws, node: tuple[str, str, str]
) -> None:
    instance, role, _ = node
    pull_only = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
    aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=pull_only)
    reason = " because no resource-based policy allows the ecr:BatchGetImage action"
    told = event(instance, role, reason=reason, repository="eks/coredmz")
    told = told.replace(f":{ACCOUNT}:repository".encode(), b":602401143452:repository")
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=told)
    assert ended.status == 3
    (answer,) = ended.objects
    assert answer["findings"] == []
    (left,) = [each for each in answer["inconclusive"] if each["cause"] == "repository_not_found"]
    assert "the image's name, its tag or the region is what is left" in left["reason"]


def test_the_text_names_cause_proof_and_fix(run: Run, node: tuple[str, str, str]) -> None:
    instance, role, repository = node
    ended = run("diagnose", "--event", "-", stdin=event(instance, role, repository=repository))
    assert ended.status == 1
    lines = ended.out.splitlines()
    policy = "--policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly --region us-east-1"
    command = f"aws iam attach-role-policy --role-name {role} {policy}"
    assert lines[:3] == [
        f"HIGH: The role does not allow the pull (role {role})",
        f"Run in account {ACCOUNT}, us-east-1: {command}",
        f"Pod not known, image {repository}, node {instance}, cluster prod",
    ]
    assert f"Broken     AwsIamRole arn:aws:iam::{ACCOUNT}:role/{role}" in lines
    assert "ecr:BatchGetImage or ecr:GetDownloadUrlForLayer on arn:aws:ecr:us-east-1" in ended.out


def test_fixed_since_is_exit_status_0_and_said(run: Run, node: tuple[str, str, str], aws: EmulatedAws) -> None:
    instance, role, repository = node
    policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
    aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    reason = " because no identity-based policy allows the ecr:BatchGetImage action"
    failure = event(instance, role, repository=repository, reason=reason)
    ended = run("diagnose", "--event", "-", stdin=failure)
    assert ended.status == 0
    assert ended.out.startswith("No fault found: image ")
    assert "allows this pull now" in ended.out
    assert ended.out.count("\n") == 1
    (answer,) = run("diagnose", "--event", "-", "--format", "json", stdin=failure).objects
    assert answer["findings"] == answer["inconclusive"] == []
    assert "role_lacks_pull_permissions" in answer["passed"]


def test_nothing_found_but_something_open_is_exit_status_3(
    run: Run, node: tuple[str, str, str], aws: EmulatedAws
) -> None:
    instance, role, repository = node
    policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
    aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=event(instance, role, repository=repository))
    assert ended.status == 3
    assert [each["cause"] for each in ended.objects[0]["inconclusive"]] == ["endpoint_policy_blocks_pull"]


def test_a_change_of_nodes_that_are_gone_is_skipped_with_a_word(run: Run) -> None:
    detail = {"eventName": "CreateNodegroup", "requestParameters": {"name": "gone", "nodegroupName": "workers"}}
    change = {"source": "aws.eks", "account": ACCOUNT, "region": "us-east-1", "detail": detail}
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(change).encode())
    (answer,) = ended.objects
    assert (ended.status, answer["findings"]) == (0, [])
    assert answer["skipped"] == "cluster gone has no nodes in us-east-1"


def of_addon(cluster: str, *, detail_type: str = "EKS Addon Health Degraded", **changed: str) -> bytes:
    """An event that EKS itself sends of the add-on coredns."""
    detail = {"clusterName": cluster, "addonName": "coredns"}
    envelope = {"source": "aws.eks", "detail-type": detail_type, "account": ACCOUNT, "region": "us-east-1"}
    return json.dumps({**envelope, "detail": detail, **changed}).encode()


def test_an_add_on_whose_pods_cannot_pull_is_exit_status_1(run: Run, aws: EmulatedAws) -> None:
    role, cluster = (f"{kind}-{uuid4().hex[:8]}" for kind in ("node", "addons"))
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    subnet = aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    eks = aws.client("eks")
    eks.create_cluster(name=cluster, roleArn=arn, resourcesVpcConfig={"subnetIds": [subnet]})
    eks.create_nodegroup(clusterName=cluster, nodegroupName="workers", subnets=[subnet], nodeRole=arn)
    eks.create_addon(clusterName=cluster, addonName="coredns")
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=of_addon(cluster))
    (answer,) = ended.objects
    assert (ended.status, answer["skipped"]) == (1, None)
    assert answer["pull"]["repository"] == "eks/coredns"
    (finding,) = [each for each in answer["findings"] if each["cause"] == "role_lacks_pull_permissions"]
    assert finding["resource"]["id"] == arn
    assert any(f"--role-name {role}" in command for command in finding["remediation"]["commands"])
    # The repositories of AWS's registry cannot be read, and that is no fault.
    mentioned = {each["cause"] for each in (*answer["findings"], *answer["inconclusive"])}
    assert not mentioned & {"repository_not_found", "image_not_found", "repository_policy_lacks_grant"}


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        (of_addon("gone"), "cluster gone has no nodes in us-east-1"),
        (of_addon("a b"), "EKS Addon Health Degraded that does not name its cluster"),
        (of_addon("gone", detail_type="EKS Addon Health Restored"), "EKS Addon Health Restored: nothing to diagnose"),
        (of_addon("gone", detail_type="EKS Fargate Pod Scheduled Termination"), "which is no failed pull"),
        (of_addon("gone", account="x"), "EKS Addon Health Degraded without account or region"),
    ],
)
def test_an_event_of_eks_about_no_pull_is_skipped_with_a_word(run: Run, stdin: bytes, said: str) -> None:
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=stdin)
    (answer,) = ended.objects
    assert (ended.status, ended.err, answer["findings"]) == (0, "", [])
    assert said in answer["skipped"]


def test_an_add_on_of_another_account_that_cannot_be_read_is_not_taken_for_sound(
    run: Run, node: tuple[str, str, str]
) -> None:
    instance, role, repository = node
    others = {"body": of_addon("prod", account="222222222222").decode(), "eventSource": "aws:sqs"}
    ours = {"body": event(instance, role, repository=repository).decode(), "eventSource": "aws:sqs"}
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps({"Records": [others, ours]}).encode())
    assert (ended.status, ended.err) == (1, "")
    assert ended.objects[1]["skipped"].startswith(
        "some nodes could not be examined: the health of add-on coredns of cluster prod could not be read: "
    )


def test_nodes_that_cannot_be_asked_about_are_said_and_the_others_are_answered(
    run: Run, node: tuple[str, str, str]
) -> None:
    instance, role, repository = node
    change = {"eventName": "CreateNodegroup", "requestParameters": {"name": "prod", "nodegroupName": "workers"}}
    envelope = {"source": "aws.eks", "detail-type": "AWS API Call via CloudTrail", "region": "us-east-1"}
    unread = {"body": json.dumps({**envelope, "account": "222222222222", "detail": change}), "eventSource": "aws:sqs"}
    denied = {"body": event(instance, role, repository=repository).decode(), "eventSource": "aws:sqs"}
    both = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps({"Records": [unread, denied]}).encode())
    assert both.status == 1
    assert [bool(each["skipped"]) for each in both.objects] == [False, True]
    assert both.objects[1]["skipped"].startswith("some nodes could not be examined: ")


@pytest.mark.parametrize("name", sorted(path.name for path in (EVENTS / "not_ours").glob("*.json")))
def test_what_is_not_ours_is_skipped_with_a_word(run: Run, name: str) -> None:
    ended = run("diagnose", "--event", str(EVENTS / "not_ours" / name), "--format", "json")
    assert ended.status == 0
    (answer,) = ended.objects
    assert answer.keys() >= KEYS
    assert answer["pull"] == dict.fromkeys(PULL_KEYS)
    assert answer["skipped"]
    assert answer["findings"] == answer["inconclusive"] == answer["unchecked"] == answer["passed"] == []


@pytest.mark.parametrize("name", sorted(path.name for path in (EVENTS / "ecr_denials").glob("*.json")))
def test_every_denial_ends_clearly_though_nothing_of_it_exists_here(
    run: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = EVENTS / "ecr_denials" / name
    text = file.read_text(encoding="utf-8")
    # In the emulated AWS, an access key of twelve digits is the root user of that account.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", re.findall(r'"account": "(\d{12})"', text)[0])
    ended = run("diagnose", "--event", str(file), "--format", "json")
    (answer,) = ended.objects
    assert ended.err == ""
    assert ended.status == (1 if answer["findings"] else 3 if answer["inconclusive"] else 0)
    for finding in answer["findings"]:
        # All that an event of strangers can prove here, besides AWS's own words about an instance.
        assert finding["cause"] == "unexpected_principal_denied" or any(
            line.startswith("AWS said: ") for line in finding["evidence"]
        )


def test_a_batch_gives_one_object_for_each_distinct_pull(run: Run, node: tuple[str, str, str]) -> None:
    instance, role, repository = node
    body = event(instance, role, repository=repository).decode()
    other = event(instance, role, repository=repository + "-other").decode()
    batch = {"Records": [{"eventSource": "aws:sqs", "messageId": "m", "body": each} for each in (body, other, body)]}
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(batch).encode())
    assert [answer["pull"]["repository"] for answer in ended.objects] == [repository, repository + "-other"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{not json", "standard input: "),
        (b"", "standard input: "),
        (b"[]", "standard input: the input is not an event"),
        (b'{"hello": "world"}', "standard input: the input is not an event"),
        (b"\xff\xfe\x00", "standard input: byte 2 is not UTF-16"),
        (b"\xff", "standard input: byte 0 is not UTF-8"),
        (b'{"Records": [{"eventSource": "aws:sqs", "body": "{"}]}', "standard input: Records[0]"),
    ],
)
def test_unusable_input_is_one_line_and_exit_status_2(run: Run, text: bytes, said: str) -> None:
    ended = run("diagnose", "--event", "-", stdin=text)
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith(f"pull-responder: {said}")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("diagnose",), "give a file, or - for standard input, or --pod, or --image or --manifests with --cluster"),
        (("diagnose", "--image", "app:1"), "--image needs --cluster, whose nodes are to pull it"),
        (("diagnose", "--event", "/nowhere/event.json"), "/nowhere/event.json: No such file or directory\n"),
        (("diagnose", "pay-6d9-x1"), "pay-6d9-x1: No such file or directory; for a pod give --pod pay-6d9-x1\n"),
        (("diagnose", "shop/pay-6d9-x1"), "No such file or directory; for a pod give --pod shop/pay-6d9-x1\n"),
        (
            ("diagnose", "pod/pay-6d9-x1"),
            "pod/pay-6d9-x1: No such file or directory; for a pod give --pod pay-6d9-x1\n",
        ),
        (("diagnose", "pay.json"), "pay.json: No such file or directory\n"),
        (("diagnose", "pay x1;id"), "pay x1;id: No such file or directory\n"),
        (("diagnose", "--event", "/"), "/: Is a directory"),
        (("diagnose", "--event", "-", "--format", "yaml"), "'yaml' is not one of 'text', 'json'"),
        (("diagnoze",), "No such command 'diagnoze'"),
        (("causes", "role_lacks_pull_permission"), "did you mean role_lacks_pull_permissions?"),
    ],
)
def test_unusable_options_are_one_line_and_exit_status_2(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ended = run(*arguments)
    assert ended.status == 2
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_unusable_settings_are_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KNOWN_PRINCIPALS", "arn:aws:iam::123456789012:role/build")
    ended = run("diagnose", "--event", "-", stdin=event("i-0123456789abcdef0", "node"))
    assert ended.status == 2
    assert ended.err.startswith("pull-responder: KNOWN_PRINCIPALS is not JSON")


def test_aws_region_is_enough(run: Run, node: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    instance, role, repository = node
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=event(instance, role, repository=repository))
    assert [finding["cause"] for finding in ended.objects[0]["findings"]] == ["role_lacks_pull_permissions"]


def test_no_region_at_all_is_the_pull_s(run: Run, node: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION")
    instance, role, repository = node
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=event(instance, role, repository=repository))
    assert [finding["cause"] for finding in ended.objects[0]["findings"]] == ["role_lacks_pull_permissions"]


def test_an_endpoint_that_is_none_is_said(
    run: Run, node: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    instance, role, repository = node
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=event(instance, role, repository=repository))
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "pull-responder: AWS cannot be asked: Invalid endpoint: nonsense\n"


def test_a_role_of_our_own_account_with_the_member_roles_name_is_somebody_else(run: Run) -> None:
    """In our own account we assume no role."""
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=event("pull-responder", "PullResponderReadOnly"))
    assert [each["cause"] for each in ended.objects[0]["findings"]] == ["unexpected_principal_denied"]
