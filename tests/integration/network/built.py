"""An estate that is built once. Each test gets a copy of what moto has then: to build it took more than the test."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from moto.backends import get_backend

from pull_responder.emulator import access_entries, route53_profiles
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate

if TYPE_CHECKING:
    from pathlib import Path

# Of moto's ECR.
_LOCK: Final = "registry_scanning_configuration_update_lock"


@dataclass(slots=True)
class Built:
    """What moto has of ACCOUNT in REGION after `NetworkEstate.build`, from the first use on."""

    _estate: NetworkEstate | None = None
    _owners: list[Any] = field(default_factory=list)
    _states: list[dict[str, Any]] = field(default_factory=list)

    def copy(self, endpoint: str, folder: Path) -> NetworkEstate:
        """Put moto into the state after the estate was built, and return that estate with clients of its own.

        Whatever other tests left is gone. The ids are the same for all tests, so nothing may be kept by them elsewhere:
        the parts that moto lacks are emptied, too.
        """
        access_entries.forget()
        route53_profiles.forget()
        for regions in list(get_backend("route53resolver").values()):
            regions[REGION].reset()
        for account in list(get_backend("route53").values()):
            account["aws"].reset()
        for regions in list(get_backend("networkfirewall").values()):
            regions[REGION].reset()
        if self._estate is None:
            self._build(endpoint, folder)
        assert self._estate is not None
        backends = _backends()
        for backend, state in zip(backends, _copies(self._states, self._owners, backends), strict=True):
            backend.__dict__ = state
        _reserve_addresses(backends[0])
        return replace(self._estate, endpoint=endpoint, folder=folder, endpoints={}, _clients={})

    def _build(self, endpoint: str, folder: Path) -> None:
        self._owners = _backends()
        for backend in self._owners:
            backend.reset()
        self._estate = NetworkEstate(endpoint, folder).build()
        self._states = _copies([vars(each) for each in self._owners], self._owners, self._owners)


def _reserve_addresses(ec2: Any) -> None:  # noqa: ANN401 -- moto's own
    """Have the subnets give away none of the addresses that AWS reserves.

    moto keeps by the identity of a subnet up to which address it has given them away. The reserved ones are the first,
    so a copy would give them away again.
    """
    for subnet in ec2.describe_subnets():
        for _ in subnet.aws_reserved_ips:
            next(subnet._subnet_ip_generator)


def _backends() -> list[Any]:
    """All that `NetworkEstate.build` changes. They refer to each other and to themselves."""
    regional = [get_backend(service)[ACCOUNT][REGION] for service in ("ec2", "eks", "ecr")]
    return [*regional, get_backend("iam")[ACCOUNT]["aws"]]


def _copies(states: list[dict[str, Any]], owners: list[Any], now: list[Any]) -> list[dict[str, Any]]:
    """Copies of the states of `owners` that refer to the backends `now` in their place. A lock is no state."""
    lock = next(state[_LOCK] for state in states if _LOCK in state)
    shared: dict[int, Any] = {id(owner): backend for owner, backend in zip(owners, now, strict=True)}
    copies: list[dict[str, Any]] = deepcopy(states, {**shared, id(lock): lock})
    return copies
