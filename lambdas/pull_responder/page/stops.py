"""What the picture of a pull shows: the stops from the pod to the registry, and which of them break it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Status
from pull_responder.network import HopVerdict, PathCause
from pull_responder.publish.text import resource_name

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding
    from pull_responder.network import Hop, Leg, NodePlace
    from pull_responder.pulls.path import PullPath

_IMAGE: Final = "AwsEcrContainerImage"
_KINDS: Final = {
    "AwsEc2Instance": "node",
    "AwsIamRole": "role",
    "AwsEcrRepository": "repository",
    _IMAGE: "image",
    "AwsKmsKey": "key",
}
_OF_PATH: Final = frozenset(map(str, PathCause))


class State(StrEnum):
    """What is known of a stop. The values are shown to people."""

    OK = "works"
    FAILED = "broken"
    UNDECIDED = "not decided"
    UNKNOWN = "not needed here"
    """No check that this failure calls for is about it."""
    BEYOND = "not reached"
    ASKS = "asks"


_STATES: Final = {
    HopVerdict.OK: State.OK,
    HopVerdict.FAILED: State.FAILED,
    HopVerdict.UNDECIDED: State.UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class Stop:
    """One box of the picture.

    - `kind`: what it is, in our words.
    - `name`: its own name, in the words of whoever gave it.
    - `proof`: what proves its state.
    - `place`, `account`: where it is, in words that follow its name, and whose. Empty if it is part of the nodes' VPC.
    """

    kind: str
    name: str
    state: State
    proof: tuple[str, ...] = ()
    place: str = ""
    account: str = ""


def is_of_path(finding: Finding) -> bool:
    """Return whether a hop of the way shows this cause."""
    return finding.cause in _OF_PATH


def stops_of_leg(diagnosis: Diagnosis, path: PullPath, place: NodePlace, leg: Leg) -> tuple[Stop, ...]:
    """Return the stops of the way from one place of the path to one host."""
    pod = _pod(diagnosis)
    hops = tuple(_stop_of_hop(hop, place, path) for hop in leg.hops)
    end = Stop("host", leg.host, State.BEYOND if leg.verdict is HopVerdict.FAILED else _STATES[leg.verdict])
    return (*pod, *hops, end)


def _stop_of_hop(hop: Hop, place: NodePlace, path: PullPath) -> Stop:
    doubts = (f"{doubt.cause}: {doubt.reason}" for doubt in hop.undecided)
    name = hop.resource_id or (place.name if hop.kind == "node" else "unknown")
    kind, proof = "DNS" if hop.kind == "name" else hop.kind, (*hop.evidence, *doubts)
    account = hop.owned.account if hop.owned else ""
    return Stop(kind, name, _STATES[hop.verdict], proof, path.place(hop), account)


def stops_of_access(diagnosis: Diagnosis) -> tuple[Stop, ...]:
    """Return the stops of a request to the registry by what it depends on: who asks, with which role, for what.

    What a finding blames is broken, but for what hops show. A stop works if a check of such a resource passed and none
    is undecided.
    """
    pull = diagnosis.pull
    principal = diagnosis.role_arn or (pull.principal.arn if pull.principal else None)
    role = _bare(resource_name(principal), "role") if principal else "not known"
    of_repository = pull.repository_arn or pull.repository or "not known"
    image = f":{pull.tag}" if pull.tag else f"@{pull.digest}" if pull.digest else ""
    repository = _bare(resource_name(of_repository), "repository")
    registry = pull.registry_account or pull.registry_host or "Amazon ECR"
    blamed = _blamed(diagnosis)
    stops = (
        *blamed.pop("node", (Stop("node", pull.node, _state(diagnosis, "AwsEc2Instance")),) if pull.node else ()),
        *blamed.pop("role", (Stop("role", role, _state(diagnosis, "AwsIamRole")),)),
    )
    last = (
        Stop("registry", registry, State.UNKNOWN),
        *blamed.pop("repository", (Stop("repository", repository, _state(diagnosis, "AwsEcrRepository")),)),
        *blamed.pop("image", (Stop("image", image, _state(diagnosis, _IMAGE)),) if image else ()),
    )
    return (*_pod(diagnosis), *stops, *(each for several in blamed.values() for each in several), *last)


def _blamed(diagnosis: Diagnosis) -> dict[str, tuple[Stop, ...]]:
    """Return the stops that findings blame by their kind, one for each resource."""
    found: dict[str, dict[str, Stop]] = {}
    for each in diagnosis.findings:
        if is_of_path(each):
            continue
        kind = _kind_of(each)
        name = _bare(resource_name(each.resource.id), "repository" if kind == "image" else kind)
        # Of several lines the first is what was read; the whole proof stands with the cause.
        proof = each.evidence[:1] or (each.explanation,)
        known = found.setdefault(kind, {}).get(name)
        found[kind][name] = Stop(kind, name, State.FAILED, (*(known.proof if known else ()), *proof))
    return {kind: tuple(stops.values()) for kind, stops in found.items()}


def _pod(diagnosis: Diagnosis) -> tuple[Stop, ...]:
    pull = diagnosis.pull
    if not pull.pod:
        return ()
    return (Stop("pod", f"{pull.namespace}/{pull.pod}" if pull.namespace else pull.pod, State.ASKS),)


def _bare(name: str, kind: str) -> str:
    """Return the name of a resource without its kind, which stands beside it: `eks/node` for `role/eks/node`."""
    return name.removeprefix(f"{kind.replace(' ', '-')}/")


def _kind_of(finding: Finding) -> str:
    arn = Arn.parse(finding.resource.id)
    if finding.resource.type == "AwsAccount" or (arn is not None and arn.service == "organizations"):
        return "organization"
    if finding.resource.type in _KINDS:
        return _KINDS[finding.resource.type]
    return arn.resource.partition("/")[0].replace("-", " ") if arn and "/" in arn.resource else "resource"


def _state(diagnosis: Diagnosis, type_: str) -> State:
    left = (*diagnosis.inconclusive, *diagnosis.unchecked)
    if any(_type_of(each.cause) == type_ for each in left):
        return State.UNDECIDED
    passed = (each for each in diagnosis.examined if each.status is Status.PASSED)
    return State.OK if any(_type_of(each.cause) == type_ for each in passed) else State.UNKNOWN


def _type_of(cause: str) -> str:
    return BY_ID[cause].resource_type if cause in BY_ID else ""
