"""The way from a node to the registry: pure path analysis over plain facts, with no AWS calls and no clock.

`trace` takes where the node is, which registry it pulls from and what was read about its VPC, and returns a `Path`:
a leg for each host that a pull talks to (api.ecr for the token, the registry for the manifest, S3 for the layers), each
with its hops, their verdicts and proof; and over all legs the faults, what stays undecided, and what was ruled out.

For each host:

1. Name (`resolution`). An interface endpoint with private DNS takes the traffic of its whole VPC, also where a NAT
   gateway would have worked; else the name leads to public addresses. Endpoints of other regions do not count.
2. Node (`security_groups`). The rules of all its groups, added up, must let 443 out to where the name leads.
3. Subnet (`network_acls`). The ACLs of every subnet whose border the traffic crosses, both ways, in entry order.
4. Route (`routing`). The most specific one; S3's gateway endpoint by its prefix list; to an endpoint the local one.
5. Way out (`internet`, `endpoints`). The NAT gateway with its own subnet's route and ACL, or the internet gateway with
   the node's public address; or the endpoint's state and security groups.

What decides:

- A fault is reported where it stops the pull on its own, whatever else is repaired: every hop is judged as if those
  before it were in order. Where a repair leaves open where the traffic will go (an endpoint or a NAT gateway to be
  made), security groups and ACLs are at fault only if they let nothing out to either.
- Where no route leads to public addresses, an endpoint that exists and does not serve is the fault; with none for
  this service it is missing; with none for any of the three services what lacks is a route (`endpoints.dead_end`).
- Which public addresses ECR has is not known here. Rules that cover a part of the public internet leave their cause
  undecided, and name the rule. S3's are known where its prefix list was read.
- Where the traffic may take one of several ways (custom DNS servers, unread endpoints), a fault stays one only if every
  way shows it; the rest is undecided.
- What is `Unread` leaves undecided the causes that needed it, and no other. So do groups that are assumed, not read: a
  rule for a group that the other side may have may be the one that lets the traffic through.

Out of sight: Route 53 Resolver rules and DNS Firewall, AWS Network Firewall, proxies, and anything on the node itself.
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
    Passed,
    Path,
    PathCause,
    ResourceType,
    Undecided,
)
from pull_responder.network.model import (
    EndpointInterface,
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
    Vpc,
    VpcEndpoint,
)
from pull_responder.network.path import trace

__all__ = [
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
    "Passed",
]
