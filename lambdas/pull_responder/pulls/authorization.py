"""Whether the policies allow the pull, decided for each kind of policy by itself, once for all checks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.dependency import Dependency, keys_of
from pull_responder.authorization.evaluation import Decision, Outcome, Policies, PolicyKind, State, evaluate
from pull_responder.authorization.evidence import unknowns
from pull_responder.authorization.policy import Policy
from pull_responder.authorization.pull_context import TOKEN_ISSUE_TIME
from pull_responder.authorization.request import Context, Request, RequestError
from pull_responder.authorization.statement import Effect
from pull_responder.facts import ec2, ecr, iam, organizations
from pull_responder.facts.iam import PolicyText
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PrincipalKind, PullFailure
from pull_responder.model.reason import ASK, Reason
from pull_responder.model.unread import Unread
from pull_responder.pulls.actions import CREATE, IMPORT, LAYERS, MANIFEST, TAG, TOKEN, UPSTREAM_ACTIONS
from pull_responder.pulls.node_role import why_no_role
from pull_responder.pulls.policies import Documents, policies_of_role, registry_policy, with_repository
from pull_responder.pulls.reasons import no_role
from pull_responder.pulls.request_context import request_context
from pull_responder.pulls.session import role_arn_of, session_instance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pull_responder.pulls.pull_facts import PullFacts

AUTHORIZATION_PERMISSIONS: Final = (
    *ec2.PERMISSIONS,
    *ecr.PERMISSIONS,
    *iam.ROLE_PERMISSIONS,
    *organizations.PERMISSIONS,
)

# Actions hold no policy variables.
_NO_KEYS: Final = Context({}, literal=False)


@dataclass(frozen=True, slots=True)
class StoppedAction:
    """What a kind of policy does to one action of the pull."""

    action: str
    resource: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    policies: Policies
    by_allows: Decision
    by_denies: Decision


@dataclass(frozen=True, slots=True)
class PullAuthorization:
    """The decision on each action that the pull needs.

    - `role` is the pulling role's own ARN. It has no path where only a session's ARN is known.
    - `documents` are the policies as they stand in AWS, by the names that evidence gives them.
    - `gone` are the kinds of policy whose resource does not exist, with a sentence that says so.
    - `may_be_cut` says that the event may hold only the beginning of the repository's name. CloudTrail cuts AWS's
      message, the name is at its end, and no repository has that name.
    - `issued_at` is when the refused credentials were issued. The decision itself is about credentials issued now.
    """

    role: Arn
    documents: Mapping[str, PolicyText]
    asked: tuple[_Asked, ...]
    gone: Mapping[PolicyKind, str]
    may_be_cut: bool = False
    issued_at: str | None = None

    @property
    def actions(self) -> tuple[str, ...]:
        """The actions that were evaluated."""
        return tuple(each.request.action for each in self.asked)

    def levels_without_allow(self, kind: PolicyKind) -> dict[int, tuple[str, ...]]:
        """Return the levels of an organization's policies at which certainly no statement allows an action.

        Keys are levels, counted from 0 at the root. Values are the actions without an Allow at that level.
        """
        lacking: dict[int, list[str]] = {}
        for each in self.asked:
            levels = each.policies.scps if kind is PolicyKind.SCP else each.policies.rcps
            for number, level in enumerate(() if isinstance(levels, Unread) else levels):
                if all(isinstance(policy, Policy) and not _may_allow(policy, each.request) for policy in level):
                    lacking.setdefault(number, []).append(each.request.action)
        return {number: tuple(actions) for number, actions in lacking.items()}

    def outcomes(self, kind: PolicyKind, state: State) -> tuple[StoppedAction, ...]:
        """Return what `kind` does to each action, evaluated for `state`: a missing Allow or an explicit deny.

        A kind of policy can stop an action in both ways, and then both need a fix. So only its Allow statements decide
        whether an Allow is missing, and only its Deny statements decide whether it denies.
        """
        return tuple(
            StoppedAction(each.request.action, each.request.resource, decision.outcomes[kind])
            for each in self.asked
            for decision in [each.by_denies if state is State.BLOCKS_EXPLICITLY else each.by_allows]
        )

    def allowed_resources(self, action: str) -> tuple[str, ...]:
        """Return the resources on which the role's own policies may allow `action`, as the policies write them.

        Conditions are ignored. A NotResource counts as "*", because it covers nearly everything.
        """
        found: list[str] = []
        for policy in _flat(self.asked[0].policies.identity if self.asked else ()):
            for statement in policy.allows if isinstance(policy, Policy) else ():
                if statement.actions.cover(action.lower(), _NO_KEYS):
                    inverted = statement.resources is None or statement.resources.inverted
                    found += ["*"] if inverted or statement.resources is None else statement.resources.values
        return tuple(dict.fromkeys(found))

    def stopped_actions(self) -> tuple[StoppedAction, ...]:
        """Return every kind of policy that stops, or may stop, an action, in the order of PolicyKind."""
        states = (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY, State.UNDECIDED)
        return tuple(
            StoppedAction(each.request.action, each.request.resource, outcome)
            for each in self.asked
            for decision in (each.by_allows, each.by_denies)
            for outcome in decision.outcomes.values()
            if outcome.state in states
        )

    def denies(self, kind: PolicyKind) -> dict[str, set[int]]:
        """Return every Deny of `kind` that stops one of the actions: statement indexes by the policy's name."""
        return _denies([(each.request, each.policies) for each in self.asked], kind)

    def denies_of_older_session(self, kind: PolicyKind) -> dict[str, set[int]]:
        """Return every Deny of `kind` that stops the session that AWS refused, but no new session."""
        if self.issued_at is None:
            return {}
        issued = {TOKEN_ISSUE_TIME: self.issued_at}
        older = [
            (replace(each.request, context={**each.request.context, **issued}), each.policies) for each in self.asked
        ]
        now = self.denies(kind)
        then = {name: indexes - now.get(name, set()) for name, indexes in _denies(older, kind).items()}
        return {name: indexes for name, indexes in then.items() if indexes}

    def names(self, kind: PolicyKind) -> tuple[str, ...]:
        """Return the names of the policies of `kind` that could be read."""
        return tuple(dict.fromkeys(p.name for each in self.asked for p in _readable(each.policies, kind)))

    def unread(self, kind: PolicyKind) -> tuple[str, ...]:
        """Return why policies of `kind` could not be read."""
        found = [member for each in self.asked for member in _members(each.policies, kind)]
        return tuple(dict.fromkeys(member.reason for member in found if isinstance(member, Unread)))


