"""Decide whether AWS allows a request, given every policy that applies to it.

Sources: IAM User Guide, "Policy evaluation logic" (within an account, across accounts); AWS Organizations User Guide,
"SCP evaluation" and "RCP evaluation"; Amazon ECR User Guide, "Private registry permissions".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Literal

from pull_responder.authorization.dependency import Dependency, Doubt
from pull_responder.authorization.evidence import Nearest, nearest_allow, unknowns
from pull_responder.authorization.policy import Policy
from pull_responder.authorization.policy_kind import PolicyKind
from pull_responder.authorization.request import CallerKind, Request, Strength, Truth
from pull_responder.authorization.resource_grant import grants_only_by_resource
from pull_responder.authorization.statement import Effect, Statement
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Answer", "Decision", "PolicyKind", "Outcome", "Policies", "State", "Unread", "evaluate"]

_V1_REGISTRY_ACTIONS = frozenset({"ecr:replicateimage", "ecr:batchimportupstreamimage", "ecr:createrepository"})


@dataclass(frozen=True, slots=True)
class Policies:
    """Every policy that applies to a request. Each default means that no policy of that kind exists.

    - `identity`, `boundary`, `session`: the policies of the principal, its permissions boundary and its session.
    - `scps`, `rcps`: one tuple of policies for each level, from the organization's root to the account. Every level
      must allow the request. Empty for an account outside an organization and for the management account.
    - `resource`, `registry`: the policy of the resource itself, and that of the ECR registry which holds it.
    - `endpoints`: the policies of the one VPC endpoint that the request passes. Empty if it passes none.
    - `registry_scope`: the scope setting of the registry policy.

    Without an `identity` policy, nothing on the principal's side allows the request. Without a `resource` and a
    `registry` policy, nothing on the resource's side does. Every other kind restricts nothing if it has no policy.

    Unread in place of a kind means that none of its policies could be read. Unread inside a tuple means that this one
    policy could not be read. The readable policies beside it still count.
    """

    identity: tuple[Policy | Unread, ...] | Unread = ()
    boundary: tuple[Policy | Unread, ...] | Unread = ()
    scps: tuple[tuple[Policy | Unread, ...], ...] | Unread = ()
    rcps: tuple[tuple[Policy | Unread, ...], ...] | Unread = ()
    session: Policy | Unread | None = None
    resource: Policy | Unread | None = None
    registry: Policy | Unread | None = None
    endpoints: tuple[Policy, ...] | Unread = ()
    registry_scope: Literal["V1", "V2"] = "V2"


class State(StrEnum):
    """What one kind of policy does to the request."""

    OPEN = "does not stop it"
    BLOCKS_IMPLICITLY = "does not allow it"
    BLOCKS_EXPLICITLY = "denies it"
    UNDECIDED = "may stop it"
    NOT_APPLICABLE = "does not apply"


class Answer(StrEnum):
    """What AWS answers. The request is denied as soon as one kind of policy certainly stops it."""

    ALLOWED = "Allowed"
    IMPLICITLY_DENIED = "ImplicitlyDenied"
    EXPLICITLY_DENIED = "ExplicitlyDenied"
    UNDECIDED = "Undecided"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one kind of policy does to the request, and by which statement.

    - `policy`, `statement`: the Deny that stops the request, or the Allow that permits it. None if neither exists.
    - `unknown`: what an undecided kind depends on. Either condition keys, spelled as in the policy, or the reason why
      a policy could not be read.
    - `level`: for service and resource control policies, the level that stops the request. 0 is the root.

    An outcome that lacks an Allow keeps the request and the policies, to look for the nearest one.
    """

    kind: PolicyKind
    state: State
    policy: Policy | None = None
    statement: Statement | None = None
    unknown: tuple[Dependency, ...] = ()
    level: int | None = None
    _request: Request | None = field(default=None, repr=False, compare=False)
    _policies: tuple[Policy, ...] = field(default=(), repr=False, compare=False)

    @property
    def nearest(self) -> Nearest | None:
        """The Allow that came nearest to matching, and why it did not match.

        None unless an Allow is missing, or if no Allow is about the action.
        """
        return nearest_allow(self._request, self._policies) if self._request else None


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision, and the outcome for each kind of policy in the order of PolicyKind."""

    decision: Answer
    outcomes: Mapping[PolicyKind, Outcome]

    @property
    def blocked_by(self) -> tuple[PolicyKind, ...]:
        """Every kind of policy that alone would stop the request."""
        return tuple([kind for kind, outcome in self.outcomes.items() if outcome.state in _BLOCKS])

    @property
    def unknown(self) -> tuple[Dependency, ...]:
        """What the undecided kinds of policy depend on."""
        return tuple(dict.fromkeys(each for outcome in self.outcomes.values() for each in outcome.unknown))


_BLOCKS = (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY)


# Python 3.11 takes ten times as long to read an enumeration's member as a global.
_NONE, _DELEGATES, _ROLE, _DIRECT = Strength
_IDENTITY, _BOUNDARY, _SCP, _RCP, _SESSION, _RESOURCE, _REGISTRY, _ENDPOINT = PolicyKind
_OPEN, _LACKS, _DENIES, _UNDECIDED, _ = State
_ALLOWS_ONLY, _DENIES_ONLY = Effect


_Found = tuple[Policy, Statement] | tuple[None, None]


class _Tally:
    """Which Deny and Allow statements of one kind of policy match a request.

    Whether the request needs an Allow from this kind is decided later, in `_conclude`.

    - `denied`: whether a Deny matches; None if unknown. `denier` is the policy and statement of that Deny.
    - `sure`: the strongest Allow that certainly matches. `granter` is its policy and statement.
    - `possible`: the strongest Allow that may match.
    - `reasons`: why policies could not be read.
    - `only`: read only statements of this effect. With Deny only, everything counts as allowed.
    """

    __slots__ = ("bounded", "denied", "denier", "granter", "only", "policies", "possible", "reasons", "request", "sure")

    def __init__(self, request: Request, bounded: Truth, only: Effect | None) -> None:
        self.request = request
        self.bounded = bounded
        self.only = only
        self.policies: tuple[Policy, ...] = ()
        self.denied: Truth = False
        self.denier: _Found = (None, None)
        self.sure = self.possible = _DIRECT if only is _DENIES_ONLY else _NONE
        self.granter: _Found = (None, None)
        self.reasons: tuple[Dependency, ...] = ()

    def read(self, policies: tuple[Policy | Unread, ...] | Unread) -> _Tally:
        """Match the request against the policies. Stop at the first Deny, or once no Allow can be stronger."""
        if isinstance(policies, Unread):
            policies = (policies,)
        readable = tuple([policy for policy in policies if isinstance(policy, Policy)])
        if len(readable) < len(policies):
            unread = dict.fromkeys(policy.reason for policy in policies if isinstance(policy, Unread))
            self.reasons = tuple([Doubt(reason) for reason in unread])
            self.possible = _DIRECT
            if self.only is not _ALLOWS_ONLY:
                self.denied = None
        self.policies = readable
        for policy in readable:
            if policy.denies and self.only is not _ALLOWS_ONLY and self._match_denies(policy):
                break
            if self.sure is not _DIRECT:
                self._match_allows(policy)
        return self

    def _match_denies(self, policy: Policy) -> bool:
        for statement in policy.denies:
            sure, possible = statement.match(self.request, bounded=self.bounded)
            if sure:
                self.denied = True
                self.denier = (policy, statement)
                return True
            if possible:
                self.denied = None
        return False

    def _match_allows(self, policy: Policy) -> None:
        for statement in policy.allows:
            sure, possible = statement.match(self.request, bounded=self.bounded)
            self.possible = max(self.possible, possible)
            if sure > self.sure:
                self.sure = sure
                self.granter = (policy, statement)
                if sure is _DIRECT:
                    return

    def add_grants(self, other: _Tally | None) -> _Tally:
        """Return a tally with the Allow statements of both, and only the Deny statements of this one."""
        if other is None or other.possible is _NONE:
            return self
        both = _Tally(self.request, self.bounded, self.only)
        both.policies = self.policies + other.policies
        both.denied, both.denier = self.denied, self.denier
        both.reasons = tuple(dict.fromkeys(self.reasons + other.reasons))
        stronger = other if other.sure > self.sure else self
        both.sure, both.granter = stronger.sure, stronger.granter
        both.possible = max(self.possible, other.possible)
        return both

    def grants(self, least: Strength) -> Truth:
        """Return whether an Allow of at least that strength matches; None if unknown."""
        if self.sure >= least:
            return True
        return None if self.possible >= least else False

    def unknown(self) -> tuple[Dependency, ...]:
        """Return what an uncertain result depends on."""
        return self.reasons + unknowns(self.request, self.policies, bounded=self.bounded, only=self.only)


@dataclass(frozen=True, slots=True)
class _Need:
    """Whether a kind of policy must allow the request. If that is unknown, `unknown` says what it depends on."""

    needed: Truth
    unknown: tuple[Dependency, ...] = ()


_NEEDED = _Need(needed=True)
_NOT_NEEDED = _Need(needed=False)


def evaluate(request: Request, policies: Policies, *, only: Effect | None = None) -> Decision:
    """Return the decision on the request, and for each kind of policy whether it alone would stop the request.

    `only` restricts the evaluation to statements of one effect. Allow asks whether an Allow is missing. Deny asks
    whether anything denies the request explicitly.
    """
    boundary = policies.boundary
    bounded = None if isinstance(boundary, Unread) else bool(boundary)
    same = request.same_account
    ask = partial(_Tally, request, bounded, only)
    own = _resource(policies.resource, ask, same=same)
    registry = _registry(policies, request, ask)
    granting = own.add_grants(registry) if own else registry
    need_identity = _need(granting, _ROLE) if same else _NEEDED
    need_limits = _need(granting, _DIRECT) if same else _NEEDED
    need_resource = _NEEDED if not same or grants_only_by_resource(request) else _NOT_NEEDED

    session = policies.session
    sessions = (session,) if isinstance(session, Policy) else session
    outcomes: dict[PolicyKind, Outcome] = {}
    # An AWS service and a web identity have no account, so no identity policies or SCPs.
    if request.caller.kind in (CallerKind.SERVICE, CallerKind.WEB_IDENTITY):
        for kind in (_IDENTITY, _BOUNDARY, _SCP):
            outcomes[kind] = _NOT_APPLICABLE[kind]
    else:
        # Root needs no allow in its own account: IAM User Guide, "How AWS enforcement code logic evaluates requests".
        root = request.caller.kind is CallerKind.ROOT and same
        outcomes[_IDENTITY] = (
            _NOT_APPLICABLE[_IDENTITY] if root else _outcome(_IDENTITY, ask, policies.identity, need_identity)
        )
        outcomes[_BOUNDARY] = _outcome(_BOUNDARY, ask, boundary or None, need_limits)
        outcomes[_SCP] = _levels(_SCP, request, ask, policies.scps)
    outcomes[_RCP] = _levels(_RCP, request, ask, policies.rcps)
    outcomes[_SESSION] = _outcome(_SESSION, ask, sessions, need_limits)
    if own is None:
        outcomes[_RESOURCE] = _NOT_APPLICABLE[_RESOURCE]
    else:
        outcomes[_RESOURCE] = _conclude(_RESOURCE, own.add_grants(registry), need_resource)
    outcomes[_REGISTRY] = _conclude(_REGISTRY, registry, _NOT_NEEDED) if registry else _NOT_APPLICABLE[_REGISTRY]
    outcomes[_ENDPOINT] = _outcome(_ENDPOINT, ask, policies.endpoints or None, _NEEDED)
    return Decision(_answer(outcomes), outcomes)


_NOT_APPLICABLE = {kind: Outcome(kind, State.NOT_APPLICABLE) for kind in PolicyKind}


def _resource(policy: Policy | Unread | None, ask: Callable[[], _Tally], *, same: bool) -> _Tally | None:
    """Match the request against the resource's own policy.

    None if there is no such policy and the account owns the resource. Another account always needs an Allow.
    """
    if policy is None:
        return None if same else ask()
    return ask().read((policy,))


def _registry(policies: Policies, request: Request, ask: Callable[[], _Tally]) -> _Tally | None:
    """Match the request against the registry policy. None if there is none, or its scope excludes the action.

    Source: Amazon ECR User Guide, "Private registry permissions", registry policy scope.
    """
    policy = policies.registry
    if policy is None or not request.action_name.startswith("ecr:"):
        return None
    if policies.registry_scope == "V1" and request.action_name not in _V1_REGISTRY_ACTIONS:
        return None
    return ask().read((policy,))


def _need(granting: _Tally | None, least: Strength) -> _Need:
    """Return whether a policy of the principal must allow the request too.

    Within one account it need not, if a resource-based Allow of strength `least` matches (see Strength).
    """
    granted = granting.grants(least) if granting else False
    if granted:
        return _NOT_NEEDED
    if granting is None or granted is False:
        return _NEEDED
    return _Need(needed=None, unknown=granting.unknown())


def _outcome(
    kind: PolicyKind,
    ask: Callable[[], _Tally],
    policies: tuple[Policy | Unread, ...] | Unread | None,
    need: _Need,
) -> Outcome:
    if policies is None:
        return _NOT_APPLICABLE[kind]
    return _conclude(kind, ask().read(policies), need)


def _conclude(kind: PolicyKind, tally: _Tally, need: _Need, level: int | None = None) -> Outcome:
    if tally.denied:
        policy, statement = tally.denier
        return Outcome(kind, _DENIES, policy, statement, level=level)
    granted = tally.grants(_DELEGATES)
    if need.needed and granted is False:
        return Outcome(kind, _LACKS, level=level, _request=tally.request, _policies=tally.policies)
    if tally.denied is None or (need.needed is not False and not granted):
        doubts = tuple(dict.fromkeys(tally.unknown() + need.unknown))
        return Outcome(kind, _UNDECIDED, unknown=doubts, level=level)
    policy, statement = tally.granter
    return Outcome(kind, _OPEN, policy, statement)


def _levels(
    kind: PolicyKind,
    request: Request,
    ask: Callable[[], _Tally],
    levels: tuple[tuple[Policy | Unread, ...], ...] | Unread,
) -> Outcome:
    """Every level from the organization's root down to the account must allow the request.

    Service-linked roles are exempt. Sources: AWS Organizations User Guide, "SCP evaluation" and "RCPs".
    """
    exempt = request.caller.service_linked
    if exempt is None and request.literal:  # only the role's name is known, and it is that of a service-linked role
        exempt = True
    if not levels or exempt:
        return _NOT_APPLICABLE[kind]
    if isinstance(levels, Unread):
        outcome = _conclude(kind, ask().read(levels), _NEEDED)
    else:
        outcome = _worst([_conclude(kind, ask().read(each), _NEEDED, level) for level, each in enumerate(levels)])
    if exempt is None and outcome.state is not _OPEN:
        doubts = (*outcome.unknown, Doubt(f"whether {request.caller.role} is a service-linked role"))
        return Outcome(kind, _UNDECIDED, unknown=doubts)
    return outcome


def _worst(outcomes: list[Outcome]) -> Outcome:
    for state in (_DENIES, _LACKS):
        for outcome in outcomes:
            if outcome.state is state:
                return outcome
    undecided = [outcome for outcome in outcomes if outcome.state is _UNDECIDED]
    if not undecided:
        return outcomes[-1]
    doubts = tuple(dict.fromkeys(each for outcome in undecided for each in outcome.unknown))
    return Outcome(undecided[0].kind, _UNDECIDED, unknown=doubts, level=undecided[0].level)


def _answer(outcomes: Mapping[PolicyKind, Outcome]) -> Answer:
    states = {outcome.state for outcome in outcomes.values()}
    if _DENIES in states:
        return Answer.EXPLICITLY_DENIED
    if _LACKS in states:
        return Answer.IMPLICITLY_DENIED
    return Answer.UNDECIDED if _UNDECIDED in states else Answer.ALLOWED
