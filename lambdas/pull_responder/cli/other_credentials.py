"""What stays open of a diagnosis by a node's role where pods may show the registry other credentials than that role's.

Sources: Kubernetes enhancement 4412, "Projected service account tokens for Kubelet image credential providers";
Kubernetes documentation, "Pull an Image from a Private Registry", and kubelet's source (pkg/kubelet/images and
pkg/credentialprovider): kubelet tries the pull secrets and what its credential provider gives it one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.diagnosis import Undecided
from pull_responder.events import names
from pull_responder.model.pull import KUBELET_SESSION, Principal, PrincipalKind
from pull_responder.model.reason import Reason
from pull_responder.pulls.pod_role import ANNOTATION

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.model.arn import Arn

_ROLE: Final = "role/"
_LONGEST_ARN: Final = 2048  # IAM API Reference, the parameters that are ARNs


@dataclass(frozen=True, slots=True)
class Account:
    """A service account with the role in its annotation. `namespace` is None where it is not known."""

    role_arn: str
    name: str
    namespace: str | None

    def __str__(self) -> str:
        return f"service account {self.namespace}/{self.name}" if self.namespace else f"service account {self.name}"


def role_in(annotation: str | None) -> Arn | None:
    """Return the role that the annotation of a service account names, None where it is not the ARN of one."""
    role = names.arn(annotation) if annotation and len(annotation) <= _LONGEST_ARN else None
    return role if role is not None and role.service == "iam" and role.resource.startswith(_ROLE) else None


def principal_of(role: Arn) -> Principal:
    """Return the principal of pulls with a role of pods: kubelet gets it under a fixed session name."""
    name = role.resource.rpartition("/")[2]
    return Principal(
        kind=PrincipalKind.ROLE,
        arn=f"arn:{role.partition}:sts::{role.account}:assumed-role/{name}/{KUBELET_SESSION}",
        partition=role.partition,
        account=role.account,
        name=name,
        session_name=KUBELET_SESSION,
        role_arn=str(role),
    )


def with_other_role(diagnosis: Diagnosis, account: Account) -> Diagnosis:
    """Return a diagnosis by the node's role with what depends on it left open: the pods pull with another role.

    That is the one of their service account, or none at all where its annotation is not the ARN of a role.
    """
    role = role_in(account.role_arn)
    why = no_role(account)
    if role is not None:
        why = Reason(
            f"the pods pull with the role {role} of {account}, which is of another account than their node's role",
            f"Look whether the policies of {role} allow the pull, and whether its trust policy lets {account} have it.",
        )
    return left_open(diagnosis, why, passed_too=True)


def no_role(account: Account) -> Reason:
    """Return why nothing that depends on the pods' role is decided: their service account names none."""
    return Reason(
        f"the annotation {ANNOTATION} of {account} is not the ARN of a role",
        f"Write the ARN of the role into the annotation {ANNOTATION} of {account}.",
    )


def with_secrets(diagnosis: Diagnosis, secrets: tuple[str, ...]) -> Diagnosis:
    """Return the diagnosis with what depends on the role left open, where the pods have pull secrets, too.

    A pull secret may be for another registry, and its content is not read: what fails stays open, what passes passes.
    """
    if not secrets:
        return diagnosis
    named = ", ".join(secrets[:3]) + (" and others" if len(secrets) > 3 else "")  # noqa: PLR2004 -- enough to know them by
    why = Reason(
        f"the role alone would be refused; the pods also have the pull secret {named}, whose content is not read",
        f"Look whether the pull secret {named} is for this registry; its token from ECR is valid for 12 hours.",
    )
    return left_open(diagnosis, why, passed_too=False)


def left_open(diagnosis: Diagnosis, why: Reason, *, passed_too: bool) -> Diagnosis:
    """Return a diagnosis with what depends on the role left open: what fails, and with `passed_too` what passes."""
    failed = [each for each in diagnosis.findings if _is_of_role(each.cause)]
    passed = [each for each in diagnosis.passed if _is_of_role(each)] if passed_too else []
    if not (failed or passed):
        return diagnosis
    step = str(why.steps[0]) if why.steps else ""
    left = tuple(Undecided(each, why, step) for each in (*(finding.cause for finding in failed), *passed))
    return replace(
        diagnosis,
        findings=tuple(each for each in diagnosis.findings if each not in failed),
        passed=tuple(each for each in diagnosis.passed if each not in passed),
        inconclusive=(*diagnosis.inconclusive, *left),
        examined=tuple(each for each in diagnosis.examined if each.cause not in {one.cause for one in left}),
        note="",
    )


def _is_of_role(cause: str) -> bool:
    return "iam:GetRole" in BY_ID[cause].permissions
