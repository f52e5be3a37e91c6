"""Whether the policies let the pull through, layer by layer: read and decided once, for all the checks that ask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.authorization.evaluation import Decision, Layer, Outcome, Policies, State, evaluate
from pull_responder.authorization.policy import Policy, PolicyError, parse_policy
from pull_responder.authorization.pull_context import pull_context
from pull_responder.authorization.request import Request, RequestError
from pull_responder.checks.check import blamed
from pull_responder.facts import ec2, ecr, iam, organizations
from pull_responder.facts.ec2 import Instance
from pull_responder.facts.ecr import RepositoryPolicy
from pull_responder.facts.iam import PolicyText
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, Principal, PrincipalKind, PullFailure
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pull_responder.facts.ecr import RegistryScope
    from pull_responder.facts.facts import Facts

TOKEN: Final = "ecr:GetAuthorizationToken"  # noqa: S105 -- the name of an action
MANIFEST: Final = "ecr:BatchGetImage"
LAYERS: Final = "ecr:GetDownloadUrlForLayer"

AUTHORIZATION_PERMISSIONS: Final = (
    *ec2.PERMISSIONS,
    *ecr.PERMISSIONS,
    *iam.ROLE_PERMISSIONS,
    *organizations.PERMISSIONS,
)

_CONTROL: Final[dict[Layer, tuple[organizations.ControlPolicyType, PolicyType]]] = {
    Layer.SCP: ("SERVICE_CONTROL_POLICY", PolicyType.SERVICE_CONTROL),
    Layer.RCP: ("RESOURCE_CONTROL_POLICY", PolicyType.RESOURCE_CONTROL),
}

REPOSITORY_POLICY: Final = "the repository policy"
REGISTRY_POLICY: Final = "the registry policy"


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a layer does to one action of the pull."""

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

    `role` is the pulling role's own ARN (without its path, where no more than a session's ARN is known);
    `documents` are the policies as they stand in AWS, by the name that evidence calls them; `gone` says of a layer
    that what its policies belong to does not exist.
    """

    role: Arn
    documents: Mapping[str, PolicyText]
    asked: tuple[_Asked, ...]
    gone: Mapping[Layer, str]

    def outcomes(self, layer: Layer, state: State) -> tuple[Stopped, ...]:
        """Return what `layer` does to each action, looked at for `state`: a missing allow or an explicit deny.

        A layer may stop an action in both ways, and then both must be mended; so its Allow statements alone tell
        whether an allow is missing, and its Deny statements alone whether it denies.
        """
        return tuple(
            Stopped(each.request.action, each.request.resource, decision.outcomes[layer])
            for each in self.asked
            for decision in [each.by_denies if state is State.BLOCKS_EXPLICITLY else each.by_allows]
        )

    def denying(self, layer: Layer) -> dict[str, set[int]]:
        """Return every Deny of `layer` that stops one of the actions: statement indexes by the policy's name."""
        denying: dict[str, set[int]] = {}
        for each in self.asked:
            bounded = None if isinstance(each.policies.boundary, Unread) else bool(each.policies.boundary)
            for policy in _readable(each.policies, layer):
                for statement in policy.denies:
                    if statement.match(each.request, bounded=bounded)[0]:
                        denying.setdefault(policy.name, set()).add(statement.index)
        return denying

    def names(self, layer: Layer) -> tuple[str, ...]:
        """Return the names of the policies of `layer` that could be read."""
        return tuple(dict.fromkeys(p.name for each in self.asked for p in _readable(each.policies, layer)))


def pull_authorization(pull: PullFailure, facts: Facts) -> PullAuthorization | Unread:
    """Decide on the actions of this pull; Unread when the event does not name the role that pulls."""
    key = ("authorization", pull.principal, pull.region, pull.repository_arn, blamed(pull))
    return facts.once(key, lambda: _authorize(pull, facts))


