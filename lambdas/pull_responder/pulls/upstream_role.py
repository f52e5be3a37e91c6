"""Whether the role of an ECR to ECR cache rule may fetch: its trust, its policies and the upstream repository's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import Outcome, PolicyKind, State
from pull_responder.facts.iam import Role
from pull_responder.model.arn import Arn
from pull_responder.model.quoting import quote_json
from pull_responder.model.reason import join_reasons
from pull_responder.model.unread import Unread
from pull_responder.pulls.actions import COPY_STATUS, IMPORT
from pull_responder.pulls.authorization import PullAuthorization, StoppedAction, upstream_authorization
from pull_responder.pulls.cache_role import SERVICE
from pull_responder.pulls.fix_by_hand import fix_by_hand
from pull_responder.pulls.policies import REPOSITORY_POLICY
from pull_responder.pulls.policy_fault import POLICY_TYPES, quote_denial
from pull_responder.pulls.reasons import depends_on, doubt_reason, no_role
from pull_responder.pulls.trust import trust_outcome
from pull_responder.remediation import by_hand
from pull_responder.remediation.by_hand import Wanted
from pull_responder.remediation.ecr import grant_cache
from pull_responder.remediation.iam import add_inline_policy
from pull_responder.remediation.instance_profile import trust_service

if TYPE_CHECKING:
    from pull_responder.model.pull import Principal, PullFailure
    from pull_responder.model.verdict import Remediation
    from pull_responder.pulls.pull_facts import PullFacts

# ECR makes these requests itself: no endpoint is on their way, and it passes no session policy (Inference).
_NOT_ASKED: Final = frozenset({PolicyKind.ENDPOINT, PolicyKind.SESSION})
# AWS's page lists these for the role on "*", and does not say on which of the two repositories each is needed.
_ANYWHERE: Final = frozenset({IMPORT, COPY_STATUS})


@dataclass(frozen=True, slots=True)
class RoleFault:
    """What stops the role: clauses, each with its proof, and the fixes."""

    clauses: tuple[str, ...]
    evidence: tuple[str, ...]
    remediations: tuple[Remediation, ...]


def role_fault(pull: PullFailure, facts: PullFacts) -> RoleFault | Unread | None:
    """Return what stops the pull's principal, the role of a cache rule, from fetching. None if nothing does.

    The pull's registry and repository are the upstream ones. AWS's message decides where policies cannot.
    """
    principal = pull.principal
    role = facts.role(principal.account or "", pull.region, principal.name or "") if principal else None
    trust = _trust_fault(role, pull) if isinstance(role, Role) else role or _gone(principal)
    authorization = upstream_authorization(pull, facts)
    if isinstance(authorization, Unread):
        return trust if isinstance(trust, RoleFault) else authorization
    stopped = _stopped(authorization)
    certain = tuple(each for each in stopped if each.outcome.state is not State.UNDECIDED)
    by_words = _blamed(pull, stopped) if not certain else None
    faults = [each for each in (trust, _policy_fault(pull, authorization, certain)) if isinstance(each, RoleFault)]
    if not faults and by_words:
        faults = [_words_fault(pull, authorization, by_words)]
    if faults:
        return RoleFault(
            tuple(clause for fault in faults for clause in fault.clauses),
            tuple(line for fault in faults for line in fault.evidence),
            tuple(each for fault in faults for each in fault.remediations),
        )
    if isinstance(trust, Unread):
        return trust
    reasons = [doubt_reason(each) for one in stopped for each in one.outcome.unknown]
    return Unread(join_reasons(reasons or ["it cannot be decided whether the role may fetch"])) if stopped else None


def _gone(principal: Principal | None) -> Unread:
    return Unread(no_role(principal.name if principal else None, principal.account if principal else None))


def _trust_fault(role: Role, pull: PullFailure) -> RoleFault | Unread | None:
    # Inference: ECR asks for the role on behalf of the registry of the rule, which is in the account of the role (ECR
    # User Guide, "IAM policies required to pull through cache from ECR": AWS's example tests no such key).
    outcome = trust_outcome(role, SERVICE, context={"aws:SourceAccount": role.account})
    arn = Arn.parse(role.arn)
    if not isinstance(outcome, Outcome) or arn is None:
        return outcome if isinstance(outcome, Unread) else None
    if outcome.state is State.OPEN:
        return None
    if outcome.state is State.UNDECIDED:
        return Unread(depends_on(f"the trust policy of {role.arn}", outcome.unknown))
    denied = outcome.state is State.BLOCKS_EXPLICITLY
    clause = f"its trust policy {'denies' if denied else 'does not let'} {SERVICE} {'to ' if denied else ''}assume it"
    fix = trust_service(arn, region=pull.region, document=role.trust_policy, service=SERVICE, denied=denied)
    return RoleFault((clause,), (f"Trust policy of {role.arn}: {quote_json(role.trust_policy)}",), (fix,))


def _stopped(authorization: PullAuthorization) -> tuple[StoppedAction, ...]:
    return tuple(
        each
        for each in authorization.stopped_actions()
        if each.outcome.kind not in _NOT_ASKED
        and not (each.action in _ANYWHERE and _is_allowed_elsewhere(each, authorization))
    )


def _is_allowed_elsewhere(stopped: StoppedAction, authorization: PullAuthorization) -> bool:
    lacks = stopped.outcome.kind is PolicyKind.IDENTITY and stopped.outcome.state is State.BLOCKS_IMPLICITLY
    return lacks and bool(authorization.allowed_resources(stopped.action))


def _blamed(pull: PullFailure, stopped: tuple[StoppedAction, ...]) -> tuple[StoppedAction, ...]:
    """Return what AWS's message blames of what could not be decided. Empty where it blames nothing of it."""
    denial = pull.denial
    if denial is None:
        return ()
    refused = [each for each in stopped if each.action == denial.action]
    kinds = pull.blamed_policy_types
    return tuple(each for each in refused if not kinds or POLICY_TYPES[each.outcome.kind] in kinds)


