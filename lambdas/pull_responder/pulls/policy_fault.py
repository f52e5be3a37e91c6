"""The verdict of a check on one kind of policy. Readable policies decide, otherwise AWS's message does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.authorization.dependency import Doubt, keys_of
from pull_responder.authorization.evaluation import Outcome, PolicyKind, State
from pull_responder.model.pull import PolicyType, PullFailure
from pull_responder.model.quoting import quote, quote_json, show_key
from pull_responder.model.reason import Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Verdict
from pull_responder.pulls.actions import PULL_ACTIONS
from pull_responder.pulls.authorization import PullAuthorization, StoppedAction, pull_authorization
from pull_responder.pulls.reasons import FULL_NAME, compare_keys, no_repository
from pull_responder.remediation.by_hand import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.pulls.pull_facts import PullFacts

POLICY_TYPES = {
    PolicyKind.IDENTITY: PolicyType.IDENTITY,
    PolicyKind.BOUNDARY: PolicyType.BOUNDARY,
    PolicyKind.SCP: PolicyType.SERVICE_CONTROL,
    PolicyKind.RCP: PolicyType.RESOURCE_CONTROL,
    PolicyKind.SESSION: PolicyType.SESSION,
    PolicyKind.RESOURCE: PolicyType.RESOURCE,
    PolicyKind.REGISTRY: PolicyType.RESOURCE,
    PolicyKind.ENDPOINT: PolicyType.VPC_ENDPOINT,
}


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """A kind of policy that stops the pull.

    `stopped` are the actions that it stops, as far as policies could be read. It is empty where AWS's message is the
    only proof.
    """

    authorization: PullAuthorization
    stopped: tuple[StoppedAction, ...]

    @property
    def by_words(self) -> bool:
        """Whether AWS's message is the only proof."""
        return not self.stopped

    def of_state(self, state: State) -> tuple[StoppedAction, ...]:
        """Return the actions that are stopped with this state."""
        return tuple(each for each in self.stopped if each.outcome.state is state)


def find_fault(
    pull: PullFailure, facts: PullFacts, kind: PolicyKind, states: tuple[State, ...]
) -> PolicyFault | Verdict:
    """Return the fault if `kind` puts an action of the pull into one of `states`, else the check's verdict.

    What the policies say outranks AWS's message in the event. Where the outcome is undecided (a policy could not be
    read, or depends on an unknown value), AWS's message is the proof if it names this kind of policy. It is no proof
    where a node quotes it: whoever may write a pod's events can write such words.
    """
    authorization = pull_authorization(pull, facts)
    missing = authorization.reason if isinstance(authorization, Unread) else authorization.gone.get(kind)
    if isinstance(authorization, Unread) or missing:
        return Verdict.inconclusive(missing or "")
    outcomes = [(state, each) for state in states for each in authorization.outcomes(kind, state)]
    if stopped := tuple(each for state, each in outcomes if each.outcome.state is state):
        if authorization.may_be_cut and any(_is_about_resource(each.outcome) for each in stopped):
            return Verdict.inconclusive(
                Reason(
                    f"repository {pull.repository} does not exist: CloudTrail may have cut off the end of the name",
                    FULL_NAME,
                )
            )
        return PolicyFault(authorization, stopped)
    found = _decide_by_words(pull, authorization, kind, states)
    if found:
        return found
    older = authorization.denies_of_older_session(kind) if State.BLOCKS_EXPLICITLY in states else {}
    return _harmless_verdict(
        kind, [each for _, each in outcomes], _describe_revocation(authorization, older) if older else ""
    )


def _decide_by_words(
    pull: PullFailure, authorization: PullAuthorization, kind: PolicyKind, states: tuple[State, ...]
) -> PolicyFault | Verdict | None:
    """Return what AWS's message proves where the policies cannot decide: the fault, or inconclusive. Else None."""
    denial = pull.denial
    if denial and denial.action in PULL_ACTIONS and denial.action not in authorization.actions:
        # The event names the resource of the refused action in part or not at all, so no policy can be evaluated.
        if _blames(pull, kind, states):
            return PolicyFault(authorization, ())
        return Verdict.inconclusive(add_quote(no_repository(denial.action), pull, kind))
    found = [each for state in states for each in authorization.outcomes(kind, state)]
    open_ = [each.outcome for each in found if each.outcome.state is State.UNDECIDED]
    if not open_:
        return None
    if _is_blamed(pull, authorization, kind, states):
        return PolicyFault(authorization, ())
    return Verdict.inconclusive(add_quote(join_reasons(map(_describe_doubts, open_)), pull, kind))


def _is_about_resource(outcome: Outcome) -> bool:
    """Return whether the nearest Allow does not match in its Resource or NotResource, and perhaps in more."""
    nearest = outcome.nearest
    return nearest is not None and any(each.element in ("Resource", "NotResource") for each in nearest.mismatches)


def _harmless_verdict(kind: PolicyKind, outcomes: list[StoppedAction], reason: str) -> Verdict:
    applying = [each.action for each in outcomes if each.outcome.state is not State.NOT_APPLICABLE]
    if not applying:
        return Verdict.not_applicable(f"no {POLICY_TYPES[kind]} applies to this pull")
    evidence = f"The {POLICY_TYPES[kind]} does not stop {', '.join(dict.fromkeys(applying))}."
    return Verdict.passed(evidence, reason=reason)


