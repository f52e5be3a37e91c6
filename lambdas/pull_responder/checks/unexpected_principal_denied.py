"""Somebody who does not pull for EKS was refused by ECR.

What it checks: whether the denied principal pulls for EKS at all. It does if its session is an instance with a
cluster's tag, if its role belongs to a node group or Fargate profile, if an access entry of a node type names its role,
or if pods have its role: its trust policy, or its session, names the OIDC provider of a cluster, or
`pods.eks.amazonaws.com`. A role that only other OIDC providers give, such as that of GitHub Actions, does not. Nor does
any principal of an account that is not known to be ours: whoever owns it chooses the names of roles and sessions there.
Ours are this account, those of the setting `readAccounts`, and those of the same organization.

What it cannot see: clusters in accounts without the role PullResponderReadOnly, and in other regions. It cannot tell a
mistake from an attack.

Why it matters: for a person, a build server or an intruder the refusal may be right, and to grant the permission would
be wrong. So the finding claims no more and offers no fix.

How to fix it: find out who it is. If the principal is known to pull for something else (ECS tasks, builds), add it to
the setting `knownPrincipals`. It is then not reported. If its account is yours, set up the role PullResponderReadOnly
there, and list the account: in the setting `readAccounts`, or at a terminal in `PULL_RESPONDER_READ_ACCOUNTS`. The
sessions in which Pull Responder itself reads are not reported either.

References: Amazon EKS User Guide, "Create access entries"; IAM User Guide, "Logging IAM and AWS STS API calls".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import UNREACHED, Check, Kind
from pull_responder.facts import ec2, eks
from pull_responder.model.pull import PrincipalKind, PullFailure, Symptom
from pull_responder.model.reason import ASK, Reason
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.actions import FIRST_PULL_ACTIONS, PULL_ACTIONS
from pull_responder.pulls.kubelet_words import account_of
from pull_responder.pulls.puller import puller_of
from pull_responder.pulls.reasons import not_known_for_eks
from pull_responder.pulls.session import role_arn_of

if TYPE_CHECKING:
    from pull_responder.model.pull import Principal
    from pull_responder.pulls.pull_facts import PullFacts

_DOCS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"
_TYPES = {PrincipalKind.ROLE: "AwsIamRole", PrincipalKind.USER: "AwsIamUser"}


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed for a principal outside EKS, passed for a node, inconclusive where that is not known."""
    principal = pull.principal
    if principal is None or pull.denial is None:
        return Verdict.not_applicable("no principal was denied")
    puller = puller_of(pull, facts)
    if puller.for_eks is None:
        return Verdict.inconclusive(not_known_for_eks(puller.because))
    if puller.for_eks:
        return Verdict.passed(f"The principal pulls for EKS: {puller.because}.")
    if puller.listed_as:
        return Verdict.not_applicable(puller.because)
    resource = _resource(pull, principal, role_arn_of(pull, facts))
    if resource is None:
        return Verdict.inconclusive(Reason("the event names neither the principal nor its account", ASK))
    return Verdict.failed(
        resource=resource,
        explanation=(
            f"{principal.arn or 'A principal'} asked ECR for {pull.denial.action} on {pull.denial.resource} and was "
            f"refused. It does not pull for EKS: {puller.because}."
        ),
        evidence=(f"AWS said: {pull.denial.message}", f"Not a node: {puller.because}."),
        remediation=Remediation(
            summary=(
                "Find out who this is before granting anything. If it is known to pull for something other than EKS, "
                "list its ARN in the setting knownPrincipals."
            ),
            account=resource.account,
            region=pull.region,
            docs_url=_DOCS,
        ),
    )


def _resource(pull: PullFailure, principal: Principal, role_arn: str | None) -> Resource | None:
    """Return the principal, or its account where the event does not name it. None where it names neither."""
    account = principal.account or pull.account
    if name := role_arn or principal.arn or principal.name:
        return Resource(_TYPES.get(principal.kind, "Other"), name, account or "")
    return account_of(account) if account else None


CHECK = Check(
    id="unexpected_principal_denied",
    title="Someone who does not pull for EKS was refused by ECR",
    short="ECR refused someone else",
    again="Who was refused does pull for EKS",
    severity=Severity.INFORMATIONAL,
    resource_type="AwsIamRole",
    permissions=(*ec2.PERMISSIONS, *eks.PERMISSIONS, "iam:GetRole"),
    docs_url=_DOCS,
    examine=examine,
    explains=(),
    also_at=UNREACHED | {Symptom.ACCESS_DENIED, Symptom.NOT_AUTHENTICATED, Symptom.UNKNOWN},
    severity_if_repeated=Severity.MEDIUM,
    kind=Kind.BEHAVIOR,
    for_nodes=False,
    denied_actions=PULL_ACTIONS | FIRST_PULL_ACTIONS,
)
