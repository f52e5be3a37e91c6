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

from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import Check, Kind
from pull_responder.model.pull import Stage, Symptom
from pull_responder.model.reason import KUBELET_LOG, Reason
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.actions import CACHE_ACTIONS, PULL_ACTIONS
from pull_responder.pulls.after_answer import AT_LAYER, after_answer, after_unpack
from pull_responder.pulls.kubelet_words import quote_words, read_words
from pull_responder.pulls.own_credentials import where_to_look
from pull_responder.pulls.path import registry_host
from pull_responder.pulls.reasons import NAMES_OF_AWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_DOCS: Final = "https://repost.aws/knowledge-center/eks-ecr-troubleshooting"
_MOST_NAMED: Final = 12
_NO_STEP: Final = (
    "To find the cause, check what AWS does not show: the node's own disk, proxy, DNS and containerd configuration."
)

# kubelet's words say all there is to say about these.
_SELF_EXPLAINED: Final = (Symptom.KUBELET_THROTTLED, Symptom.CANCELED)
_CONTRADICTED: Final = "everything that can be read lets this pull through. Unless it was repaired since,"
_ON_THE_WAY: Final = (
    "something that is not read here stops it on the way",
    "Look at the node's own firewall and proxy, and run `curl -v https://{host}/v2/` on the node.",
)
_BY_NAME: Final = (
    "the node asks another DNS server, or a rule answers for the name",
    "Run `nslookup {host}` on the node, and see to which address it leads.",
)
_OTHER_CREDENTIALS: Final = "kubelet showed other credentials than the node role's"
# Where the words say more than the symptom.
_BY_WORDS: Final = {
    "network is unreachable": (
        "the node itself has no route to the address, which no route table of the VPC explains",
        "Look at `ip route` on the node, and whether the address is one of IPv6.",
    ),
    "no route to host": (
        "nothing has the address in its subnet, or a firewall refuses the connection",
        "Look at the dialled address and at firewalls on the way: run `curl -v https://{host}/v2/` on the node.",
    ),
}
_OTHER_ACTION: Final = (
    "the action that AWS refused, {action}, is none that a pull needs, and was not evaluated",
    "Look in CloudTrail who calls {action}, and at that role's policies.",
)
_THERE_BEFORE: Final = {
    Symptom.NOT_FOUND: (
        (
            "the image was there before the pull failed, as far as its push shows: something else answered, or the tag "
            "or the image was restored since"
        ),
        (
            "Look whether a mirror, cache or proxy answers for {host} (containerd's hosts.toml), and whether the pod's "
            "image names this account and region: `kubectl get pod -o yaml`."
        ),
    ),
    Symptom.PLATFORM_MISMATCH: (
        "the image had a manifest for the node's platform before the pull failed, as far as its push shows",
        (
            "Run `uname -m` on the node, and look whether a mirror, cache or proxy answers for {host} (containerd's "
            "hosts.toml)."
        ),
    ),
}
_AT_NODE: Final = ("AWS does not show the fault", KUBELET_LOG)
_AT_NAME: Final = ("its name, tag or region is wrong, which AWS's own registries do not show", NAMES_OF_AWS)


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: ARG001 -- as every check
    """Return not applicable: a single failure does not show that a pull keeps failing."""
    return Verdict.not_applicable("only the deployed responder knows that a pull keeps failing")


def what_is_left(pull: PullFailure, *, of_aws: bool, is_there: bool = False) -> str:
    """Say where to look next after a failure that nothing explains. Empty where kubelet's words explain themselves.

    - `of_aws` says that the registry is one of AWS's own, which nobody else can read.
    - `is_there` says that the repository has the image, for the node's platform.
    """
    if pull.symptom in _SELF_EXPLAINED:
        return ""
    said = read_words(pull)
    if said.answer is not None:
        return _say(
            *after_answer(
                said.answer, asked=said.sighting.host, registry=registry_host(pull), message=pull.message or ""
            )
        )
    if pull.symptom is Symptom.UNKNOWN and pull.stage is Stage.UNPACK:
        return _say(*after_unpack())
    why, look = _left(pull, of_aws=of_aws, is_there=is_there)
    return _say(f"{_CONTRADICTED} {why}", look)


def _say(why: str, look: str) -> Reason:
    return Reason(f"{why}: {look[0].lower()}{look[1:].removesuffix('.')}", look)


def _left(pull: PullFailure, *, of_aws: bool, is_there: bool) -> tuple[str, str]:
    """Return what may be so, and the step that shows it."""
    if of_aws and pull.symptom in (Symptom.NOT_FOUND, Symptom.ACCESS_DENIED):
        return _AT_NAME
    action = pull.denial.action if pull.denial else ""
    if action and action not in PULL_ACTIONS | CACHE_ACTIONS:
        why, look = _OTHER_ACTION
        return why.format(action=action), look.format(action=action)
    if pull.symptom is Symptom.ACCESS_DENIED:
        return _OTHER_CREDENTIALS, where_to_look(pull)
    is_of_image = is_there and pull.symptom in _THERE_BEFORE and pull.stage not in (Stage.LAYER, Stage.UNPACK)
    return _left_of_image(pull) if is_of_image else _left_of_way(pull)


def _left_of_image(pull: PullFailure) -> tuple[str, str]:
    why, look = _THERE_BEFORE[pull.symptom]
    return why, look.format(host=registry_host(pull) or "the registry")


def _left_of_way(pull: PullFailure) -> tuple[str, str]:
    if pull.symptom is Symptom.NOT_FOUND and pull.stage in (Stage.LAYER, Stage.UNPACK):
        return AT_LAYER
    host = registry_host(pull)
    if not host or pull.symptom not in (Symptom.TIMEOUT, Symptom.NAME_RESOLUTION_FAILED):
        return _AT_NODE
    in_general = _ON_THE_WAY if pull.symptom is Symptom.TIMEOUT else _BY_NAME
    said = _BY_WORDS.items() if pull.symptom is Symptom.TIMEOUT else ()
    why, look = next((each for words, each in said if words in (pull.message or "")), in_general)
    return why, look.format(host=host)


def unexplained_verdict(  # noqa: PLR0913 -- keyword-only but for the pull
    pull: PullFailure,
    *,
    resource: Resource,
    times: str,
    ruled_out: Sequence[str],
    unread: Sequence[tuple[str, str]],
    steps: Sequence[str],
    note: str = "",
) -> Verdict:
    """Return failed, for a pull that keeps failing.

    - `resource` is what the finding is about.
    - `times` is a sentence that says how often and since when the pull has failed.
    - `ruled_out` are the causes that were ruled out.
    - `unread` are the undecided causes, each with the reason.
    - `steps` are the sentences that say what to look at or to grant next.
    - `note` is what else the last diagnosis said.
    """
    evidence = [times, *quote_words(pull), *([note] if note else [])]
    if ruled_out:
        evidence.append(f"Ruled out: {', '.join(ruled_out)}.")
    evidence += [f"Not decided: {cause}: {reason}" for cause, reason in unread[:_MOST_NAMED]]
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
            summary=f"To find the cause: {' '.join(steps)}" if steps else _NO_STEP,
            account=resource.account,
            region=pull.region,
            docs_url=_DOCS,
        ),
    )


CHECK = Check(
    id="pull_failing_unexplained",
    title="A pull keeps failing and nothing explains it",
    short="Nothing explains the failure",
    again="The image can be pulled again",
    severity=Severity.MEDIUM,
    resource_type="AwsIamRole",
    permissions=(),
    docs_url=_DOCS,
    examine=examine,
    explains=(),
    kind=Kind.UNEXPLAINED,
)
