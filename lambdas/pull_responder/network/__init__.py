"""Path analysis from a node to its registry. Pure: no AWS calls, no clock.

`trace` takes the place of the node, the registry and the facts about the node's VPC and those behind it. It returns a
`Path` with one leg for each host that a pull talks to: api.ecr for the token, the registry for the manifest, S3 for the
layers. A leg has hops, and each hop has a verdict and its evidence. The path sums up the faults, the undecided causes
and the causes that were ruled out.

The hops of a leg:

1. Name (`resolution`). An interface endpoint with private DNS takes this traffic of its whole VPC, even if a NAT
   gateway would have worked. Otherwise the name resolves to public addresses. Endpoints of other regions do not count.
   Somebody else may answer for the name (`names`): another DNS server, a Resolver rule, a private hosted zone, a Route
   53 Profile. What they answer is not read, so the name may lead to another VPC.
2. Node (`security_groups`). The rules of all its security groups together must allow TCP 443 out to the destination.
3. Subnet (`network_acls`). The network ACL of every subnet that the traffic enters or leaves must allow it in both
   directions.
4. Route (`routing`). The most specific route wins. S3's gateway endpoint is reached by the route for its prefix list,
   an interface endpoint by the local route.
5. Way out (`internet`, `endpoints`). A NAT gateway, with the route and the network ACL of its own subnet. Or an
   internet gateway, if the node has a public address. Or an endpoint, with its state and its security groups.
6. Other VPCs, one after the other (`course`, `crossing`). A peering connection (`peering_way`) or transit gateways,
   with their attachments and route tables (`attachment_way`, `transit_way`, `transit_routes`), and firewalls in between
   (`firewall_way`, `firewall_policy`), to an endpoint (`hub`) or to a NAT gateway (`egress`). Then the routes back
   (`way_back`, `return_route`). Names lead to a hub by private hosted zones (`zones`, `zone_way`) or by the address
   that was dialled.

The rules:

- A fault is a cause that stops the pull on its own. So each hop is judged as if all hops before it worked.
- Sometimes the fix decides where the traffic will go, for example to a new endpoint or to a new NAT gateway. Then
  security groups and network ACLs are at fault only if they block all of these destinations.
- If no route leads to public addresses, the fault is an existing endpoint that does not serve the pull. If the service
  has no endpoint, the endpoint is missing. If none of the three services has one, the route is missing
  (`endpoints.explain_dead_end`).
- The public addresses of ECR are not known here. A rule for part of the public internet leaves its cause undecided, and
  the reason names the rule. The addresses of S3 are known if its prefix list was read.
- If the traffic may take several ways (custom DNS servers, unread endpoints), a fault counts only if every way has it.
  Otherwise its cause is undecided.
- What kubelet's message shows of a failed pull outranks what was computed (`dialled`, `seen_host`). If it dialled an
  address to which the computed way does not lead, that way's causes are undecided, and so are those of the other names.
  Security groups, network ACL and route are decided for the dialled address itself. A host that was not expected gets a
  leg of its own.
- An `Unread` fact leaves only those causes undecided that need it. Security groups that are assumed, not read, do the
  same: a rule that names another group may still allow the traffic.

A way is followed over at most six VPCs. Behind that, behind an appliance, a VPN or Cloud WAN, it is open. What was not
asked for yet is in `Path.wanted`: whoever traces reads it and traces again.

Not examined: DNS of other VPCs, proxies, and anything on the node itself.
"""

from __future__ import annotations

from pull_responder.model.unread import Unread
from pull_responder.network.answer import (
    Fault,
    Fix,
    Hop,
    HopKind,
    HopVerdict,
    Leg,
    Path,
    PathCause,
    ResourceType,
    RuledOut,
    Undecided,
)
from pull_responder.network.model import (
    EndpointInterface,
    Firewall,
    InternetGateway,
    NatGateway,
    Network,
    NetworkAcl,
    NetworkAclEntry,
    NodePlace,
    PrefixList,
    RegistryPlace,
    Route,
    RouteTable,
    RouteTarget,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Surroundings,
    Vpc,
    VpcEndpoint,
)
from pull_responder.network.neighbours import (
    Attachment,
    Owned,
    Peering,
    PeeringSide,
    TransitGateway,
    Wanted,
    WantedKind,
)
from pull_responder.network.path import trace
from pull_responder.network.unread_names import may_lead_away

__all__ = [
    "may_lead_away",
    "trace",
    "NodePlace",
    "RegistryPlace",
    "Network",
    "Unread",
    "Vpc",
    "Subnet",
    "Route",
    "RouteTable",
    "RouteTarget",
    "SecurityGroup",
    "SecurityGroupRule",
    "NetworkAcl",
    "NetworkAclEntry",
    "EndpointInterface",
    "VpcEndpoint",
    "NatGateway",
    "InternetGateway",
    "PrefixList",
    "Firewall",
    "Attachment",
    "Owned",
    "Peering",
    "PeeringSide",
    "Surroundings",
    "TransitGateway",
    "Wanted",
    "WantedKind",
    "Path",
    "Leg",
    "Hop",
    "HopKind",
    "HopVerdict",
    "PathCause",
    "Fault",
    "Fix",
    "ResourceType",
    "Undecided",
    "RuledOut",
]
