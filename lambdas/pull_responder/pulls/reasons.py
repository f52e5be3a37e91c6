"""Reasons that several checks give for what they cannot decide, each with its next step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.dependency import Doubt
from pull_responder.model.reason import ASK, Reason, join_reasons, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.authorization.dependency import Dependency

FULL_NAME: Final = (
    "Take the image's full name from the pod (`kubectl get pod -o yaml`), and run `pull-responder diagnose` with it as "
    "--image and with --cluster."
)
NAMES_OF_AWS: Final = (
    "Compare the image's name, tag and region (`kubectl get pod -o yaml`) with the AWS page that names them, as AWS's "
    "own registries cannot be read."
)


def compare_keys(names: str) -> str:
    """Return the step for condition keys whose values are not known."""
    return f"Compare `{names}` of the refused request, as CloudTrail shows it, with the policy's condition."


def doubt_reason(dependency: Dependency) -> str:
    """Return what an undecided answer depends on, as a reason."""
    return (
        dependency.reason if isinstance(dependency, Doubt) else Reason(dependency.name, compare_keys(dependency.name))
    )


def with_doubts(text: str, unknown: Iterable[Dependency]) -> Reason:
    """Return a text about what an undecided answer depends on, with the steps of that."""
    return Reason(text, *steps_of(join_reasons(map(doubt_reason, unknown))))


def depends_on(policy: str, unknown: Iterable[Dependency]) -> Reason:
    """Return that a policy's answer depends on what is not known. `policy` names it."""
    found = tuple(dict.fromkeys(unknown))
    return with_doubts(f"{policy} depends on {', '.join(map(str, found))}", found)


def no_role(name: str | None, account: str | None) -> Reason:
    """Return that a role does not exist."""
    which = f"role {name}" if name else "the role"
    return Reason(
        f"{which} does not exist in account {account}",
        f"Create {which} in account {account} again, or give the nodes another role.",
    )


def no_repository(action: str) -> Reason:
    """Return that the event does not say on which repository AWS refused an action."""
    return Reason(f"the event does not say on which repository {action} was refused", ASK)


def not_a_policy(name: str, error: ValueError) -> Reason:
    """Return that a document is not a policy. `name` says which."""
    return Reason(str(error), f"Open {name} in the console and correct it: it could not be read as a policy.")


def not_known_for_eks(because: str) -> Reason:
    """Return that it is not known whether the principal pulls for EKS."""
    return Reason(
        f"it is not known whether the principal pulls for EKS: {because}",
        *steps_of(because),
        "Find out who uses this role; if that is not EKS, add it to the setting `knownPrincipals`.",
    )