def pull_authorization(pull: PullFailure, facts: PullFacts) -> PullAuthorization | Unread:
    """Decide on the actions of this pull. Unread where the event does not name the pulling role."""
    key = ("authorization", pull.principal, pull.region, pull.repository_arn, pull.blamed_policy_types)
    return facts.once(key, lambda: _authorize(pull, facts, (TOKEN, MANIFEST, LAYERS)))


def cache_authorization(pull: PullFailure, facts: PullFacts) -> PullAuthorization | Unread:
    """Decide on the further actions of a pull through cache. Unread where the event does not name the role."""
    key = ("cache authorization", pull.principal, pull.region, pull.repository_arn, pull.blamed_policy_types)
    return facts.once(key, lambda: _authorize(pull, facts, (IMPORT, CREATE, TAG)))


def upstream_authorization(pull: PullFailure, facts: PullFacts) -> PullAuthorization | Unread:
    """Decide on the actions of the role with which ECR itself fetches from an upstream repository of ECR."""
    key = ("upstream authorization", pull.principal, pull.region, pull.repository_arn, pull.blamed_policy_types)
    return facts.once(key, lambda: _authorize(pull, facts, UPSTREAM_ACTIONS))


def _authorize(pull: PullFailure, facts: PullFacts, actions: tuple[str, ...]) -> PullAuthorization | Unread:
    principal = pull.principal
    if principal is None or principal.kind is not PrincipalKind.ROLE or not (principal.account and principal.name):
        nodes = facts.asked if principal is None else None
        return Unread(
            why_no_role(nodes, facts) if nodes else Reason("the event does not name the role that pulls", ASK)
        )
    account, name = principal.account, principal.name
    role_arn = role_arn_of(pull, facts)
    own = Arn.parse(role_arn or f"arn:{principal.partition}:iam::{account}:role/{name}")
    if own is None:
        return Unread(Reason(f"{role_arn} is not the ARN of a role", ASK))
    _read_ahead(pull, account, name, facts)
    documents = Documents()
    policies = policies_of_role(pull, principal, facts, documents)
    if policies is None:
        return Unread(no_role(name, account))
    signer = principal.arn or str(own)
    gone: dict[PolicyKind, str] = {}
    questions = []
    if TOKEN in actions:
        questions.append(_Question(pull, signer, role_arn, TOKEN, "*", account, policies))
    registry, repository = pull.registry_account, pull.repository_arn
    if registry and repository:
        of_repository = with_repository(pull, registry, facts, policies, documents)
        is_gone = facts.repository_policy(registry, pull.region, pull.repository or "") is None
        if is_gone:
            where = f"registry {registry}, {pull.region}"
            gone[PolicyKind.RESOURCE] = Reason(
                f"repository {pull.repository} does not exist in {where}",
                f"Create repository {pull.repository} in {where}, or correct the image's name.",
            )
        questions += [
            _Question(pull, signer, role_arn, action, repository, registry, of_repository)
            for action in actions
            if action != TOKEN
        ]
    try:
        asked = tuple(_ask(question, facts) for question in questions)
    except RequestError as error:  # the event contradicts itself
        return Unread(str(error))
    denial = pull.denial
    may_be_cut = bool(gone and denial and denial.policy_type is None and not denial.explicit)
    return PullAuthorization(own, documents.by_name, asked, gone, may_be_cut, principal.issued_at)