def _describe_revocation(authorization: PullAuthorization, denying: Mapping[str, set[int]]) -> str:
    """Say that AWS refused credentials which are revoked.

    Sources: IAM User Guide, "Revoke IAM role temporary security credentials"; Amazon EC2 User Guide, "Retrieve security
    credentials from instance metadata".
    """
    return (
        f"AWS refused credentials issued at {authorization.issued_at}, because {', '.join(denying)} denies credentials "
        "that old. The policies that could be read allow this pull with new credentials. EC2 gives an instance new "
        "credentials by itself, at least five minutes before the old ones expire."
    )


def _is_blamed(
    pull: PullFailure, authorization: PullAuthorization, kind: PolicyKind, states: tuple[State, ...]
) -> bool:
    denial = pull.denial
    if denial is None or not _blames(pull, kind, states):
        return False
    state = State.BLOCKS_EXPLICITLY if denial.explicit else State.BLOCKS_IMPLICITLY

    def is_in(of: PolicyKind, wanted: State) -> bool:
        found = authorization.outcomes(of, state)
        return any(each.action == denial.action and each.outcome.state is wanted for each in found)

    # AWS's message reads the same for a registry policy and a repository policy. If one of the two certainly denies,
    # the message means that one. If neither is decided, the repository policy is assumed (Inference: people write
    # those more often).
    if kind is PolicyKind.REGISTRY and is_in(PolicyKind.RESOURCE, State.UNDECIDED):
        return False
    if kind is PolicyKind.RESOURCE and is_in(PolicyKind.REGISTRY, state):
        return False
    return is_in(kind, State.UNDECIDED)


def _blames(pull: PullFailure, kind: PolicyKind, states: tuple[State, ...]) -> bool:
    denial = pull.denial
    if denial is None or POLICY_TYPES[kind] not in pull.blamed_policy_types:
        return False
    return (State.BLOCKS_EXPLICITLY if denial.explicit else State.BLOCKS_IMPLICITLY) in states


def _describe_doubts(outcome: Outcome) -> str:
    reasons = [each.reason for each in outcome.unknown if isinstance(each, Doubt)]
    if keys := keys_of(outcome.unknown):
        names = ", ".join(map(show_key, keys))
        reasons.append(
            Reason(f"a condition tests {names}, and the value in this request is not known", compare_keys(names))
        )
    return join_reasons(reasons or ["what was read does not say whether the policy allows this request"])


def quote_denial(pull: PullFailure) -> tuple[str, ...]:
    """Quote AWS's message, where there is one, and say who brought it."""
    if pull.denial is None:
        return ()
    return (f"{'The node says that AWS said' if pull.denial.quoted else 'AWS said'}: {pull.denial.message}",)


def add_quote(reason: str, pull: PullFailure, kind: PolicyKind) -> str:
    """Add to a reason that a node quotes AWS as blaming this kind of policy, which proves nothing."""
    denial = pull.denial
    if denial is None or not denial.quoted or denial.policy_type is not POLICY_TYPES[kind]:
        return reason
    quote = Reason(
        f"the node quotes AWS as blaming a {denial.policy_type}, and only the CloudTrail record of {denial.action} can "
        "prove that",
        f"Look in the CloudTrail console for the refused {denial.action}: its errorMessage is AWS's own.",
    )
    return join_reasons((reason, quote))


def describe_missing_allows(fault: PolicyFault, what: str) -> tuple[str, ...]:
    """Say which actions no statement of `what` allows, and which statement comes nearest."""
    said: dict[tuple[str, str], list[str]] = {}
    for each in fault.stopped:
        nearest = each.outcome.nearest
        said.setdefault((each.resource, f" The closest is {nearest}." if nearest else ""), []).append(each.action)
    return tuple(
        f"No statement of {what} allows {' or '.join(actions)} on {resource}.{nearest}"
        for (resource, nearest), actions in said.items()
    )


def quote_denies(fault: PolicyFault, kind: PolicyKind) -> tuple[str, ...]:
    """Quote every Deny statement that stops one of the actions."""
    lines = []
    for name, indexes in fault.authorization.denies(kind).items():
        statements = fault.authorization.documents[name].document.get("Statement", [])
        listed = statements if isinstance(statements, list) else [statements]
        for index in sorted(indexes):
            sid = listed[index].get("Sid")
            lines.append(f"{name}, statement {quote(str(sid)) if sid else index}: {quote_json(listed[index])}")
    return tuple(lines)


def describe_unread(fault: PolicyFault, kind: PolicyKind) -> tuple[str, ...]:
    """Say which other policies of the kind could not be read. One of them may stop the pull, too."""
    return (
        tuple(
            f"Another {POLICY_TYPES[kind]} may stop the pull, too, but could not be read: {reason}"
            for reason in fault.authorization.unread(kind)
        )
        if fault.stopped
        else ()
    )


def stopped_actions(fault: PolicyFault, pull: PullFailure) -> tuple[str, ...]:
    """Return the actions that are stopped, from the policies or else from AWS's message."""
    if fault.stopped:
        return tuple(dict.fromkeys(each.action for each in fault.stopped))
    return (pull.denial.action,) if pull.denial else ()


def wanted_change(fault: PolicyFault, pull: PullFailure) -> Wanted:
    """Return the change that the policy needs, for people who make it by hand."""
    denial = pull.denial
    if fault.by_words and denial:
        return Wanted(stopped_actions(fault, pull), denial.explicit, denial.policy_arn)
    explicit = bool(fault.of_state(State.BLOCKS_EXPLICITLY))
    return Wanted(stopped_actions(fault, pull), explicit)
