"""The other signals than CloudTrail: what they bring to the queue, and what comes of them together."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.handlers import connection, diagnose
from pull_responder.model.unread import Unread
from pull_responder.settings import read_settings
from tests.integration.handlers.test_diagnose import (
    ACCOUNT,
    Context,
    Inbox,
    batch,
    denial,
    failed,
    imported,
    inbox,
    metrics,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["inbox"]

EVENTS = Path(__file__).parents[2] / "events"
REGISTRY = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def node(aws: EmulatedAws) -> tuple[str, str, str]:
    """A running node with an instance profile: its role, which may do nothing, its id, and its name by its id."""
    role = f"node-{uuid4().hex[:8]}"
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    iam.create_role(
        RoleName=role,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    iam.create_instance_profile(InstanceProfileName=role)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    tags = [{"Key": "eks:cluster-name", "Value": "prod"}, {"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    (instance,) = aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        IamInstanceProfile={"Name": role},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"]
    return role, instance["InstanceId"], f"{instance['InstanceId']}.ec2.internal"


def forwarded(image: str, host: str, *, cluster: str = "prod", **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    event: dict[str, Any] = json.loads((EVENTS / "kubernetes_events" / "failed.json").read_text())
    message = f'Failed to pull image "{image}": failed to resolve reference "{image}": pulling from host h failed with '
    event["detail"] |= {"message": f"{message}status code 403 Forbidden", "clusterName": cluster}
    event["detail"]["source"] = {"component": "kubelet", "host": host}
    return {**event, "account": ACCOUNT, "source": "kubernetes.events", **changed}


@pytest.fixture
def image(aws: EmulatedAws) -> str:
    name = f"signals/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=name)
    return f"{REGISTRY}/{name}:v1"


@pytest.fixture
def forwarder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_EVENT_SOURCE", "kubernetes.events")


@pytest.mark.usefixtures("forwarder", "inbox")
def test_a_forwarded_event_is_diagnosed_by_the_role_of_its_node(
    aws: EmulatedAws, node: tuple[str, str, str], image: str
) -> None:
    role, _, name = node
    # Another cluster than the instance's tag says: what AWS says counts.
    assert failed(diagnose.handler(batch(forwarded(image, name, cluster="forged")), Context())) == []
    (finding,) = [each for each in imported(aws, role) if each["GeneratorId"].endswith("role_lacks_pull_permissions")]
    assert f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/prod" in [each["Id"] for each in finding["Resources"]]


@pytest.mark.usefixtures("forwarder", "inbox")
def test_a_forwarded_event_about_an_attestation_names_its_tag(
    aws: EmulatedAws, node: tuple[str, str, str], image: str
) -> None:
    name = image.partition("/")[2].partition(":")[0]
    manifest = json.dumps({"schemaVersion": 2, "config": {"size": 1}})
    media_type = "application/vnd.oci.image.manifest.v1+json"
    aws.client("ecr").put_image(
        repositoryName=name, imageTag="v1", imageManifest=manifest, imageManifestMediaType=media_type
    )
    event = forwarded(image, node[2])
    event["detail"]["message"] = (
        f'Failed to pull image "{image}": failed to pull and unpack image "{image}": failed to extract layer '
        "sha256:aa: failed to get stream processor for application/vnd.in-toto+json: no processor for media-type: "
        "unknown"
    )
    # The image was pushed just now, and the failure is told of later.
    event["detail"] |= dict.fromkeys(("firstTimestamp", "lastTimestamp", "eventTime"), "2099-01-01T00:00:00Z")
    assert failed(diagnose.handler(batch(event), Context())) == []
    pages = aws.client("securityhub").get_paginator("get_findings").paginate()
    found = [each for page in pages for each in page["Findings"] if each["Resources"][0]["Id"].endswith(f"{name}:v1")]
    assert [each["GeneratorId"] for each in found] == ["pull-responder/image_not_found"]
    assert "is no container image" in found[0]["Description"]


@pytest.mark.usefixtures("forwarder")
def test_a_forged_event_about_no_node_of_ours_finds_nothing(
    inbox: Inbox, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = forwarded(image, "i-00000000000000000.ec2.internal", cluster="none")
    foreign = forwarded(image, "i-00000000000000000.ec2.internal", account="222222222222")
    assert failed(diagnose.handler(batch(nowhere, foreign), Context())) == []
    assert inbox.messages() == []
    counted = metrics(capsys.readouterr().out)
    assert (counted["PullsInconclusive"], counted["EventsSkipped"]) == (1, 1)


@pytest.mark.usefixtures("inbox")
def test_without_a_forwarder_in_the_settings_its_events_are_skipped(
    node: tuple[str, str, str], image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(diagnose.handler(batch(forwarded(image, node[2])), Context())) == []
    assert metrics(capsys.readouterr().out)["EventsSkipped"] == 1


def cloudtrail(call: str, **request: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A call to EKS that succeeded, as EventBridge delivers it."""
    detail = {"eventSource": "eks.amazonaws.com", "eventName": call, "requestParameters": request}
    envelope = {"source": "aws.eks", "detail-type": "AWS API Call via CloudTrail", "time": "2026-03-01T12:00:00Z"}
    return {**envelope, "id": str(uuid4()), "account": ACCOUNT, "region": "us-east-1", "detail": detail}