@dataclass(frozen=True, slots=True)
class _Question:
    pull: PullFailure
    signer: str
    role_arn: str | None
    action: str
    resource: str
    owner: str
    policies: Policies

    def request(self, facts: PullFacts, needed_keys: tuple[str, ...] = ()) -> Request:
        context = request_context(self.pull, facts, self.signer, self.action, needed_keys=needed_keys)
        return Request(self.signer, self.action, self.resource, self.owner, context, role_arn=self.role_arn)


def _unknowns(request: Request, policies: Policies, kind: PolicyKind) -> tuple[Dependency, ...]:
    bounded = None if isinstance(policies.boundary, Unread) else bool(policies.boundary)
    return unknowns(request, tuple(_readable(policies, kind)), bounded=bounded, only=None)


def _ask(question: _Question, facts: PullFacts) -> _Asked:
    """Decide. If the decision depends on something that can be read, read it and decide again."""
    request = question.request(facts)
    unknown = [each for kind in PolicyKind for each in _unknowns(request, question.policies, kind)]
    needed_keys = keys_of(unknown)
    if needed_keys:
        request = question.request(facts, tuple(sorted(set(needed_keys))))
    by_allows, by_denies = (evaluate(request, question.policies, only=effect) for effect in Effect)
    return _Asked(request, question.policies, by_allows, by_denies)


def _read_ahead(pull: PullFailure, account: str, name: str, facts: PullFacts) -> None:
    """Read in parallel what is needed one by one later."""
    region, registry, repository = pull.region, pull.registry_account, pull.repository
    reads: list[Callable[[], object]] = [
        lambda: facts.identity_policies(account, region, name),
        lambda: facts.boundary(account, region, name),
        lambda: session_instance(pull, facts),
        lambda: facts.control_policies(account, region, "SERVICE_CONTROL_POLICY"),
        lambda: facts.control_policies(registry or account, region, "RESOURCE_CONTROL_POLICY"),
    ]
    if registry and repository:
        reads += [
            lambda: facts.repository_policy(registry, region, repository),
            lambda: registry_policy(registry, region, facts),
        ]
    facts.read_ahead(reads)


def _denies(asked: Iterable[tuple[Request, Policies]], kind: PolicyKind) -> dict[str, set[int]]:
    denies: dict[str, set[int]] = {}
    for request, policies in asked:
        bounded = None if isinstance(policies.boundary, Unread) else bool(policies.boundary)
        for policy in _readable(policies, kind):
            for statement in policy.denies:
                if statement.match(request, bounded=bounded)[0]:
                    denies.setdefault(policy.name, set()).add(statement.index)
    return denies


def _may_allow(policy: Policy, request: Request) -> bool:
    return any(statement.match(request, bounded=False)[1] for statement in policy.allows)


def _readable(policies: Policies, kind: PolicyKind) -> Iterator[Policy]:
    return (member for member in _members(policies, kind) if isinstance(member, Policy))


def _members(policies: Policies, kind: PolicyKind) -> Iterator[Policy | Unread]:
    found = {
        PolicyKind.IDENTITY: policies.identity,
        PolicyKind.BOUNDARY: policies.boundary,
        PolicyKind.RESOURCE: policies.resource,
        PolicyKind.REGISTRY: policies.registry,
        PolicyKind.SCP: policies.scps,
        PolicyKind.RCP: policies.rcps,
        PolicyKind.ENDPOINT: policies.endpoints,
    }.get(kind, ())
    yield from _flat(found)


def _flat(found: object) -> Iterator[Policy | Unread]:
    if isinstance(found, Policy | Unread):
        yield found
    elif isinstance(found, tuple):
        for each in found:
            yield from _flat(each)