def _authorize(pull: PullFailure, facts: Facts) -> PullAuthorization | Unread:
    principal = pull.principal
    if principal is None or principal.kind is not PrincipalKind.ROLE or not (principal.account and principal.name):
        return Unread("the event does not name the role that pulls")
    account, name = principal.account, principal.name
    role_arn = facts.role_arn(pull)
    own = Arn.parse(role_arn or f"arn:{principal.partition}:iam::{account}:role/{name}")
    if own is None:
        return Unread(f"{role_arn} is no role's ARN")
    _read_ahead(pull, account, name, facts)
    documents = _Documents()
    policies = _policies_of_role(pull, principal, facts, documents)
    if policies is None:
        return Unread(f"role {name} does not exist (any more) in account {account}")
    signer = principal.arn or str(own)
    instance = facts.instance(pull)
    questions = [(TOKEN, "*", account, policies)]
    gone: dict[Layer, str] = {}
    if pull.repository_arn and pull.registry_account:
        of_repository = _with_repository(pull, pull.registry_account, facts, policies, documents)
        if facts.repository_policy(pull.registry_account, pull.region, pull.repository or "") is None:
            where = f"registry {pull.registry_account}, {pull.region}"
            gone[Layer.RESOURCE] = f"repository {pull.repository} does not exist (any more) in {where}"
        questions += [
            (action, pull.repository_arn, pull.registry_account, of_repository) for action in (MANIFEST, LAYERS)
        ]
    asked = []
    for action, resource, owner, of_question in questions:
        try:
            context = pull_context(
                principal=signer,
                role_arn=role_arn,
                region=pull.region,
                registry_account=None if resource == "*" else owner,
                via_aws_service=False if action == TOKEN else None,
                instance_arn=instance.arn if isinstance(instance, Instance) else None,
                instance_vpc_id=instance.vpc_id if isinstance(instance, Instance) else None,
            )
            request = Request(signer, action, resource, owner, context, role_arn=role_arn)
        except RequestError as error:  # the event's own words do not fit together
            return Unread(str(error))
        by_allows = evaluate(request, _each(of_question, _allows_only))
        by_denies = evaluate(request, _each(of_question, _denies_only))
        asked.append(_Asked(request, of_question, by_allows, by_denies))
    return PullAuthorization(own, documents.by_name, tuple(asked), gone)


def _read_ahead(pull: PullFailure, account: str, name: str, facts: Facts) -> None:
    """Read side by side what is then asked for one by one."""
    region, registry, repository = pull.region, pull.registry_account, pull.repository
    reads: list[Callable[[], object]] = [
        lambda: facts.identity_policies(account, region, name),
        lambda: facts.boundary(account, region, name),
        lambda: facts.instance(pull),
    ]
    if registry and repository:
        reads += [
            lambda: facts.repository_policy(registry, region, repository),
            lambda: _registry_policy(registry, region, facts),
        ]
    facts.read_ahead(reads)


# Stands in for the Allow statements where only Deny statements are looked at.
_ALLOW_ALL: Final = parse_policy(
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}, name="everything"
).statements


def _allows_only(policy: Policy) -> Policy:
    return Policy(policy.name, policy.allows)


def _denies_only(policy: Policy) -> Policy:
    return Policy(policy.name, policy.denies + _ALLOW_ALL)


def _each(policies: Policies, change: Callable[[Policy], Policy]) -> Policies:
    """Change every policy that could be read."""

    def one(policy: Policy | Unread | None) -> Policy | Unread | None:
        return change(policy) if isinstance(policy, Policy) else policy

    def all_of(listed: tuple[Policy, ...] | Unread) -> tuple[Policy, ...] | Unread:
        return listed if isinstance(listed, Unread) else tuple(change(policy) for policy in listed)

    def levels_of(listed: tuple[tuple[Policy, ...], ...] | Unread) -> tuple[tuple[Policy, ...], ...] | Unread:
        return listed if isinstance(listed, Unread) else tuple(tuple(map(change, level)) for level in listed)

    return replace(
        policies,
        identity=all_of(policies.identity),
        boundary=all_of(policies.boundary),
        scps=levels_of(policies.scps),
        rcps=levels_of(policies.rcps),
        session=one(policies.session),
        resource=one(policies.resource),
        registry=one(policies.registry),
        endpoints=all_of(policies.endpoints),
    )


def _policies_of_role(pull: PullFailure, principal: Principal, facts: Facts, documents: _Documents) -> Policies | None:
    """Return the policies of the role, None if there is no such role."""
    account, name = principal.account or "", principal.name or ""
    texts = facts.identity_policies(account, pull.region, name)
    boundary = facts.boundary(account, pull.region, name)
    if texts is None or boundary is None:
        return None
    return Policies(
        identity=documents.parse(texts, Layer.IDENTITY),
        boundary=documents.parse(boundary, Layer.BOUNDARY),
        scps=_control_policies(pull, account, Layer.SCP, facts, documents),
        rcps=_control_policies(pull, account, Layer.RCP, facts, documents),
        session=_session_policy(pull, principal),
        endpoints=Unread("it is not known which VPC endpoint the request passed"),
    )


