"""The policy of a firewall of AWS Network Firewall, as its API returns it: default actions, rule groups, rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING

from pull_responder.model.unread import Unread
from pull_responder.network.suricata import StatefulRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.network.addresses import Peer


@dataclass(frozen=True, slots=True)
class DomainList:
    """A domain list: `kind` is ALLOWLIST, DENYLIST, REJECTLIST or ALERTLIST, `targets` are in lower case."""

    kind: str
    targets: frozenset[str]
    sees_tls: bool = True

    def entry_for(self, host: str) -> str:
        """Return the most specific entry that names a host, empty if there is none.

        `.example.com` stands for the domain and all below it, any other entry for itself alone (API reference,
        RulesSourceList).
        """
        labels = host.split(".")
        candidates = (host, *("." + ".".join(labels[at:]) for at in range(len(labels))))
        return next((each for each in candidates if each in self.targets), "")


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """A stateful rule group, of a domain list or of rules.

    - `home_net`, `external_net`: its own variables of these names. Empty if it has none.
    - `variables`: its other variables of addresses or ports.
    - `overridden`: the policy turns its drops into alerts.
    """

    arn: str
    domains: DomainList | None = None
    rules: tuple[StatefulRule, ...] = ()
    home_net: tuple[str, ...] = ()
    external_net: tuple[str, ...] = ()
    variables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overridden: bool = False

    @property
    def name(self) -> str:
        """Its name, the last part of its ARN."""
        return name_of(self.arn)


@dataclass(frozen=True, slots=True)
class TcpFlags:
    """Of the flags in `masks`, or of all if that is empty, those in `flags` are set and the others are not."""

    flags: frozenset[str]
    masks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StatelessRule:
    """A rule for single packets. What is empty matches everything. `action` is a standard one, such as "aws:pass"."""

    priority: int
    action: str
    sources: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    source_ports: tuple[tuple[int, int], ...] = ()
    destination_ports: tuple[tuple[int, int], ...] = ()
    protocols: tuple[int, ...] = ()
    tcp_flags: tuple[TcpFlags, ...] = ()


@dataclass(frozen=True, slots=True)
class StatelessGroup:
    """A stateless rule group, with its rules in the order of their priority."""

    arn: str
    rules: tuple[StatelessRule, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FirewallPolicy:
    """A policy: its groups are in the order of their priority. `stateless` and `stateful` are the default actions.

    A policy equals itself alone, so that what is made of its many rules can be kept by it.
    """

    arn: str
    stateless: tuple[str, ...]
    stateful: tuple[str, ...] = ()
    strict: bool = False
    stateless_groups: tuple[StatelessGroup | Unread, ...] = ()
    groups: tuple[RuleGroup | Unread, ...] = ()
    home_net: tuple[str, ...] = ()
    inspects_tls: bool = False


class Does(Enum):
    """What a policy does to a connection."""

    PASS = auto()
    BLOCK = auto()
    OPEN = auto()


class By(Enum):
    """What of a policy decides."""

    NOTHING = auto()
    STATELESS_RULE = auto()
    STATELESS_DEFAULT = auto()
    ALLOW_LIST = auto()
    DENY_LIST = auto()
    RULE = auto()
    STATEFUL_DEFAULT = auto()


@dataclass(frozen=True, slots=True)
class Effect:
    """What a policy, or a part of it, does.

    - `resource`: the ARN of the group or policy.
    - `proof`: why, in words.
    - `by`, `detail`: what decides, and which: an entry of a list, a rule's id or priority, a default action.
    - `at_start`: whether it decides before the firewall has seen the server's name.
    - `unread`: why a rule group that may decide is not known. Empty if all are.
    - `doubt`: what may drop a connection that it passes, in some cases that nobody can see here. Empty if nothing.
    """

    does: Does
    resource: str
    proof: str
    by: By = By.NOTHING
    detail: str = ""
    at_start: bool = False
    unread: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """A TLS connection to a host on port 443: who opens it, to which addresses, and the blocks of the firewall's VPC.

    `vpc_cidrs` is empty if the VPC could not be read.
    """

    host: str
    source: Peer
    server: Peer
    vpc_cidrs: tuple[str, ...]


def name_of(arn: str) -> str:
    """Return the name of a resource, the last part of its ARN."""
    return arn.rpartition("/")[2]
