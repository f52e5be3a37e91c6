"""How a check about one kind of policy comes to its verdict: what can be read decides, then AWS's own words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import Outcome, PolicyKind, State
from pull_responder.authorization.unknown import Doubt, keys_of
from pull_responder.model.pull import PolicyType, PullFailure
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Verdict
from pull_responder.pulls.actions import PULL_ACTIONS
from pull_responder.pulls.authorization import PullAuthorization, Stopped, pull_authorization
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
_QUOTE_LENGTH = 1_500


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """That a kind of policy stops the pull.

    `stopped` are the actions it stops as far as policies could be read; it is empty where AWS's own words are the
    only proof.
    """

    authorization: PullAuthorization
    stopped: tuple[Stopped, ...]

    @property
    def by_words(self) -> bool:
        """Whether AWS's words are the only proof."""
        return not self.stopped

    def of_state(self, state: State) -> tuple[Stopped, ...]:
        """Return those of the actions that are stopped by this state."""
        return tuple(each for each in self.stopped if each.outcome.state is state)


def find_fault(
    pull: PullFailure, facts: PullFacts, kind: PolicyKind, states: tuple[State, ...]
) -> PolicyFault | Verdict:
    """Return the fault if `kind` brings an action of the pull into one of `states`, else the check's verdict.

    What is readable outranks the event. Where it is undecided (unreadable, or it hangs on something unknown)
    and AWS's error names this kind of policy, its words are the proof.
    """
    authorization = pull_authorization(pull, facts)
    missing = authorization.reason if isinstance(authorization, Unread) else authorization.gone.get(kind)
    if isinstance(authorization, Unread) or missing:
        return Verdict.inconclusive(missing or "")
    outcomes = [(state, each) for state in states for each in authorization.outcomes(kind, state)]
    if stopped := tuple(each for state, each in outcomes if each.outcome.state is state):
        if authorization.may_be_cut and any(_is_about_resource(each.outcome) for each in stopped):
            return Verdict.inconclusive(
                f"no repository {pull.repository} exists: AWS may have cut the name in its message"
            )
        return PolicyFault(authorization, stopped)
    undecided = _undecided(pull, authorization, kind, states)
    if undecided:
        return undecided
    older = authorization.denying_older_session(kind) if State.BLOCKS_EXPLICITLY in states else {}
    return _harmless(kind, [each for _, each in outcomes], _refused_then(authorization, older) if older else "")


def _undecided(
    pull: PullFailure, authorization: PullAuthorization, kind: PolicyKind, states: tuple[State, ...]
) -> PolicyFault | Verdict | None:
    """Return what AWS's words make of a kind of policy that is not decided, None for one that is."""
    denial = pull.denial
    if denial and denial.action in PULL_ACTIONS and denial.action not in authorization.actions:
        # AWS refused an action on a resource that the event does not name, or not whole: no policy can be asked.
        if _blames(pull, kind, states):
            return PolicyFault(authorization, ())
        return Verdict.inconclusive(f"the event does not say on which repository {denial.action} was refused")
    found = [each for state in states for each in authorization.outcomes(kind, state)]
    open_ = [each.outcome for each in found if each.outcome.state is State.UNDECIDED]
    if not open_:
        return None
    if _blamed(pull, authorization, kind, states):
        return PolicyFault(authorization, ())
    return Verdict.inconclusive("; ".join(dict.fromkeys(map(_hangs_on, open_))))


def _is_about_resource(outcome: Outcome) -> bool:
    """Whether an allow lacks only because of which repository it is."""
    nearest = outcome.nearest
    return nearest is not None and any(each.element in ("Resource", "NotResource") for each in nearest.mismatches)


def _harmless(kind: PolicyKind, outcomes: list[Stopped], reason: str) -> Verdict:
    applying = [each.action for each in outcomes if each.outcome.state is not State.NOT_APPLICABLE]
    if not applying:
        return Verdict.not_applicable("no such policy applies to this pull")
    evidence = f"The {POLICY_TYPES[kind]} does not stop {', '.join(dict.fromkeys(applying))}."
    return Verdict.passed(evidence, reason=reason)


