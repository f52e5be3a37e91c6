"""Endpoints of Route 53 Resolver: outbound ones send questions to other DNS servers, inbound ones answer for a VPC.

Source: Amazon Route 53 Developer Guide, "Resolving DNS queries between VPCs and your network".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResolverInterface:
    """A network interface of a Resolver endpoint."""

    subnet_id: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResolverEndpoint:
    """A Resolver endpoint.

    - `direction`: INBOUND, OUTBOUND, or INBOUND_DELEGATION, which answers for delegated subdomains alone.
    - `state`: its status, such as OPERATIONAL.
    - `vpc_id`, `account`: where it is, and who owns it.
    - `interfaces`: its network interfaces, each with its subnet and addresses, as far as they are attached.
    """

    id: str
    direction: str
    state: str
    vpc_id: str
    account: str
    group_ids: tuple[str, ...] = ()
    interfaces: tuple[ResolverInterface, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether its status says that it works. It recovers by itself from AUTO_RECOVERING (API reference)."""
        return self.state in ("OPERATIONAL", "UPDATING")
