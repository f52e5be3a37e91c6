"""Route 53 Resolver rules and Route 53 Profiles of a VPC, which decide who answers a name there.

Sources: Amazon Route 53 Developer Guide, "How VPC Resolver determines whether the domain name in a query matches any
rules" (exact match or parent domain; the most specific domain wins), "Domain names that VPC Resolver creates
autodefined system rules for" (a private hosted zone outranks a rule for a less specific domain) and "Considerations
when working with a private hosted zone" (a rule outranks a private hosted zone of the same name); API reference,
ResolverRule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# SYSTEM rules exempt a domain from a rule for its parent; RECURSIVE is Resolver's own way to public name servers.
_LOCAL: Final = {"SYSTEM", "RECURSIVE"}
# A delegation rule sends nothing away by its domain: it follows NS records of a private hosted zone.
_WITHOUT_DOMAIN: Final = {"DELEGATE"}


@dataclass(frozen=True, slots=True)
class ResolverRule:
    """A Resolver rule that is associated with the VPC.

    - `domain`: without the final dot, so "" for the rule for all names.
    - `type`: FORWARD, SYSTEM, RECURSIVE or DELEGATE.
    - `targets`: the IP addresses of the DNS servers that a FORWARD rule sends questions to.
    """

    id: str
    domain: str
    type: str
    targets: tuple[str, ...] = ()

    @property
    def forwards(self) -> bool:
        """Whether other DNS servers answer what the rule matches. True for a type that is not known here."""
        return self.type not in _LOCAL

    def covers(self, host: str) -> bool:
        """Return whether `host` is the rule's domain or a name below it."""
        return is_below(host, self.domain)

    def __str__(self) -> str:
        servers = ", ".join(self.targets[:6]) or "other DNS servers"
        return f"Resolver rule {self.id} sends questions for {self.domain or 'all names'} to {servers}"


@dataclass(frozen=True, slots=True)
class Profile:
    """A Route 53 Profile that is associated with the VPC. `name` is the name of the association."""

    id: str
    name: str = ""

    def __str__(self) -> str:
        return f"Route 53 Profile {self.id}" + (f" ({self.name})" if self.name else "")


def is_below(host: str, domain: str) -> bool:
    """Return whether `host` is `domain` or a name below it. Every name is below the empty domain."""
    return not domain or host == domain or host.endswith(f".{domain}")


def winning_rule(host: str, rules: Iterable[ResolverRule]) -> ResolverRule | None:
    """Return the rule for `host` with the most specific domain; None if no rule covers it."""
    covering = [rule for rule in rules if rule.type not in _WITHOUT_DOMAIN and rule.covers(host)]
    # Inference: where two rules have one domain, as a VPC's and a Profile's may, either may win.
    return max(covering, key=lambda rule: (len(rule.domain), rule.forwards), default=None)