def _refused_then(authorization: PullAuthorization, denying: Mapping[str, set[int]]) -> str:
    """Say that revoked credentials were refused.

    Sources: IAM User Guide, "Revoke IAM role temporary security credentials"; Amazon EC2 User Guide, "Retrieve security
    credentials from instance metadata".
    """
    return (
        f"AWS refused credentials that were issued at {authorization.issued_at}: {', '.join(denying)} denies them. "
        "Everything that can be read allows this pull with new credentials. An EC2 instance gets new ones by itself, "
        "at least five minutes before the old ones expire."
    )


def _blamed(pull: PullFailure, authorization: PullAuthorization, kind: PolicyKind, states: tuple[State, ...]) -> bool:
    denial = pull.denial
    if denial is None or not _blames(pull, kind, states):
        return False
    state = State.BLOCKS_EXPLICITLY if denial.explicit else State.BLOCKS_IMPLICITLY

    def is_in(of: PolicyKind, wanted: State) -> bool:
        found = authorization.outcomes(of, state)
        return any(each.action == denial.action and each.outcome.state is wanted for each in found)

    # One wording stands for both policies of a registry: it is the other's where that surely denies, and where neither
    # can be decided it is taken for the repository's (Inference: that is the one that people write).
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


def _hangs_on(outcome: Outcome) -> str:
    reasons = [each.reason for each in outcome.unknown if isinstance(each, Doubt)]
    if keys := keys_of(outcome.unknown):
        reasons.append(f"it depends on {', '.join(keys)}, whose value in the request is not known")
    return "; ".join(reasons) or "it cannot be decided"


def aws_said(pull: PullFailure) -> tuple[str, ...]:
    """Quote AWS's own words, where there are any."""
    return (f"AWS said: {pull.denial.message}",) if pull.denial else ()


def lacking(fault: PolicyFault, what: str) -> tuple[str, ...]:
    """Say which actions no statement of `what` allows, and which statement came nearest."""
    said: dict[tuple[str, str], list[str]] = {}
    for each in fault.stopped:
        nearest = each.outcome.nearest
        said.setdefault((each.resource, f" Nearest: {nearest}." if nearest else ""), []).append(each.action)
    return tuple(
        f"No statement of {what} allows {' or '.join(actions)} on {resource}.{nearest}"
        for (resource, nearest), actions in said.items()
    )


def denying(fault: PolicyFault, kind: PolicyKind) -> tuple[str, ...]:
    """Quote every Deny statement that stops one of the actions."""
    lines = []
    for name, indexes in fault.authorization.denying(kind).items():
        statements = fault.authorization.documents[name].document.get("Statement", [])
        listed = statements if isinstance(statements, list) else [statements]
        for index in sorted(indexes):
            text = json.dumps(listed[index], ensure_ascii=False)
            quote = text if len(text) <= _QUOTE_LENGTH else text[: _QUOTE_LENGTH - 1] + "…"
            lines.append(f"{name}, statement {listed[index].get('Sid') or index}: {quote}")
    return tuple(lines)


def not_read(fault: PolicyFault, kind: PolicyKind) -> tuple[str, ...]:
    """Say of a certain fault which other policies of the kind could not be read, and may stop the pull as well."""
    return tuple(f"Not read: {reason}" for reason in fault.authorization.unread(kind)) if fault.stopped else ()


def actions(fault: PolicyFault, pull: PullFailure) -> tuple[str, ...]:
    """Return the actions that are stopped, from the policies or else from AWS's words."""
    if fault.stopped:
        return tuple(dict.fromkeys(each.action for each in fault.stopped))
    return (pull.denial.action,) if pull.denial else ()


def wanted(fault: PolicyFault, pull: PullFailure) -> Wanted:
    """Return what the policy has to be changed to, for those who have to change it by hand."""
    denial = pull.denial
    if fault.by_words and denial:
        return Wanted(actions(fault, pull), denial.explicit, denial.policy_arn)
    explicit = bool(fault.of_state(State.BLOCKS_EXPLICITLY))
    return Wanted(actions(fault, pull), explicit)
