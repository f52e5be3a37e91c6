"""Pages to look at: pulls that fail by policies and on the way, several at once, and hostile names in every field."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pull_responder.cli.as_json import diagnosis_object
from pull_responder.diagnosis import Diagnosis, Examined, Undecided
from pull_responder.findings.finding import Finding
from pull_responder.model.pull import Denial, Stage, Symptom
from pull_responder.model.verdict import DecidingPolicy, Remediation, Resource, Severity, Status
from pull_responder.page.diagnosis_page import ReportedPull, diagnosis_page
from pull_responder.pulls.nodes import Nodes
from pull_responder.pulls.path import PullPath
from pull_responder.pulls.puller import Puller
from tests.unit.network.enterprise import enterprise
from tests.unit.network.estate import behind_nat, isolated
from tests.unit.publish.examples import FINDING, PRINCIPAL, PULL, ROLE

MADE: Final = "Read from AWS until 2026-05-04 10:12 UTC"
BY: Final = "Made by pull-responder"
# Each of these would run if it became markup, or would break what stands around it.
HOSTILE: Final = (
    "<script>ran = 1</script>",
    "<img src=x onerror='ran = 1'>",
    "</title></style></script><svg onload='ran = 1'>",
    "\"><iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    "' onmouseover='ran = 1' x='",
    "javascript:ran=1",
    "\u202e\u2066gnp.exe\u2069\u200b\x00\x1b[2J\r\n\ud800",
    "&lt;b&gt;&#x202e;<!--",
    "שלום עולם",
    "x" * 10_000,
)
DENIES: Final = DecidingPolicy(
    "inline policy pull",
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Logs", "Effect": "Allow", "Action": "logs:*", "Resource": "*"},
            {"Sid": "NoPulls", "Effect": "Deny", "Action": "ecr:*", "Resource": "*"},
        ],
    },
    (1,),
)


def denied(finding: Finding = FINDING, policy: DecidingPolicy = DENIES) -> ReportedPull:
    """A pull that a policy stops."""
    undo = (("aws", "iam", "detach-role-policy", "--role-name", "node"),)
    finding = replace(finding, remediation=replace(finding.remediation, undo=undo))
    diagnosis = Diagnosis(
        finding.pull,
        Puller(for_eks=True, because="its session is an instance's", cluster="prod"),
        findings=(finding,),
        unchecked=(Undecided("scp_blocks_pull", "organizations:ListPolicies was denied", "Grant it."),),
        passed=("repository_not_found",),
        role_arn=ROLE,
        examined=(
            Examined(finding.cause, Status.FAILED, finding.evidence, (policy,)),
            Examined("repository_not_found", Status.PASSED, ("The repository payments/api is there.",)),
            Examined("registry_policy_denies_pull", Status.NOT_APPLICABLE, ("there is no registry policy",)),
        ),
    )
    return ReportedPull(diagnosis, None, None, None, diagnosis_object(diagnosis))


def unreachable() -> ReportedPull:
    """A pull from a subnet without a way out, while another subnet has one."""
    broken, working = isolated(), behind_nat()
    nodes = Nodes("node group workers of cluster prod", "111111111111", "eu-west-1", "vpc-1", cluster="prod")
    other = replace(working.node, name="i-2", subnet_id="subnet-other")
    path = PullPath(nodes, broken.network, "aws", ((broken.node, broken.trace()),), others=((other, working.trace()),))
    subnet = "arn:aws:ec2:eu-west-1:111111111111:subnet/subnet-node"
    pull = replace(PULL, symptom=Symptom.TIMEOUT, stage=Stage.TOKEN, denial=None, message="dial tcp: i/o timeout")
    finding = replace(
        FINDING,
        cause="no_route_to_ecr",
        title="No route leads from the node to the registry",
        resource=Resource("AwsEc2Subnet", subnet, "111111111111"),
        explanation="Subnet subnet-node has no route to the registry.",
        evidence=("no route of rtb-node leads to the public internet",),
        remediation=Remediation(
            "Route 0.0.0.0/0 to nat-1.",
            "111111111111",
            "eu-west-1",
            "https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html",
            (("aws", "ec2", "create-route", "--route-table-id", "rtb-node", "--nat-gateway-id", "nat-1"),),
        ),
        pull=pull,
    )
    diagnosis = Diagnosis(pull, Puller(for_eks=True, because="", cluster="prod"), (finding,), role_arn=ROLE)
    return ReportedPull(diagnosis, path, None, None, diagnosis_object(diagnosis, path))


def undecided() -> ReportedPull:
    """A pull of which nothing is decided."""
    left = Undecided("image_not_found", "ecr:DescribeImages was denied", "Grant ecr:DescribeImages, and ask again.")
    diagnosis = Diagnosis(PULL, Puller(for_eks=True, because=""), inconclusive=(left,), role_arn=ROLE)
    return ReportedPull(diagnosis, None, None, None, diagnosis_object(diagnosis))


def healthy() -> ReportedPull:
    """A question to which nothing is wrong."""
    diagnosis = Diagnosis(replace(PULL, symptom=Symptom.UNKNOWN, denial=None), Puller(for_eks=True, because=""))
    return ReportedPull(
        diagnosis, None, "111111111111.dkr.ecr.eu-west-1.amazonaws.com/app", "all nodes", diagnosis_object(diagnosis)
    )


def distant() -> ReportedPull:
    """A pull over a transit gateway and an egress VPC of other accounts, whose answers have no way back."""
    estate = enterprise().table("shared")
    nodes = Nodes("node group workers of cluster prod", "111111111111", "eu-west-1", "vpc-1", cluster="prod")
    path = PullPath(nodes, estate.network(), "aws", ((estate.spoke.node, estate.trace()),))
    table = "arn:aws:ec2:eu-west-1:444444444444:transit-gateway-route-table/tgw-rtb-shared"
    finding = replace(
        FINDING,
        cause="transit_gateway_blocks_traffic",
        title="A transit gateway drops the traffic to the registry",
        resource=Resource("Other", table, "444444444444"),
        explanation="Route table tgw-rtb-shared has no route for answers.",
        evidence=("route table tgw-rtb-shared: no routes",),
        remediation=Remediation(
            "Add a route.", "444444444444", "eu-west-1", "https://docs.aws.amazon.com/vpc/latest/tgw/"
        ),
        pull=replace(PULL, symptom=Symptom.TIMEOUT, stage=Stage.TOKEN, denial=None, message="i/o timeout"),
    )
    diagnosis = Diagnosis(finding.pull, Puller(for_eks=True, because="", cluster="prod"), findings=(finding,))
    return ReportedPull(diagnosis, path, None, None, diagnosis_object(diagnosis, path))


def hostile(text: str) -> ReportedPull:
    """A pull of which every text that others write is `text`."""
    arn = f"arn:aws:iam::111111111111:role/{text}"
    pull = replace(
        PULL,
        denial=Denial(action=text, resource=arn, message=text),
        principal=replace(PRINCIPAL, arn=arn, name=text, session_name=text, role_arn=arn),
        repository=text,
        tag=text,
        cluster=text,
        node=text,
        namespace=text,
        pod=text,
        message=text,
        observed_at=text,
    )
    finding = replace(
        FINDING,
        title=text,
        resource=Resource("AwsIamRole", arn, text),
        explanation=text,
        evidence=(text, text),
        remediation=Remediation(text, text, text, text, (("aws", text),), for_many=text, undo=(("aws", text),)),
        pull=pull,
        cluster=text,
    )
    policy = DecidingPolicy(text, {"Version": text, text: text, "Statement": [{"Sid": text, "Action": [text]}]}, (0,))
    examined = (Examined(finding.cause, Status.FAILED, (text,), (policy, DecidingPolicy(text, {"Statement": []}))),)
    left = (Undecided("image_not_found", text, text),)
    diagnosis = Diagnosis(
        pull, Puller(for_eks=True, because=text, cluster=text), (finding,), left, left, role_arn=arn, examined=examined
    )
    return ReportedPull(diagnosis, None, None, text, diagnosis_object(diagnosis))


def page(*pulls: ReportedPull, not_asked: tuple[str, ...] = ()) -> str:
    """The page of these pulls."""
    return diagnosis_page(pulls, not_asked, made=MADE, by=BY)


def second(pull: ReportedPull, severity: Severity) -> ReportedPull:
    """The same pull with its findings of another severity."""
    findings = tuple(replace(each, severity=severity) for each in pull.diagnosis.findings)
    return replace(pull, diagnosis=replace(pull.diagnosis, findings=findings))
