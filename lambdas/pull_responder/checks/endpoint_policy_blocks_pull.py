"""The policy of a VPC endpoint for ECR stops the pull.

What it checks: whether the policy of the `ecr.api` endpoint allows the role to get a token, and whether the policy of
the `ecr.dkr` endpoint allows it to get the manifest and the layers' URLs. It checks only endpoints that the pull
passes. Where that is not known, AWS's error message decides.

What it cannot see: an endpoint in another VPC to which the name's way was not followed, and condition keys whose value
AWS does not show.

Why that stops a pull: a VPC endpoint lets only those requests pass that its policy allows. The Principal element of the
policy applies, too.

How to fix it: the owner of the VPC allows the pull actions in the endpoint's policy.

References: Amazon ECR User Guide, "Amazon ECR interface VPC endpoints (AWS PrivateLink)", endpoint policies; AWS
Containers Blog, "Using VPC endpoint policies to control Amazon ECR access".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.dependency import keys_of
from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.authorization.request import Request, RequestError
from pull_responder.checks.check import AFTER_TOKEN, BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PolicyType, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.reason import ASK, ENDPOINT_OF_REQUEST, Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.pulls.actions import LAYERS, MANIFEST, TOKEN
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.deciding_policies import deciding_endpoints
from pull_responder.pulls.endpoint_on_path import (
    EndpointOnPath,
    EndpointOutcome,
    endpoint_on_path,
    examine_policy,
    stage_of,
)
from pull_responder.pulls.path import PATH_PERMISSIONS
from pull_responder.pulls.policy_fault import add_quote, find_fault, quote_denial, wanted_change
from pull_responder.pulls.policy_proof import prove_endpoints
from pull_responder.pulls.reasons import no_repository, with_doubts
from pull_responder.pulls.request_context import request_context
from pull_responder.pulls.session import role_arn_of
from pull_responder.remediation import by_hand
from pull_responder.remediation.endpoint_policy import PolicyEdit, let_role_through

if TYPE_CHECKING:
    from pull_responder.model.pull import Principal
    from pull_responder.pulls.pull_facts import PullFacts

_ACTIONS: Final = (TOKEN, MANIFEST, LAYERS)


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where the pull passes no endpoint, or inconclusive."""
    passes: list[EndpointOutcome] = []
    unread: list[str] = []
    over_internet = 0
    asked = _ACTIONS if pull.repository_arn else (TOKEN,)
    if pull.denial and pull.denial.action in _ACTIONS and pull.denial.action not in asked:
        unread.append(no_repository(pull.denial.action))
    for action in asked:
        found = _outcome(pull, facts, action)
        if isinstance(found, Unread):
            unread.append(found.reason)
        elif found is None:
            over_internet += 1
        else:
            passes.append(found)
    if blocked := [each for each in passes if each.state() in (State.BLOCKS_EXPLICITLY, State.BLOCKS_IMPLICITLY)]:
        return _failure(pull, facts, blocked)
    unread += [
        with_doubts(f"it depends on {', '.join(map(str, each.unknown))}", each.unknown)
        for each in passes
        if each.state() is State.UNDECIDED
    ]
    if unread:
        return _by_words(pull, facts, unread)
    if over_internet and not passes:
        return Verdict.not_applicable("the pull passes no VPC endpoint for ECR")
    names = dict.fromkeys(each.endpoint.id for each in passes)
    return Verdict.passed(f"The policies of {', '.join(names)} allow the pull.")


def _outcome(pull: PullFailure, facts: PullFacts, action: str) -> EndpointOutcome | Unread | None:
    """Return what the endpoint's policy does to `action`, None where the request passes no endpoint."""
    way = endpoint_on_path(pull, facts, stage_of(action))
    if isinstance(way, Unread):
        return way
    if way.endpoint is None:
        if pull.denial and not way.arrives:
            return Unread(
                Reason(
                    "no path to ECR was found, but ECR answered: the request may pass a VPC endpoint elsewhere",
                    ENDPOINT_OF_REQUEST,
                )
            )
        return None
    principal = pull.principal
    if principal is None or principal.kind is not PrincipalKind.ROLE or not (principal.account and principal.name):
        return Unread(Reason("the pulling role is not known", ASK))
    return _examine_with_known_keys(pull, facts, principal, action, way)


def _examine_with_known_keys(
    pull: PullFailure, facts: PullFacts, principal: Principal, action: str, way: EndpointOnPath
) -> EndpointOutcome | Unread | None:
    if way.endpoint is None:
        return None
    try:
        found = examine_policy(way.endpoint, _request(pull, facts, principal, action, way, ()))
        if isinstance(found, EndpointOutcome) and found.state() is State.UNDECIDED:
            return examine_policy(way.endpoint, _request(pull, facts, principal, action, way, keys_of(found.unknown)))
    except RequestError as error:  # the event contradicts itself
        return Unread(str(error))
    return found