def _control_policies(
    pull: PullFailure, account: str, layer: Layer, facts: Facts, documents: _Documents
) -> tuple[tuple[Policy, ...], ...] | Unread:
    """Return the organization's policies that control `account`: service control policies a principal's account,
    resource control policies a repository's.
    """
    kind, words = _CONTROL[layer]
    found = facts.control_policies(account, pull.region, kind)
    if isinstance(found, Unread):
        return found
    if found is None or not found.levels:
        # AWS's words prove that there is one: then it is not known, which is not the same as none.
        return (
            Unread(f"AWS blames a {words}, but account {account} seems to be under none")
            if (words in blamed(pull))
            else ()
        )
    levels = []
    for texts in found.levels:
        level = documents.parse(texts, layer)
        if isinstance(level, Unread):
            return level
        levels.append(level)
    return tuple(levels)


def _session_policy(pull: PullFailure, principal: Principal) -> Unread | None:
    # EC2 passes no session policy with an instance's credentials; AWS's words would tell if somebody else did.
    if principal.instance_id and PolicyType.SESSION not in blamed(pull):
        return None
    return Unread("a session policy exists in the session alone")


def _with_repository(
    pull: PullFailure, registry: str, facts: Facts, policies: Policies, documents: _Documents
) -> Policies:
    found = facts.repository_policy(registry, pull.region, pull.repository or "")
    text, scope = _registry_policy(registry, pull.region, facts)
    return replace(
        policies,
        resource=documents.parse_one(found, REPOSITORY_POLICY, Layer.RESOURCE),
        registry=documents.parse_one(text, REGISTRY_POLICY, Layer.REGISTRY),
        registry_scope=scope,
    )


def _registry_policy(
    registry: str, region: str, facts: Facts
) -> tuple[Mapping[str, Any] | Unread | None, RegistryScope]:
    """Return the registry's policy and its scope, which matters only where there is a policy."""
    text = facts.registry_policy(registry, region)
    if text is None or isinstance(text, Unread):
        return text, "V2"
    scope = facts.registry_policy_scope(registry, region)
    return (scope, "V2") if isinstance(scope, Unread) else (text, scope)


class _Documents:
    """The policies as they stand, by the names under which they are evaluated."""

    def __init__(self) -> None:
        self.by_name: dict[str, PolicyText] = {}

    def parse(self, texts: Iterable[PolicyText] | Unread, layer: Layer) -> tuple[Policy, ...] | Unread:
        """Return policies ready to be matched, Unread where one of them is none."""
        if isinstance(texts, Unread):
            return texts
        try:
            return tuple(self._parsed(text, layer) for text in texts)
        except PolicyError as error:
            return Unread(str(error))

    def parse_one(
        self, found: RepositoryPolicy | Mapping[str, Any] | Unread | None, name: str, layer: Layer
    ) -> Policy | Unread | None:
        """Return the one policy of a resource ready to be matched."""
        document = found.document if isinstance(found, RepositoryPolicy) else found
        if document is None or isinstance(document, Unread):
            return document
        parsed = self.parse([PolicyText(name=name, arn=None, document=document)], layer)
        return parsed if isinstance(parsed, Unread) else parsed[0]

    def _parsed(self, text: PolicyText, layer: Layer) -> Policy:
        name = text.arn or (f"inline policy {text.name}" if layer is Layer.IDENTITY else text.name)
        self.by_name[name] = text
        return parse_policy(text.document, name=name, layer=layer)


def _readable(policies: Policies, layer: Layer) -> Iterator[Policy]:
    found = {
        Layer.IDENTITY: policies.identity,
        Layer.BOUNDARY: policies.boundary,
        Layer.RESOURCE: policies.resource,
        Layer.REGISTRY: policies.registry,
        Layer.SCP: policies.scps,
        Layer.RCP: policies.rcps,
        Layer.ENDPOINT: policies.endpoints,
    }.get(layer, ())
    yield from _flat(found)


def _flat(found: object) -> Iterator[Policy]:
    if isinstance(found, Policy):
        yield found
    elif isinstance(found, tuple):
        for each in found:
            yield from _flat(each)
