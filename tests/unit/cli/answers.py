"""Diagnoses for the tests of the text: what each test says of them is all that differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from pull_responder.checks import BY_ID
from pull_responder.diagnosis import Diagnosis, Undecided
from pull_responder.findings.finding import Finding, finding_id
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.reason import Reason, Refusal
from pull_responder.model.verdict import Remediation, Resource
from pull_responder.pulls.puller import Puller

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/eks/prod-node"
IMAGE: Final = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/team/app:v1"
NODE: Final = "i-0a1b2c3d4e5f60718"
ATTACH: Final = (
    "aws",
    "iam",
    "attach-role-policy",
    "--role-name",
    "prod-node",
    "--policy-arn",
    "arn:aws:iam::aws:policy/P",
)
PULL: Final = PullFailure(
    symptom=Symptom.TIMEOUT,
    stage=Stage.MANIFEST,
    region=REGION,
    account=ACCOUNT,
    principal=Principal(PrincipalKind.ROLE, ROLE, "aws", ACCOUNT, "prod-node", role_arn=ROLE),
    registry_account=ACCOUNT,
    repository="team/app",
    tag="v1",
    cluster="prod",
    node=NODE,
    namespace="shop",
    pod="web-0",
    observed_at="2026-03-01T12:00:00Z",
)


def cause(
    id_: str,
    resource: str,
    *,
    summary: str = "Put it right.",
    commands: tuple[tuple[str, ...], ...] = (),
    **fix: Any,  # noqa: ANN401
) -> Finding:
    """A finding of a cause as its check makes it."""
    check = BY_ID[id_]
    return Finding(
        id=finding_id(cause=id_, account=ACCOUNT, region=REGION, resource=resource),
        cause=id_,
        title=check.title,
        severity=check.severity,
        account=ACCOUNT,
        region=REGION,
        resource=Resource(check.resource_type, resource, ACCOUNT),
        explanation=f"{resource} is at fault.",
        evidence=(f"{resource} was read.",),
        remediation=Remediation(summary, ACCOUNT, REGION, "https://docs.aws.amazon.com/x", commands, **fix),
        pull=PULL,
    )


def ec2(kind: str, id_: str) -> str:
    """The ARN of a part of a VPC."""
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{id_}"


def diagnosis(*findings: Finding, **changed: Any) -> Diagnosis:  # noqa: ANN401 -- as the dataclass has it
    """The diagnosis of `PULL` with these causes."""
    found = Diagnosis(PULL, Puller(for_eks=True, because="a test says so", cluster="prod"), findings, role_arn=ROLE)
    return replace(found, **changed)


def refused(id_: str, *actions: str, account: str = ACCOUNT, role: str = "reader") -> Undecided:
    """A cause that is open as these actions were refused."""
    reason = Reason(f"{', '.join(actions)} failed", *(Refusal(each, role, account) for each in actions))
    return Undecided(id_, reason, f"Grant {', '.join(actions)} to role {role} in account {account}.")