def _request(  # noqa: PLR0913, PLR0917 -- each is a part of the request
    pull: PullFailure,
    facts: PullFacts,
    principal: Principal,
    action: str,
    way: EndpointOnPath,
    needed_keys: tuple[str, ...],
) -> Request:
    role_arn = role_arn_of(pull, facts)
    signer = principal.arn or role_arn or f"arn:{principal.partition}:iam::{principal.account}:role/{principal.name}"
    resource = "*" if action == TOKEN else pull.repository_arn or "*"
    owner = principal.account if action == TOKEN else pull.registry_account
    context = request_context(pull, facts, signer, action, needed_keys=needed_keys)
    vpc = way.vpc_id
    context["aws:SourceVpce"] = way.endpoint.id if way.endpoint else ()
    if isinstance(vpc, str):
        context["aws:SourceVpc"] = vpc
    return Request(signer, action, resource, owner or "", context, role_arn=role_arn)


def _failure(pull: PullFailure, facts: PullFacts, blocked: list[EndpointOutcome]) -> Verdict:
    found = endpoint_on_path(pull, facts, stage_of(blocked[0].request.action))
    if isinstance(found, Unread) or pull.principal is None:
        raise ValueError("the policy of an endpoint was read, but the endpoint on the path is not known")
    path, endpoint = found.path, blocked[0].endpoint
    role = role_arn_of(pull, facts) or pull.principal.arn
    fix = let_role_through(path.where(endpoint.id), _edits(blocked), role=role)
    return Verdict.failed(
        resource=path.resource("Other", endpoint.id),
        explanation=" ".join(
            f"The policy of endpoint {each.id} ({each.service_name}) does not allow the role {role} to call "
            f"{', '.join(one.request.action for one in blocked if one.endpoint is each)}."
            for each in {one.endpoint.id: one.endpoint for one in blocked}.values()
        ),
        evidence=(*dict.fromkeys(_proof(each) for each in blocked), *quote_denial(pull)),
        remediation=prove_endpoints(fix, blocked),
        policies=deciding_endpoints(blocked),
    )


def _proof(outcome: EndpointOutcome) -> str:
    denied = outcome.by_denies.state is State.BLOCKS_EXPLICITLY
    policy = outcome.endpoint.policy or ""
    return f"{outcome.endpoint.id} {'denies' if denied else 'does not allow'} {outcome.request.action}: {policy[:1500]}"


def _edits(blocked: list[EndpointOutcome]) -> tuple[PolicyEdit, ...]:
    edits = []
    for endpoint in {each.endpoint.id: each.endpoint for each in blocked}.values():
        here = [each for each in blocked if each.endpoint is endpoint]
        missing = [each for each in here if each.by_allows.state is State.BLOCKS_IMPLICITLY]
        edits.append(
            PolicyEdit(
                endpoint_id=endpoint.id,
                document=endpoint.policy or "",
                allow={each.request.action: each.request.resource for each in missing},
                denying=frozenset(index for each in here for index in each.denies()),
            )
        )
    return tuple(edits)


def _by_words(pull: PullFailure, facts: PullFacts, unread: list[str]) -> Verdict:
    """Return failed where AWS's message blames an endpoint's policy, else inconclusive."""
    if PolicyType.VPC_ENDPOINT not in pull.blamed_policy_types:
        return Verdict.inconclusive(add_quote(join_reasons(unread), pull, PolicyKind.ENDPOINT))
    fault = find_fault(pull, facts, PolicyKind.ENDPOINT, (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    return Verdict.failed(
        resource=Resource("AwsIamRole", str(role), role.account),
        explanation=(
            f"The policy of the VPC endpoint on the path to ECR stops "
            f"{', '.join(wanted_change(fault, pull).actions)} for the role {role}."
        ),
        evidence=quote_denial(pull),
        remediation=by_hand.endpoint_policy(wanted_change(fault, pull), account=role.account, region=pull.region),
    )


CHECK = Check(
    id="endpoint_policy_blocks_pull",
    title="The policy of a VPC endpoint for ECR stops the pull",
    short="Endpoint policy stops the pull",
    again="The policy of the endpoint lets the role pull again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=(*AUTHORIZATION_PERMISSIONS, *PATH_PERMISSIONS),
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 85, frozenset({Stage.TOKEN})),
        Explains(Symptom.ACCESS_DENIED, 100, AFTER_TOKEN),
        Explains(Symptom.NOT_AUTHENTICATED, 150),
        Explains(Symptom.UNKNOWN, 150, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.VPC_ENDPOINT,
)
