"""One step of a way from a VPC into another: what crosses, and where it comes out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.network.neighbours import Attachment, Owned, TransitGateway, Wanted
from pull_responder.network.next_steps import behind
from pull_responder.network.places import vpc_id

if TYPE_CHECKING:
    from pull_responder.network.addresses import Peer
    from pull_responder.network.answer import Hop
    from pull_responder.network.model import Network, Surroundings

Hops = tuple["Hop", ...]


@dataclass(frozen=True, slots=True)
class Traffic:
    """What crosses: from `source` to `server`.

    - `subnet_id`: the subnet of the VPC that it leaves.
    - `vpc_id`: the VPC of the server, if that is known.
    - `came_by`: the attachment by which it came into the VPC that it leaves; None if it starts there.
    """

    source: Peer
    server: Peer
    subnet_id: str
    vpc_id: str = ""
    came_by: Attachment | None = None

    def attachment_of(self, near: Attachment, around: Surroundings) -> str:
        """Return the id of the server's VPC's attachment to the gateway that `near` belongs to; empty if not known."""
        gateway = around.gateways.get(near.gateway_id)
        known = gateway.attachments.values() if isinstance(gateway, TransitGateway) and self.vpc_id else ()
        found = [each.id for each in known if each.resource_id == self.vpc_id and each.carries]
        return found[0] if len(found) == 1 else ""


@dataclass(frozen=True, slots=True)
class Step:
    """Where one step leads.

    - `hops`: what lies between both VPCs.
    - `network`: the VPC that the traffic enters; None if it does not, or if that is not known.
    - `entries`: the subnets by which a transit gateway may let it in. Empty over a peering connection.
    - `near`, `far`: the attachments of both VPCs, each to its own gateway.
    - `between`: the peering attachments over which it goes from one gateway to the next, each as the gateway that it
      enters sees it.
    - `beyond`: why the traffic is not followed into the next VPC, in words; else empty.
    """

    hops: Hops
    network: Network | None = None
    entries: tuple[str, ...] = ()
    near: Attachment | None = None
    far: Attachment | None = None
    between: tuple[Attachment, ...] = ()
    beyond: str = ""


def into(step: Step, wanted: tuple[Wanted, ...], around: Surroundings) -> Step:
    """Return the step with the VPC that it leads into, the first of `wanted`, or with the wish to read them."""
    vpc = wanted[0]
    found = around.vpcs.get(vpc.id)
    if isinstance(found, Unread):
        return replace(step, beyond=found.reason)
    if found is not None:
        return replace(step, network=found)
    what = Reason(f"{vpc.id} of account {vpc.account} was not read", behind(vpc.id))
    hops = (*step.hops[:-1], replace(step.hops[-1], wanted=(*step.hops[-1].wanted, *wanted)))
    return replace(step, hops=hops, beyond=what)


def owned_by(hop: Hop, network: Network) -> Hop:
    """Return a hop of another VPC, with that VPC and its owner, also for what is at fault there and has no other."""
    owned = Owned(network.owner, network.region, vpc_id(network))
    faults = tuple(replace(fault, owned=fault.owned or owned) for fault in hop.faults)
    return replace(hop, faults=faults, owned=hop.owned or owned)
