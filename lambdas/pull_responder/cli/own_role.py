"""Questions about pods that may show the registry other credentials than those of their node's role.

Sources: Kubernetes enhancement 4412, "Projected service account tokens for Kubelet image credential providers";
kubernetes/cloud-provider-aws, cmd/ecr-credential-provider; Kubernetes documentation, "Pull an Image from a Private
Registry", and kubelet's source (pkg/kubelet/images and pkg/credentialprovider): kubelet tries the pull secrets and what
its credential provider gives it one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID, CHECKS, instance_metadata_disabled, instance_profile_missing
from pull_responder.cli.question import Answer, answer_for, by_nodes
from pull_responder.diagnosis import Undecided, diagnose
from pull_responder.facts.compute import Cluster
from pull_responder.model.arn import Arn
from pull_responder.model.pull import KUBELET_SESSION, Principal, PrincipalKind
from pull_responder.model.reason import Reason
from pull_responder.pulls.own_role import PodRole
from pull_responder.pulls.pod_role import ANNOTATION
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.reader import Reader
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.nodes import Nodes

# Where the pod's own role pulls, the credentials of its node have no part in it.
_OF_NODE: Final = frozenset({instance_metadata_disabled.CHECK, instance_profile_missing.CHECK})
_ROLE: Final = "role/"


@dataclass(frozen=True, slots=True)
class Account:
    """A service account with the role in its annotation. `namespace` is None where it is not known."""

    role_arn: str
    name: str
    namespace: str | None

    def __str__(self) -> str:
        return f"service account {self.namespace}/{self.name}" if self.namespace else f"service account {self.name}"


def answer_for_role(
    reader: Reader, asked: PullFailure, nodes: Nodes, account: Account, known_principals: tuple[str, ...]
) -> Answer:
    """Diagnose the pull that is asked about by these nodes, with the role that the pods' service account names.

    Where the annotation is not the ARN of a role, everything that depends on the role is left open.
    """
    role = Arn.parse(account.role_arn)
    if role is None or not role.resource.startswith(_ROLE):
        found = answer_for(reader, asked, nodes, known_principals)
        why = Reason(
            f"the annotation {ANNOTATION} of {account} is not the ARN of a role",
            f"Write the ARN of the role into the annotation {ANNOTATION} of {account}.",
        )
        return replace(found, diagnosis=_left_open(found.diagnosis, why, passed_too=True))
    facts = PullFacts(reader, known_principals=known_principals)
    cluster = facts.cluster(nodes.account, nodes.region, nodes.cluster or "")
    issuer = cluster.issuer if isinstance(cluster, Cluster) else None
    pod_role = PodRole(
        for_eks=True,
        because=f"the annotation {ANNOTATION} of {account} names {role}",
        cluster=nodes.cluster if issuer else None,
        provider=f"arn:{role.partition}:iam::{role.account}:oidc-provider/{issuer}" if issuer else None,
        region=nodes.region,
    )
    facts = PullFacts(reader, known_principals=known_principals, asked=nodes, asked_role=pod_role)
    pull = replace(by_nodes(asked, nodes), principal=_principal(role), namespace=account.namespace)
    checks = [each for each in CHECKS if each not in _OF_NODE]
    return Answer(nodes, diagnose(pull, facts, checks=checks), facts)


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
    return _left_open(diagnosis, why, passed_too=False)


def _left_open(diagnosis: Diagnosis, why: Reason, *, passed_too: bool) -> Diagnosis:
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
        note="",
    )


def _is_of_role(cause: str) -> bool:
    return "iam:GetRole" in BY_ID[cause].permissions


def _principal(role: Arn) -> Principal:
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