def _words_fault(pull: PullFailure, authorization: PullAuthorization, blamed: tuple[StoppedAction, ...]) -> RoleFault:
    """Return the fault that only AWS's message proves. The policies cannot be read, so no command is certain."""
    denial = pull.denial
    wanted = Wanted((blamed[0].action,), explicit=bool(denial and denial.explicit))
    clause = f"AWS refused it {blamed[0].action}"
    fix = by_hand.identity_policy(wanted, role=authorization.role, region=pull.region)
    if denial and POLICY_TYPES[PolicyKind.RESOURCE] in pull.blamed_policy_types and (upstream := _upstream(pull)):
        fix = grant_cache(upstream, document=None, caching_account=authorization.role.account, readable=False)
    return RoleFault((clause,), quote_denial(pull), (fix,))


def _policy_fault(
    pull: PullFailure, authorization: PullAuthorization, certain: tuple[StoppedAction, ...]
) -> RoleFault | None:
    groups: dict[tuple[PolicyKind, State], list[str]] = {}
    for each in certain:
        groups.setdefault((each.outcome.kind, each.outcome.state), []).append(each.action)
    if not groups:
        return None
    clauses, evidence, fixes = [], [], []
    for (kind, state), found in groups.items():
        actions = tuple(dict.fromkeys(found))
        whose = f"the upstream repository's {POLICY_TYPES[kind]}" if kind in _UPSTREAM else f"its {POLICY_TYPES[kind]}"
        denies = state is State.BLOCKS_EXPLICITLY
        clauses.append(f"{whose} {'denies' if denies else 'does not allow'} {', '.join(actions)}")
        of_group = [each for each in certain if (each.outcome.kind, each.outcome.state) == (kind, state)]
        where = ", ".join(dict.fromkeys(each.resource for each in of_group))
        evidence.append(f'The kind of policy "{kind}" {state.value}: {", ".join(actions)} on {where}.')
        fixes.append(_fix(pull, authorization, kind, Wanted(actions, explicit=denies)))
    return RoleFault(tuple(clauses), (*evidence, *quote_denial(pull)), tuple(fixes))


_UPSTREAM: Final = frozenset({PolicyKind.RESOURCE, PolicyKind.REGISTRY, PolicyKind.RCP})


def _fix(pull: PullFailure, authorization: PullAuthorization, kind: PolicyKind, wanted: Wanted) -> Remediation:
    role, upstream = authorization.role, _upstream(pull)
    if upstream and kind is PolicyKind.IDENTITY and not wanted.explicit:
        inline = [text.name for text in authorization.documents.values() if text.arn is None]
        return add_inline_policy(
            role, region=pull.region, actions=wanted.actions, repository_arn=str(upstream), taken_names=inline
        )
    if upstream and kind is PolicyKind.RESOURCE and not wanted.explicit:
        present = authorization.documents.get(REPOSITORY_POLICY)
        document = dict(present.document) if present else None
        return grant_cache(upstream, document=document, caching_account=role.account)
    return fix_by_hand(kind, wanted, role=role, repository=upstream, region=pull.region)


def _upstream(pull: PullFailure) -> Arn | None:
    return Arn.parse(pull.repository_arn or "")
