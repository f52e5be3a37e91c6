"""Which VPC endpoint the requests of a pull pass, and what its policy does to them.

A request for a token passes `ecr.api`. The registry's calls (ecr:BatchGetImage, ecr:GetDownloadUrlForLayer) pass
`ecr.dkr`, and its policy decides on them (AWS Containers Blog, "Using VPC endpoint policies to control Amazon ECR
access"). Layers pass the S3 endpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.dependency import Dependency
from pull_responder.authorization.evaluation import Outcome, Policies, PolicyKind, State, evaluate
from pull_responder.authorization.policy import PolicyError, parse_policy
from pull_responder.authorization.statement import Effect
from pull_responder.model.pull import Stage
from pull_responder.model.reason import ENDPOINT_OF_REQUEST, Reason, Refusal, steps_of
from pull_responder.model.unread import Unread
from pull_responder.network import HopKind, HopVerdict, Leg, VpcEndpoint, may_lead_away
from pull_responder.pulls.actions import TOKEN
from pull_responder.pulls.endpoint_fix import endpoint_of
from pull_responder.pulls.path import PullPath, pull_path, sighting_of
from pull_responder.pulls.reasons import not_a_policy

if TYPE_CHECKING:
    from pull_responder.authorization.request import Request
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_INTERNET: Final = (HopKind.INTERNET_GATEWAY, HopKind.NAT_GATEWAY)
_ALLOW_ALL: Final = parse_policy(
    {"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}, name="everything"
)
_BOUNDARY: Final = Unread("whether the role has a permissions boundary is not asked for an endpoint's policy")


class Exit(Enum):
    """Where requests go that pass no VPC endpoint."""

    INTERNET = auto()
    NOWHERE = auto()  # a fault on the path stops them before any endpoint or gateway


@dataclass(frozen=True, slots=True)
class EndpointOnPath:
    """The endpoint that the requests of a stage pass, None where they pass none.

    `arrives` is false where the requests pass neither an endpoint nor a gateway, because a fault on the path stops
    them. The network of `path` is the endpoint's VPC.
    """

    path: PullPath
    endpoint: VpcEndpoint | None
    arrives: bool = True

    @property
    def vpc_id(self) -> str | Unread:
        """The VPC of the endpoint: the nodes', or one behind it."""
        return self.path.owned.vpc_id if self.path.owned else self.path.nodes.vpc_id


@dataclass(frozen=True, slots=True)
class EndpointOutcome:
    """What an endpoint's policy does to one request: by its Allow statements alone, and by its Denies alone."""

    endpoint: VpcEndpoint
    request: Request
    by_allows: Outcome
    by_denies: Outcome

    def state(self) -> State:
        """Return what the policy does: an explicit deny, else a missing Allow, else an undecided outcome, else open."""
        states = (self.by_denies.state, self.by_allows.state)
        worst = (State.BLOCKS_EXPLICITLY, State.BLOCKS_IMPLICITLY, State.UNDECIDED)
        return next((state for state in worst if state in states), State.OPEN)

    @property
    def unknown(self) -> tuple[Dependency, ...]:
        """What the outcome depends on."""
        return tuple(dict.fromkeys((*self.by_denies.unknown, *self.by_allows.unknown)))

    def denies(self) -> set[int]:
        """Return the indexes of the Deny statements that stop the request."""
        policy = parse_policy(self.endpoint.policy or "", name=policy_name(self.endpoint))
        return {each.index for each in policy.denies if each.match(self.request, bounded=None)[0]}


def stage_of(action: str) -> Stage:
    """Return the stage of the pull in which `action` is called."""
    return Stage.TOKEN if action == TOKEN else Stage.MANIFEST


def policy_name(endpoint: VpcEndpoint) -> str:
    """Return the name of an endpoint's policy in evidence."""
    return f"the policy of endpoint {endpoint.id} ({endpoint.service_name})"


def endpoint_on_path(pull: PullFailure, facts: PullFacts, stage: Stage) -> EndpointOnPath | Unread:
    """Return the one endpoint that the requests of `stage` pass from all nodes. Unread where that is not known."""
    path = pull_path(pull, facts)
    if isinstance(path, Unread):
        return path
    ways = {_endpoint_id(leg) for _, leg in path.leg(stage)}
    if len(ways) != 1:
        return Unread(
            Reason("the nodes reach the registry by different paths, or no path is known", ENDPOINT_OF_REQUEST)
        )
    (way,) = ways
    if way is None:
        why = (doubt.reason for _, leg in path.leg(stage) for hop in leg.hops for doubt in hop.undecided)
        steps = dict.fromkeys(step for reason in why for step in steps_of(reason) if isinstance(step, Refusal))
        words = "it is not known whether the request passes a VPC endpoint"
        return Unread(Reason(words, *steps, ENDPOINT_OF_REQUEST))
    there = path if isinstance(way, Exit) else path.holding(way)
    endpoint = None if isinstance(way, Exit) else endpoint_of(way, there)
    if endpoint and (unread := _unread_names(path, stage, pull, facts)):
        reason = f"{unread}, so it is not known whether the request passes {endpoint.id}"
        return Unread(Reason(reason, ENDPOINT_OF_REQUEST))
    return EndpointOnPath(there, endpoint, arrives=way is not Exit.NOWHERE)


def _unread_names(path: PullPath, stage: Stage, pull: PullFailure, facts: PullFacts) -> str:
    """Return what was not read that may send the requests elsewhere; empty if nothing can, or kubelet told where."""
    seen = sighting_of(pull, facts)
    if seen and seen.address:
        return ""
    found = (may_lead_away(leg.host, place.subnet_id, path.network) for place, leg in path.leg(stage))
    return next(filter(None, found), "")


def _endpoint_id(leg: Leg) -> str | Exit | None:
    """Return the id of a leg's endpoint, else its exit, None where neither is certain."""
    endpoints = {hop.resource_id for hop in leg.hops if hop.kind is HopKind.ENDPOINT}
    internet = any(hop.kind in _INTERNET for hop in leg.hops)
    if len(endpoints) == 1 and not internet and None not in endpoints:
        return endpoints.pop()
    if endpoints:
        return None
    if internet:
        return Exit.INTERNET
    return None if leg.verdict is HopVerdict.UNDECIDED else Exit.NOWHERE


def examine_policy(endpoint: VpcEndpoint, request: Request) -> EndpointOutcome | Unread:
    """Evaluate an endpoint's policy for a request. An endpoint without a policy allows everything.

    A Deny with NotPrincipal that leaves the role out is not decided: it counts all the same for a role with a
    permissions boundary, which is not read here.
    """
    name = policy_name(endpoint)
    try:
        policy = parse_policy(endpoint.policy, name=name, kind=PolicyKind.ENDPOINT) if endpoint.policy else _ALLOW_ALL
    except PolicyError as error:
        return Unread(not_a_policy(name, error))
    policies = Policies(identity=(_ALLOW_ALL,), boundary=_BOUNDARY, resource=_ALLOW_ALL, endpoints=(policy,))
    by_allows, by_denies = (evaluate(request, policies, only=effect) for effect in Effect)
    return EndpointOutcome(
        endpoint, request, by_allows.outcomes[PolicyKind.ENDPOINT], by_denies.outcomes[PolicyKind.ENDPOINT]
    )
