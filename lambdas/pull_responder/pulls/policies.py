"""The policies that apply to this pull, read and parsed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.authorization.evaluation import Policies, PolicyKind
from pull_responder.authorization.policy import Policy, PolicyError, parse_policy
from pull_responder.facts import organizations
from pull_responder.facts.ecr import RepositoryPolicy
from pull_responder.facts.iam import PolicyText
from pull_responder.model.pull import KUBELET_SESSION, PolicyType, Principal, PrincipalKind, PullFailure
from pull_responder.model.reason import ENDPOINT_OF_REQUEST, SESSION, Reason
from pull_responder.model.unread import Unread
from pull_responder.pulls.reasons import not_a_policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.facts.ecr import RegistryScope
    from pull_responder.pulls.pull_facts import PullFacts

CONTROL_POLICIES: Final[dict[PolicyKind, tuple[organizations.ControlPolicyType, PolicyType]]] = {
    PolicyKind.SCP: ("SERVICE_CONTROL_POLICY", PolicyType.SERVICE_CONTROL),
    PolicyKind.RCP: ("RESOURCE_CONTROL_POLICY", PolicyType.RESOURCE_CONTROL),
}

REPOSITORY_POLICY: Final = "the repository policy"
REGISTRY_POLICY: Final = "the registry policy"


def policies_of_role(
    pull: PullFailure, principal: Principal, facts: PullFacts, documents: Documents
) -> Policies | None:
    """Return the policies that apply to the role, None if there is no such role."""
    account, name = principal.account or "", principal.name or ""
    texts = facts.identity_policies(account, pull.region, name)
    boundary = facts.boundary(account, pull.region, name)
    if texts is None or boundary is None:
        return None
    return Policies(
        identity=documents.parse_all(texts, PolicyKind.IDENTITY),
        boundary=boundary if isinstance(boundary, Unread) else documents.parse_all(boundary, PolicyKind.BOUNDARY),
        scps=_control_policies(pull, account, PolicyKind.SCP, facts, documents),
        rcps=_control_policies(pull, account, PolicyKind.RCP, facts, documents),
        session=_session_policy(pull, principal),
        endpoints=Unread(Reason("it is not known which VPC endpoint the request passed", ENDPOINT_OF_REQUEST)),
    )


def _control_policies(
    pull: PullFailure, account: str, kind: PolicyKind, facts: PullFacts, documents: Documents
) -> tuple[tuple[Policy | Unread, ...], ...] | Unread:
    """Return the organization's policies that apply to `account`.

    Service control policies apply to a principal's account, resource control policies to a repository's.
    """
    type_, words = CONTROL_POLICIES[kind]
    found = facts.control_policies(account, pull.region, type_)
    if isinstance(found, Unread):
        return found
    if found is None or not found.levels:
        # AWS's message proves that there is such a policy, so it is unknown, not absent.
        return (
            Unread(
                Reason(
                    f"AWS blames a {words}, but none was found that applies to account {account}",
                    f"Ask the organization's administrator for the {words} of account {account} that was attached or "
                    "changed since.",
                )
            )
            if (words in pull.blamed_policy_types)
            else ()
        )
    return tuple(documents.parse_all(texts, kind) for texts in found.levels)


def _session_policy(pull: PullFailure, principal: Principal) -> Unread | None:
    # EC2 passes no session policy with an instance's credentials, and neither does kubelet with those of a pod's role.
    # If something else passed one, AWS's message would blame it. A role that a node will have is no session yet.
    no_session = principal.kind is PrincipalKind.ROLE and not principal.arn and pull.denial is None
    by_kubelet = principal.session_name == KUBELET_SESSION
    if (principal.instance_id or no_session or by_kubelet) and PolicyType.SESSION not in pull.blamed_policy_types:
        return None
    return Unread(Reason("a session policy exists only in the session and cannot be read", SESSION))


def with_repository(
    pull: PullFailure, registry: str, facts: PullFacts, policies: Policies, documents: Documents
) -> Policies:
    """Return `policies` with those of the repository, of its registry, and of the organization of its account."""
    found = facts.repository_policy(registry, pull.region, pull.repository or "")
    text, scope = registry_policy(registry, pull.region, facts)
    return replace(
        policies,
        resource=documents.parse_one(found, REPOSITORY_POLICY, PolicyKind.RESOURCE),
        registry=documents.parse_one(text, REGISTRY_POLICY, PolicyKind.REGISTRY),
        registry_scope=scope,
        rcps=_control_policies(pull, registry, PolicyKind.RCP, facts, documents),
    )


def registry_policy(
    registry: str, region: str, facts: PullFacts
) -> tuple[Mapping[str, Any] | Unread | None, RegistryScope]:
    """Return the registry's policy and its scope. The scope matters only where there is a policy."""
    text = facts.registry_policy(registry, region)
    if text is None or isinstance(text, Unread):
        return text, "V2"
    scope = facts.registry_policy_scope(registry, region)
    return (scope, "V2") if isinstance(scope, Unread) else (text, scope)


class Documents:
    """The policies as they stand in AWS, by the names under which they are evaluated."""

    def __init__(self) -> None:
        self.by_name: dict[str, PolicyText] = {}

    def parse_all(self, texts: Iterable[PolicyText | Unread], kind: PolicyKind) -> tuple[Policy | Unread, ...]:
        """Return the parsed policies. Unread stands for a policy that could not be read or parsed."""
        return tuple(text if isinstance(text, Unread) else self._parse(text, kind) for text in texts)

    def parse_one(
        self, found: RepositoryPolicy | Mapping[str, Any] | Unread | None, name: str, kind: PolicyKind
    ) -> Policy | Unread | None:
        """Return the parsed policy of a resource."""
        document = found.document if isinstance(found, RepositoryPolicy) else found
        if document is None or isinstance(document, Unread):
            return document
        return self._parse(PolicyText(name=name, arn=None, document=document), kind)

    def _parse(self, text: PolicyText, kind: PolicyKind) -> Policy | Unread:
        name = text.arn or (f"inline policy {text.name}" if kind is PolicyKind.IDENTITY else text.name)
        self.by_name[name] = text
        try:
            return parse_policy(text.document, name=name, kind=kind)
        except PolicyError as error:
            return Unread(not_a_policy(name, error))
