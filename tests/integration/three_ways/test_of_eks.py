"""What Amazon EKS runs: its add-ons by its own events, and a Fargate pod of one of them by the audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.facts.aws import Aws
from pull_responder.model.unread import Unread
from tests.integration.handlers.test_diagnose import ACCOUNT
from tests.integration.handlers.test_signals import addon_event, node_group
from tests.integration.three_ways.room import OF_AWS, image_of
from tests.unit.events.audit_records import RECORD, container, delivered, record

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.three_ways.room import Room
    from tests.integration.three_ways.ways import Ways

__all__ = ["node_group"]

DEGRADED = "EKS Addon Health Degraded"
LACKS = "role_lacks_pull_permissions"
COREDNS = image_of("eks/coredns", registry=f"{OF_AWS}.dkr.ecr.us-east-1.amazonaws.com")


def report_issues(monkeypatch: pytest.MonkeyPatch, *codes: str) -> None:
    """Have DescribeAddon report issues to everybody, which the emulator cannot. Its answers are amended."""
    issues = [{"code": code, "message": "of EKS", "resourceIds": None} for code in codes]
    amended, connect = {"status": "DEGRADED", "health": {"issues": issues}}, Aws.client

    def client(self: Aws, service: str, **where: Any) -> Any:  # noqa: ANN401 -- as Aws.client
        made = connect(self, service, **where)
        if service == "eks" and not isinstance(made, Unread):
            made.meta.events.register(
                "after-call.eks.DescribeAddon",
                lambda parsed, **_: parsed["addon"].update(amended),
                unique_id="issues",
            )
        return made

    monkeypatch.setattr(Aws, "client", client)


@pytest.mark.parametrize(
    ("failure", "codes"),
    [
        ("EKS Addon Creation Failed", ()),
        ("EKS Addon Update Failed", ("AccessDenied", "ConfigurationConflict")),
        (DEGRADED, ("InsufficientNumberOfReplicas",)),
    ],
)
def test_an_add_on_whose_nodes_may_not_pull(
    failure: str, codes: tuple[str, ...], ways: Ways, node_group: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, role = node_group
    ways.aws.client("eks").create_addon(clusterName=cluster, addonName="coredns")
    report_issues(monkeypatch, *codes)
    event = addon_event(cluster, "coredns", failure)
    answer, _ = ways.terminal(event)
    assert (LACKS, f"arn:aws:iam::{ACCOUNT}:role/{role}") in answer.found
    deployed, notified = ways.deployed(event)
    assert deployed == answer
    (finding,) = [each for each in notified if each["cause"] == LACKS]
    assert f"{OF_AWS}:repository/eks/coredns" in " ".join(finding["evidence"])


@pytest.mark.parametrize("code", ["ConfigurationConflict", "AdmissionRequestDenied"])
def test_an_add_on_that_fails_for_another_reason_is_skipped(
    code: str, ways: Ways, node_group: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, _ = node_group
    ways.aws.client("eks").create_addon(clusterName=cluster, addonName="coredns")
    report_issues(monkeypatch, code)
    word = f"add-on coredns of cluster {cluster}: EKS reports {code}, which is not about pulling its images"
    assert ways.skipped(addon_event(cluster, "coredns", DEGRADED)) == word


@pytest.fixture
def fargate(aws: EmulatedAws, room: Room) -> tuple[str, str]:
    """A cluster with a Fargate profile whose pod execution role has no policy, in a VPC whose way cannot be followed.

    The names of both.
    """
    cluster, role = (f"{kind}-{uuid4().hex[:8]}" for kind in ("pods", "execution"))
    statement = {"Effect": "Allow", "Principal": {"Service": "eks-fargate-pods.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [{**statement, "Action": "sts:AssumeRole"}]}
    aws.client("iam").create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))
    eks, arn = aws.client("eks"), f"arn:aws:iam::{ACCOUNT}:role/{role}"
    eks.create_cluster(name=cluster, roleArn=arn, resourcesVpcConfig={"subnetIds": [room.spoke.subnet]})
    eks.create_fargate_profile(
        clusterName=cluster,
        fargateProfileName="system",
        subnets=[room.spoke.subnet],
        podExecutionRoleArn=arn,
        selectors=[{"namespace": "kube-system"}],
    )
    return cluster, role


def test_a_fargate_pod_whose_execution_role_has_no_policy(ways: Ways, fargate: tuple[str, str]) -> None:
    cluster, role = fargate
    asked = f"https://{OF_AWS}.dkr.ecr.us-east-1.amazonaws.com/v2/eks/coredns/manifests/v1"
    message = (
        f'failed to pull and unpack image "{COREDNS}": failed to resolve reference "{COREDNS}": unexpected status from '
        f"HEAD request to {asked}: 401 Unauthorized"
    )
    session = "0f3c5d7a9b1e2f4a6c8d0e1f2a3b4c5d"
    extra = {"arn": [f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"], "sessionName": [session]}
    user = {**RECORD["user"], "username": "system:node:fargate-ip-10-0-1-77.ec2.internal", "extra": extra}
    pod = {**RECORD["objectRef"], "namespace": "kube-system", "name": "coredns-7c9d8b5f6-x2x9k"}
    denied = record(container(COREDNS, message=message), user=user, objectRef=pod)
    document = delivered(denied, owner=ACCOUNT, logGroup=f"/aws/eks/{cluster}/cluster")

    explained = ways.explain(message)
    assert (explained["symptom"], explained["stage"], explained["image"]) == ("not_authenticated", "manifest", COREDNS)
    assert LACKS in explained["can_mean"]
    answer, pull = ways.terminal(document)
    assert answer.found == {(LACKS, f"arn:aws:iam::{ACCOUNT}:role/{role}")}
    assert (pull["cluster"], pull["pod"], pull["symptom"]) == (cluster, pod["name"], "not_authenticated")
    deployed, _ = ways.deployed(document)
    assert deployed == answer