@pytest.fixture
def node_group(aws: EmulatedAws) -> tuple[str, str]:
    """A cluster with a node group of the same name that has no instance yet, whose role may do nothing: both names."""
    name, role = (f"{kind}-{uuid4().hex[:8]}" for kind in ("new", "node"))
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    subnet = aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    eks, arn = aws.client("eks"), f"arn:aws:iam::{ACCOUNT}:role/{role}"
    eks.create_cluster(name=name, roleArn=arn, resourcesVpcConfig={"subnetIds": [subnet]})
    eks.create_nodegroup(clusterName=name, nodegroupName=name, subnets=[subnet], nodeRole=arn)
    return name, role


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize(
    "change",
    [
        lambda name: cloudtrail("CreateNodegroup", name=name, nodegroupName=name),
        lambda name: cloudtrail("UpdateNodegroupVersion", clusterName=name, nodegroupName=name),
        lambda name: cloudtrail("UpdateClusterConfig", name=name),
    ],
)
def test_nodes_that_cannot_pull_are_found_before_a_pod_fails(
    change: Callable[[str], dict[str, Any]], aws: EmulatedAws, node_group: tuple[str, str]
) -> None:
    name, role = node_group
    assert failed(diagnose.handler(batch(change(name)), Context())) == []
    (finding,) = [each for each in imported(aws, role) if each["GeneratorId"].endswith("role_lacks_pull_permissions")]
    assert f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{name}" in [each["Id"] for each in finding["Resources"]]


