"""Route 53 Resolver rules, Profiles and DNS Firewall rules of a VPC, which decide who answers a name there.

Sources: Amazon Route 53 Developer Guide, "How VPC Resolver determines whether the domain name in a query matches any
rules" (exact match or parent domain; the most specific domain wins), "Domain names that VPC Resolver creates
autodefined system rules for" (a private hosted zone outranks a rule for a less specific domain) and "Considerations
when working with a private hosted zone" (a rule outranks a private hosted zone of the same name) and "What are Amazon
Route 53 Profiles?", "How Route 53 Profile settings are prioritized" (the most specific name wins; of the same name what
the VPC itself has outranks what comes by a Profile); API reference, ResolverRule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.model.unread import Unread

# SYSTEM rules exempt a domain from a rule for its parent; RECURSIVE is Resolver's own way to public name servers.
_LOCAL: Final = {"SYSTEM", "RECURSIVE"}
# A delegation rule sends nothing away by its domain: it follows NS records of a private hosted zone.
_WITHOUT_DOMAIN: Final = {"DELEGATE"}


@dataclass(frozen=True, slots=True)
class ResolverRule:
    """A Resolver rule that is associated with the VPC, by itself or by a Profile.

    - `domain`: without the final dot, so "" for the rule for all names.
    - `type`: FORWARD, SYSTEM, RECURSIVE or DELEGATE.
    - `targets`: the IP addresses of the DNS servers that a FORWARD rule sends questions to.
    - `profile`: the Profile that brings it; empty if the VPC itself has it.
    - `endpoint_id`: the outbound endpoint that it sends them through, which is in the account `owner`.
    - `plain`: whether all targets are asked over port 53, and not over HTTPS or another port.
    """

    id: str
    domain: str
    type: str
    targets: tuple[str, ...] = ()
    profile: str = ""
    endpoint_id: str = ""
    owner: str = ""
    plain: bool = True

    @property
    def forwards(self) -> bool:
        """Whether other DNS servers answer what the rule matches. True for a type that is not known here."""
        return self.type not in _LOCAL

    def covers(self, host: str) -> bool:
        """Return whether `host` is the rule's domain or a name below it."""
        return is_below(host, self.domain)

    def __str__(self) -> str:
        servers = ", ".join(self.targets[:6]) or "other DNS servers"
        by = f" of Route 53 Profile {self.profile}" if self.profile else ""
        return f"Resolver rule {self.id}{by} sends questions for {self.domain or 'all names'} to {servers}"


_NOT_READ: Final = Reason("what it holds was not read")


@dataclass(frozen=True, slots=True)
class Profile:
    """A Route 53 Profile that is associated with the VPC. `name` is the name of the association.

    `gap` says what of it that may answer for names of AWS is not known; empty if all of that was read.
    """

    id: str
    name: str = ""
    gap: str = _NOT_READ

    def __str__(self) -> str:
        return f"Route 53 Profile {self.id}" + (f" ({self.name})" if self.name else "")


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule of a group that is associated with the VPC. A network holds them in the order in which they apply.

    - `group`: the id of its rule group. `priority` is its own within the group.
    - `action`: ALLOW, ALERT or BLOCK; `response` is how it blocks.
    - `list_id`, `domains`: its domain list, in lower case and without final dots. Empty for a list of AWS's own.
    - `query_type`: the type of query that it is for; empty for all.
    - `inspects_redirection`: whether it also looks at the names to which a CNAME leads.
    - `unusual`: it matches by something else than a domain list, such as an algorithm.
    - `owner`: the account that owns the group; empty if that is not known.
    """

    group: str
    priority: int
    action: str
    list_id: str = ""
    domains: tuple[str, ...] | Unread = ()
    response: str = ""
    query_type: str = ""
    inspects_redirection: bool = False
    unusual: bool = False
    owner: str = ""

    def __str__(self) -> str:
        what = self.list_id or "no domain list"
        return f"rule {self.priority} of {self.group} ({self.action} {self.response or ''}".rstrip() + f", {what})"


def is_below(host: str, domain: str) -> bool:
    """Return whether `host` is `domain` or a name below it. Every name is below the empty domain."""
    return not domain or host == domain or host.endswith(f".{domain}")


def winning_rule(host: str, rules: Iterable[ResolverRule]) -> ResolverRule | None:
    """Return the rule for `host` with the most specific domain; None if no rule covers it."""
    covering = [rule for rule in rules if rule.type not in _WITHOUT_DOMAIN and rule.covers(host)]
    return max(covering, key=lambda rule: (len(rule.domain), not rule.profile, rule.forwards), default=None)
