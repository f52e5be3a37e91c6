"""The hosts of a pull in few words, for lines that have no room for their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ALL: Final = 3


def few_words(hosts: Iterable[str]) -> str:
    """Return what the hosts of a pull are for, such as "the registry and the layers"."""
    found = list(dict.fromkeys(map(_role, hosts)))
    if len(found) >= _ALL:
        return "the hosts of pulls"
    return " and ".join(found) or "the hosts of pulls"


def _role(host: str) -> str:
    if host.startswith(("api.ecr", "ecr.", "ecr-fips.")):
        return "api.ecr"
    return "the registry" if ".dkr" in host or "public.ecr" in host or "ecr-public" in host else "the layers"