def test_the_clock_asks_for_health_and_nothing_else(
    inbox: Inbox, node_group: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    clock = {"source": "aws.events", "detail-type": "Scheduled Event", "region": "us-east-1", "detail": {}}
    assert failed(diagnose.handler(batch({**clock, "account": ACCOUNT}), Context())) == []
    assert inbox.messages() == []
    (about,) = [record for record in caplog.records if vars(record).get("cluster") == node_group[0]]
    assert vars(about)["passed"] == ["node_group_unhealthy"]


@pytest.mark.usefixtures("inbox")
def test_an_upstream_that_refuses_is_found_by_the_registrys_own_event(aws: EmulatedAws) -> None:
    prefix = f"hub{uuid4().hex[:8]}"
    aws.client("ecr").create_pull_through_cache_rule(
        ecrRepositoryPrefix=prefix, upstreamRegistryUrl="registry-1.docker.io", upstreamRegistry="docker-hub"
    )
    event: dict[str, Any] = json.loads((EVENTS / "pull_through_cache_failed.json").read_text())
    event |= {"account": ACCOUNT, "region": "us-east-1", "resources": []}
    event["detail"] |= {"ecr-repository-prefix": prefix, "repository-name": f"{prefix}/library/alpine"}
    assert failed(diagnose.handler(batch(event), Context())) == []
    repository = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{prefix}/library/alpine"
    stored = aws.client("securityhub").get_findings()["Findings"]
    found = [each["GeneratorId"] for each in stored if repository in [resource["Id"] for resource in each["Resources"]]]
    assert found == ["pull-responder/pull_through_cache_failing"]


@pytest.mark.usefixtures("forwarder")
def test_one_failure_in_several_signals_is_one_finding(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str, str], image: str
) -> None:
    role, instance, name = node
    repository = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{image.partition('/')[2].removesuffix(':v1')}"
    of_cloudtrail = denial(role, instance, action="BatchGetImage", resource=repository)
    on_the_node = forwarded(image, name)
    back_off = forwarded(image, name)
    back_off["detail"] |= {"reason": "BackOff", "message": f'Back-off pulling image "{image}"'}
    assert failed(diagnose.handler(batch(of_cloudtrail, on_the_node, back_off), Context())) == []
    (message,) = [each["Message"] for each in inbox.messages() if f"role/{role}" in each["Message"]]
    assert "web-7c9d8b5f6-x2x9k" in message
    assert "no identity-based policy allows the ecr:BatchGetImage action" in message
    findings = [each for each in imported(aws, role) if each["GeneratorId"].endswith("role_lacks_pull_permissions")]
    assert len({each["Id"] for each in findings}) == 1


def addon_event(cluster: str, addon: str, detail_type: str = "EKS Addon Health Degraded") -> dict[str, Any]:
    """An event that EKS itself sends of an add-on."""
    arn = f"arn:aws:eks:us-east-1:{ACCOUNT}:addon/{cluster}/{addon}/{uuid4()}"
    envelope = {"source": "aws.eks", "detail-type": detail_type, "time": "2026-03-01T12:00:00Z", "resources": [arn]}
    return {**envelope, "id": str(uuid4()), "account": ACCOUNT, "region": "us-east-1", "detail": {}}


def addon_issue(aws: EmulatedAws, cluster: str, addon: str, *codes: str) -> None:
    """Have DescribeAddon report issues, which the emulator cannot. Its answer of the running process is amended."""
    aws.client("eks").create_addon(clusterName=cluster, addonName=addon)
    client = connection.connect(read_settings(os.environ), Context().invoked_function_arn).client(
        "eks", account=None, region="us-east-1"
    )
    assert not isinstance(client, Unread)
    issues = [{"code": code, "message": "of EKS", "resourceIds": None} for code in codes]
    amended = {"status": "DEGRADED", "health": {"issues": issues}}
    client.meta.events.register("after-call.eks.DescribeAddon", lambda parsed, **_: parsed["addon"].update(amended))


@pytest.mark.usefixtures("inbox")
@pytest.mark.parametrize(
    "failure", ["EKS Addon Creation Failed", "EKS Addon Update Failed", "EKS Addon Health Degraded"]
)
@pytest.mark.parametrize("codes", [(), ("InsufficientNumberOfReplicas",), ("AccessDenied", "ConfigurationConflict")])
def test_an_add_on_whose_pods_cannot_pull_is_found_by_the_event_of_eks(
    failure: str, codes: tuple[str, ...], aws: EmulatedAws, node_group: tuple[str, str]
) -> None:
    name, role = node_group
    addon_issue(aws, name, "coredns", *codes)
    assert failed(diagnose.handler(batch(addon_event(name, "coredns", failure)), Context())) == []
    (finding,) = [each for each in imported(aws, role) if each["GeneratorId"].endswith("role_lacks_pull_permissions")]
    assert f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{name}" in [each["Id"] for each in finding["Resources"]]
    assert "602401143452:repository/eks/coredns" in json.dumps(finding)


