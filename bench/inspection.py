"""How many reads an inspection of a cluster takes: that of the clock, of a change, and a second look at one finding.

The cluster has three node groups, a Fargate profile, two of Karpenter's node pools with two nodes each, and twenty
access entries: one each for the roles of the node groups, of Karpenter's nodes, of hybrid nodes and of a pool of which
no node is running, and fourteen of people and controllers. Its account has three repositories. An emulated AWS (moto)
answers; what is counted are the calls that leave, with the one that asks who we are.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import boto3
from moto.server import ThreadedMotoServer

from bench.diagnosis import REGION, instance, role, subnets
from pull_responder.checks import CHECKS, node_group_unhealthy, role_lacks_pull_permissions
from pull_responder.diagnosis import diagnose
from pull_responder.emulator import access_entries, cache_rules, dns_firewall, route53_profiles
from pull_responder.events.eks_change import Inspection
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.pulls.inspections import questions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from botocore.awsrequest import AWSPreparedRequest

    from pull_responder.checks.check import Check

ACCOUNT: Final = "123456789012"
CLUSTER: Final = "prod"
PEOPLE: Final = 14
KARPENTER: Final = f"arn:aws:iam::{ACCOUNT}:role/karpenter"


def build(endpoint: str) -> None:
    """Make the cluster, which is sound."""

    def client(service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return boto3.client(service, region_name=REGION, endpoint_url=endpoint)  # type: ignore[call-overload]  # the stubs know services by literal name only

    ec2, iam, eks, ecr = (client(service) for service in ("ec2", "iam", "eks", "ecr"))
    node, public = subnets(ec2)
    for name in ("shop/web", "shop/api", "tools/ci"):
        ecr.create_repository(repositoryName=name)
    group_roles = [role(iam, f"group{number}", "ec2") for number in range(3)]
    pods = role(iam, "pods", "eks-fargate-pods")
    karpenter, idle, hybrid = role(iam, "karpenter", "ec2"), role(iam, "idle", "ec2"), role(iam, "hybrid", "ssm")
    people = [role(iam, f"people{number}", "eks") for number in range(PEOPLE)]
    eks.create_cluster(name=CLUSTER, roleArn=group_roles[0], resourcesVpcConfig={"subnetIds": [node, public]})
    for number, each in enumerate(group_roles):
        name = f"group{number}"
        eks.create_nodegroup(clusterName=CLUSTER, nodegroupName=name, subnets=[node], nodeRole=each)
        instance(ec2, node, name, {"eks:cluster-name": CLUSTER, "eks:nodegroup-name": name})
    eks.create_fargate_profile(
        clusterName=CLUSTER,
        fargateProfileName="pods",
        subnets=[node],
        podExecutionRoleArn=pods,
        selectors=[{"namespace": "default"}],
    )
    for pool in ("spot", "spot", "general", "general"):
        tags = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "karpenter.sh/nodepool": pool}
        instance(ec2, node, "karpenter", tags)
    for arn in (*group_roles, karpenter, idle):
        eks.create_access_entry(clusterName=CLUSTER, principalArn=arn, type="EC2_LINUX")
    eks.create_access_entry(clusterName=CLUSTER, principalArn=hybrid, type="HYBRID_LINUX")
    for arn in people:
        eks.create_access_entry(clusterName=CLUSTER, principalArn=arn, type="STANDARD")


def inspect(inspection: Inspection, checks: Sequence[Check], session: boto3.session.Session) -> list[str]:
    """Inspect as the responder does, and return what was asked about. Exits where that finds something."""
    reader = Reader(Aws(session, member_role="PullResponderReadOnly"))
    asked = []
    for question in questions(inspection, reader, known_principals=()):
        if isinstance(question, Unread):
            raise SystemExit(question.reason)
        diagnosis = diagnose(question.pull, question.facts, checks=checks)
        if diagnosis.findings:
            raise SystemExit(f"the estate is sound, and yet: {[each.cause for each in diagnosis.findings]}")
        nodes = question.facts.asked
        asked.append(f"{nodes.name if nodes else CLUSTER}: {question.pull.repository or 'a token and the way'}")
    return asked


def main() -> None:
    """Count and print."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": os.devnull}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    access_entries.apply()
    cache_rules.apply()
    route53_profiles.apply_to_moto()
    dns_firewall.apply()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
        build(os.environ["AWS_ENDPOINT_URL"])
        count()
    finally:
        server.stop()


def count() -> None:
    """Inspect in each way, and print what that took."""
    calls: Counter[str] = Counter()

    def before_send(request: AWSPreparedRequest, event_name: str, **_: object) -> None:  # noqa: ARG001 -- as botocore calls it
        calls[event_name.rpartition(".")[2]] += 1

    session = boto3.session.Session(region_name=REGION)
    session.events.register("before-send", before_send)
    inspections = {
        "by the clock": (Inspection(ACCOUNT, REGION, health_only=True), (node_group_unhealthy.CHECK,)),
        "after a change of the cluster": (Inspection(ACCOUNT, REGION, CLUSTER), CHECKS),
        "a finding of Karpenter's role, again": (
            Inspection(ACCOUNT, REGION, CLUSTER, role_arn=KARPENTER),
            (role_lacks_pull_permissions.CHECK,),
        ),
    }
    for name, (inspection, checks) in inspections.items():
        calls.clear()
        asked = inspect(inspection, checks, session)
        print(f"{name}: {calls.total()} calls for {len(asked)} questions")  # noqa: T201 -- what a benchmark is for
        print("  " + ", ".join(f"{number} {call}" for call, number in calls.most_common()))  # noqa: T201 -- the same
        for each in asked:
            print(f"  {each}")  # noqa: T201 -- the same


if __name__ == "__main__":
    main()
