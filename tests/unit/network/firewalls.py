"""Policies of AWS Network Firewall for tests, in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.network.addresses import AddressSet, Peer
from pull_responder.network.firewall_rules import Connection, DomainList, FirewallPolicy, RuleGroup
from pull_responder.network.suricata import parse_rules
from tests.unit.network.enterprise import OUT
from tests.unit.network.estate import HOST, REGION

if TYPE_CHECKING:
    from pull_responder.network import Unread

ARN = f"arn:aws:network-firewall:{REGION}:{OUT}"
GROUP, POLICY = f"{ARN}:stateful-rulegroup/egress", f"{ARN}:firewall-policy/central"
STATELESS = f"{ARN}:stateless-rulegroup/packets"
NODE = Peer("i-1", AddressSet.of("10.0.0.5"))
PUBLIC = Peer("the public internet", AddressSet.of("52.0.0.0/8"))
CONNECTION = Connection(HOST, NODE, PUBLIC, ("10.0.0.0/16",))
REGISTRIES = f".dkr.ecr.{REGION}.amazonaws.com"
FORWARD = ("aws:forward_to_sfe",)


def group(kind: str = "", *targets: str, **more: object) -> RuleGroup:
    """A rule group with a domain list."""
    domains = DomainList(kind, frozenset(targets)) if kind else None
    return RuleGroup(GROUP, domains, **more)  # type: ignore[arg-type]  # as the case says


def rules(*lines: str, **more: object) -> RuleGroup:
    """A rule group with rules, each without its sid."""
    text = "\n".join(f"{line[:-1]}sid:{number};)" for number, line in enumerate(lines, 1))
    return RuleGroup(GROUP, rules=parse_rules(text), **more)  # type: ignore[arg-type]  # the same


def policy(*groups: RuleGroup | Unread, strict: bool = False, **more: object) -> FirewallPolicy:
    """A policy that forwards all packets to its stateful rules, and in strict order drops what is established."""
    stateful = ("aws:drop_established",) if strict else ()
    settings: dict[str, object] = {"stateless": FORWARD, "stateful": stateful, **more}
    return FirewallPolicy(POLICY, strict=strict, groups=groups, **settings)  # type: ignore[arg-type]  # the same