@pytest.mark.parametrize("code", ["ConfigurationConflict", "AdmissionRequestDenied", "K8sResourceNotFound"])
def test_an_add_on_that_fails_for_another_reason_is_skipped_with_a_word(
    code: str, inbox: Inbox, aws: EmulatedAws, node_group: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    name, _ = node_group
    addon_issue(aws, name, "coredns", code)
    assert failed(diagnose.handler(batch(addon_event(name, "coredns")), Context())) == []
    assert inbox.messages() == []
    word = f"add-on coredns of cluster {name}: EKS reports {code}, which is not about pulling its images"
    assert {word: 1} in [vars(record).get("reasons") for record in caplog.records]


@pytest.mark.usefixtures("inbox")
def test_an_add_on_and_a_refused_call_of_the_same_role_are_one_finding(
    aws: EmulatedAws, node_group: tuple[str, str]
) -> None:
    name, role = node_group
    aws.client("eks").create_addon(clusterName=name, addonName="vpc-cni")
    refused = denial(role, "i-0a1b2c3d4e5f60718")
    for events in ([addon_event(name, "vpc-cni")], [refused]):
        assert failed(diagnose.handler(batch(*events), Context())) == []
    found = [each for each in imported(aws, role) if each["GeneratorId"].endswith("role_lacks_pull_permissions")]
    assert len({each["Id"] for each in found}) == 1


def of_the_agent(reason: str = "ContainerRuntimeReady", message: str = "KubeletFailed: words") -> dict[str, Any]:
    event = forwarded(f"{REGISTRY}/app:v1", "i-00000000000000000.ec2.internal")
    node = {"kind": "Node", "name": "ip-10-0-1-23.ec2.internal"}
    event["detail"] |= {"reason": reason, "message": message, "involvedObject": node}
    event["detail"]["source"] = {"component": "eks-node-monitoring-agent"}
    return event


@pytest.mark.usefixtures("forwarder")
@pytest.mark.parametrize(
    ("event", "word"),
    [
        (addon_event("prod", "coredns", "EKS Fargate Pod Scheduled Termination"), "which is no failed pull"),
        (addon_event("prod", "coredns", "EKS Addon Health Restored"), "nothing to diagnose"),
        (
            {**addon_event("prod", "coredns"), "resources": []},
            "EKS Addon Health Degraded that does not name its cluster",
        ),
        ({**addon_event("prod", "coredns"), "account": "222222222222"}, "in another account or region than the event"),
        (of_the_agent(), "reports KubeletFailed of node ip-10-0-1-23.ec2.internal: a matter of the node's health"),
    ],
)
def test_what_eks_and_its_agent_say_of_no_pull_is_skipped_with_a_word(
    event: dict[str, Any], word: str, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert inbox.messages() == []
    ((reason, count),) = [item for record in caplog.records for item in vars(record).get("reasons", {}).items()]
    assert (word in reason, count) == (True, 1)


@pytest.mark.usefixtures("forwarder", "inbox")
@pytest.mark.parametrize("cluster", ["prod", ""])
def test_an_instance_without_a_clusters_tag_is_a_node_only_of_the_cluster_that_the_event_names(
    aws: EmulatedAws, node: tuple[str, str, str], image: str, cluster: str
) -> None:
    role, instance, name = node
    tags = aws.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [instance]}])["Tags"]
    aws.client("ec2").delete_tags(Resources=[instance], Tags=[{"Key": each["Key"]} for each in tags])
    assert failed(diagnose.handler(batch(forwarded(image, name, cluster=cluster)), Context())) == []
    found = [each for each in imported(aws, role) if each["GeneratorId"].endswith("role_lacks_pull_permissions")]
    assert bool(found) is bool(cluster)
