"""A patch for private hosted zones of moto 5.2.5's Route 53.

A VPC sees the zones of its own account alone. In AWS it also sees those of other accounts that are associated with it.

The patch reaches into moto's own modules, so requirements.txt pins its version. It fails at once if its target is gone.
"""
# ruff: noqa: ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

from importlib import import_module
from typing import Any

_APPLIED = "_lists_zones_of_all_accounts"


def apply() -> None:
    """Patch moto in this process. Call it before moto's server starts; a second time changes nothing."""
    backend: Any = import_module("moto.route53.models").Route53Backend
    if getattr(backend, _APPLIED, False):
        return
    stock = backend.list_hosted_zones_by_vpc

    def list_all(self: Any, vpc_id: str) -> list[dict[str, Any]]:
        accounts: Any = import_module("moto.backends").get_backend("route53")
        own = self.partition
        return [zone for each in accounts.values() if own in each for zone in stock(each[own], vpc_id)]

    backend.list_hosted_zones_by_vpc = list_all
    setattr(backend, _APPLIED, True)
