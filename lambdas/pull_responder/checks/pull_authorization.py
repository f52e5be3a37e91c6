"""Whether the policies let the pull through, layer by layer: read and decided once, for all the checks that ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.authorization.evaluation import Decision, Layer, Outcome, Policies, State, evaluate
from pull_responder.authorization.policy import Policy, PolicyError, parse_policy
from pull_responder.authorization.pull_context import pull_context
from pull_responder.authorization.request import Request
from pull_responder.checks.check import blamed
from pull_responder.facts import ec2, ecr, iam
from pull_responder.facts.ec2 import Instance
from pull_responder.facts.ecr import RepositoryPolicy
from pull_responder.facts.iam import PolicyText
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, Principal, PrincipalKind, PullFailure
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pull_responder.facts.facts import Facts

TOKEN: Final = "ecr:GetAuthorizationToken"  # noqa: S105 -- the name of an action
MANIFEST: Final = "ecr:BatchGetImage"
LAYERS: Final = "ecr:GetDownloadUrlForLayer"

AUTHORIZATION_PERMISSIONS: Final = (*ec2.PERMISSIONS, *ecr.PERMISSIONS, *iam.ROLE_PERMISSIONS)

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
    decision: Decision


@dataclass(frozen=True, slots=True)
class PullAuthorization:
    """The decision on each action that the pull needs.

    `role` is the pulling role's own ARN (without its path, where no more than a session's ARN is known);
    `documents` are the policies as they stand in AWS, by the name that evidence calls them.
    """

    role: Arn
    documents: Mapping[str, PolicyText]
    asked: tuple[_Asked, ...]

    def outcomes(self, layer: Layer, *states: State) -> tuple[Stopped, ...]:
        """Return the actions that `layer` brings into one of `states`."""
        return tuple(
            Stopped(each.request.action, each.request.resource, each.decision.outcomes[layer])
            for each in self.asked
            if each.decision.outcomes[layer].state in states
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
    documents = _Documents()
    policies = _policies_of_role(pull, principal, facts, documents)
    signer = principal.arn or str(own)
    instance = facts.instance(pull)
    questions = [(TOKEN, "*", account, policies)]
    if pull.repository_arn and pull.registry_account:
        of_repository = _with_repository(pull, pull.registry_account, facts, policies, documents)
        questions += [
            (action, pull.repository_arn, pull.registry_account, of_repository) for action in (MANIFEST, LAYERS)
        ]
    asked = []
    for action, resource, owner, of_question in questions:
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
        asked.append(_Asked(request, of_question, evaluate(request, of_question)))
    return PullAuthorization(own, documents.by_name, tuple(asked))


def _policies_of_role(pull: PullFailure, principal: Principal, facts: Facts, documents: _Documents) -> Policies:
    account, name = principal.account or "", principal.name or ""
    texts = facts.identity_policies(account, pull.region, name)
    gone = Unread(f"role {name} does not exist (any more) in account {account}")
    boundary = facts.boundary(account, pull.region, name)
    return Policies(
        identity=gone if texts is None else documents.parse(texts, Layer.IDENTITY),
        boundary=() if boundary is None else documents.parse(boundary, Layer.BOUNDARY),
        scps=Unread("service control policies cannot be read from here"),
        rcps=Unread("resource control policies cannot be read from here"),
        session=_session_policy(pull, principal),
        endpoints=Unread("it is not known which VPC endpoint the request passed"),
    )


def _session_policy(pull: PullFailure, principal: Principal) -> Unread | None:
    # EC2 passes no session policy with an instance's credentials; AWS's words would tell if somebody else did.
    if principal.instance_id and PolicyType.SESSION not in blamed(pull):
        return None
    return Unread("a session policy exists in the session alone")


def _with_repository(
    pull: PullFailure, registry: str, facts: Facts, policies: Policies, documents: _Documents
) -> Policies:
    repository = pull.repository or ""
    found = facts.repository_policy(registry, pull.region, repository)
    if found is None:
        found = Unread(f"repository {repository} does not exist (any more) in registry {registry}, {pull.region}")
    scope = facts.registry_policy_scope(registry, pull.region)
    text = Unread(scope.reason) if isinstance(scope, Unread) else facts.registry_policy(registry, pull.region)
    return Policies(
        identity=policies.identity,
        boundary=policies.boundary,
        scps=policies.scps,
        rcps=policies.rcps,
        session=policies.session,
        endpoints=policies.endpoints,
        resource=documents.parse_one(found, REPOSITORY_POLICY, Layer.RESOURCE),
        registry=documents.parse_one(text, REGISTRY_POLICY, Layer.REGISTRY),
        registry_scope="V2" if isinstance(scope, Unread) else scope,
    )


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
    }.get(layer, ())
    if isinstance(found, Policy):
        yield found
    elif isinstance(found, tuple):
        yield from found
