"""A pull keeps failing, and no cause that Pull Responder knows explains it.

What it checks: nothing by itself. Where a pull has failed although everything that can be read lets it through, and
nothing shows what has changed since, this cause is inconclusive and says where to look next. The deployed responder
reports it when a pull has failed for some time, or many times, and every diagnosis found neither a cause nor a fix
since the failure. The finding names the causes that were ruled out and what could not be read. It also names the
missing permission, or the account whose administrator can decide.

What it cannot see: anything in AWS. It only knows what the other checks decided or could not read.

Why this is worth a finding: a pod that cannot start is a failure, whether or not its cause is known. Without this
finding an unreadable cause would look like no cause.

How to fix it: grant the responder the permissions that the finding names, or look there yourself. The finding closes
when the pull stops failing, or when a later diagnosis finds the cause.

References: the project's own docs/operations.md, "Pulls that nothing explains".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import Check, Kind
from pull_responder.model.pull import Stage, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.actions import CACHE_ACTIONS, PULL_ACTIONS
from pull_responder.pulls.kubelet_words import quote_words, refused_by_storage
from pull_responder.pulls.path import registry_host

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_DOCS: Final = "https://repost.aws/knowledge-center/eks-ecr-troubleshooting"
# IAM actions in reasons, such as "organizations:ListRoots failed: AccessDeniedException".
_ACTION: Final = re.compile(r"\b[a-z][a-z0-9-]{1,40}:[A-Z][A-Za-z]{2,60}\b")
_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_MOST_NAMED: Final = 12

# kubelet's words say all there is to say about these.
_SELF_EXPLAINED: Final = (Symptom.KUBELET_THROTTLED, Symptom.CANCELED)
_CONTRADICTED: Final = "everything that can be read lets this pull through. Unless it was repaired since,"
_LOOK_NEXT: Final = {
    Symptom.TIMEOUT: (
        "something that is not read here stops it on the way: look at the node's own firewall and proxy, and run "
        "`curl -v https://{host}/v2/` on the node"
    ),
    Symptom.NAME_RESOLUTION_FAILED: (
        "the node asks another DNS server, or a rule answers for the name: run `nslookup {host}` on the node"
    ),
    Symptom.ACCESS_DENIED: (
        "kubelet showed other credentials than the node role's: look at the imagePullSecrets of the pod and of its "
        "service account, and at a pull role of its own"
    ),
}
_OTHER_ACTION: Final = (
    "the action that AWS refused, {action}, is none that a pull needs, and was not evaluated: look "
    "who calls it, and at that role's policies"
)
_AT_LAYER: Final = (
    "the registry gave out the image's manifest, and a part of the image was not found: push the image again, and look "
    "whether a proxy answers for the registry or its storage"
)
_AT_STORAGE: Final = (
    "the storage of layers refused a URL that ECR had signed, so no policy of the role, the repository or the registry "
    "did: look whether a proxy answers for it, at the policies of an S3 endpoint on the way, and at the node's clock"
)
_AT_NODE: Final = "AWS does not show the fault: look at `journalctl -u kubelet -u containerd` on the node"
_AT_NAME: Final = "its name, tag or region is wrong, which AWS's own registries do not show: check all three"


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: ARG001 -- as every check
    """Return not applicable: a single failure does not show that a pull keeps failing."""
    return Verdict.not_applicable("only the deployed responder knows that a pull keeps failing")


def what_is_left(pull: PullFailure, *, of_aws: bool) -> str:
    """Say where to look next after a failure that nothing explains. Empty where kubelet's words explain themselves.

    `of_aws` says that the registry is one of AWS's own, which nobody else can read.
    """
    if pull.symptom in _SELF_EXPLAINED:
        return ""
    if refused_by_storage(pull):
        return f"{_CONTRADICTED} {_AT_STORAGE}"
    if of_aws and pull.symptom in (Symptom.NOT_FOUND, Symptom.ACCESS_DENIED):
        return f"{_CONTRADICTED} {_AT_NAME}"
    if pull.denial and pull.denial.action not in PULL_ACTIONS | CACHE_ACTIONS:
        return f"{_CONTRADICTED} {_OTHER_ACTION.format(action=pull.denial.action)}"
    if pull.symptom is Symptom.NOT_FOUND and pull.stage in (Stage.LAYER, Stage.UNPACK):
        return f"{_CONTRADICTED} {_AT_LAYER}"
    look = _LOOK_NEXT.get(pull.symptom, _AT_NODE).format(host=registry_host(pull) or "the registry")
    return f"{_CONTRADICTED} {look}"


def unexplained_verdict(  # noqa: PLR0913 -- keyword-only but for the pull
    pull: PullFailure,
    *,
    resource: Resource,
    times: str,
    ruled_out: Sequence[str],
    unread: Sequence[tuple[str, str]],
    note: str = "",
) -> Verdict:
    """Return failed, for a pull that keeps failing.

    - `resource` is what the finding is about.
    - `times` is a sentence that says how often and since when the pull has failed.
    - `ruled_out` are the causes that were ruled out.
    - `unread` are the undecided causes, each with the reason.
    - `note` is what else the last diagnosis said.
    """
    reasons = [reason for _, reason in unread]
    actions = _names_in(_ACTION, reasons)
    # The resource's account is left out: it comes from the image's name and may not exist. Reasons name the accounts
    # that refused.
    accounts = [each for each in _names_in(_ACCOUNT, reasons) if each != resource.account]
    evidence = [times, *quote_words(pull), *([note] if note else [])]
    if ruled_out:
        evidence.append(f"Ruled out: {', '.join(ruled_out)}.")
    evidence += [f"Not decided: {cause}: {reason}" for cause, reason in unread[:_MOST_NAMED]]
    steps = []
    if actions:
        steps.append(f"allow Pull Responder to call {', '.join(actions)}, which AWS refused")
    if accounts:
        steps.append(f"ask whoever administers account {', '.join(accounts)}")
    if not steps:
        steps.append("check what AWS does not show: the node's own disk, proxy, DNS and containerd configuration")
    sentence = "; ".join(steps)
    return Verdict.failed(
        resource=resource,
        explanation=(
            f"The pull of {pull.image or pull.repository or 'an image'} keeps failing ({pull.symptom}), and "
            + (
                f"{len(unread)} possible causes could not be decided."
                if unread
                else "nothing in the AWS configuration explains it."
            )
        ),
        evidence=tuple(evidence),
        remediation=Remediation(
            summary=f"To find the cause, {sentence}.", account=resource.account, region=pull.region, docs_url=_DOCS
        ),
    )


def _names_in(pattern: re.Pattern[str], reasons: Iterable[str]) -> list[str]:
    found = dict.fromkeys(each for reason in reasons for each in pattern.findall(reason))
    return list(found)[:_MOST_NAMED]


CHECK = Check(
    id="pull_failing_unexplained",
    title="A pull keeps failing and nothing explains it",
    severity=Severity.MEDIUM,
    resource_type="AwsIamRole",
    permissions=(),
    docs_url=_DOCS,
    examine=examine,
    explains=(),
    kind=Kind.UNEXPLAINED,
)
