"""One fault of a world: what it changes, how it is called, and who can see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.integration.worlds.world import SPOKE, WAYS, World

if TYPE_CHECKING:
    from collections.abc import Callable

_OF_NODE = frozenset({"metadata", "profile_role", "public_address"})
_ENDPOINTS = ("api", "dkr", "s3")
_OF_REPOSITORY = frozenset({"repository_policy", "image", "key"})


def anywhere(_: World) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Break:
    """One fault.

    - `changes` are made to a world's fields.
    - `causes` are the names that a diagnosis may give it.
    - `shown_by` are the reads whose answers it changes. Where all of them are refused, nobody can see it.
    - `ways` are the ways that can have it.
    - `where` says whether a world of this kind can have it at all.
    """

    changes: dict[str, Any]
    causes: frozenset[str]
    shown_by: frozenset[str]
    ways: tuple[str, ...] = (*WAYS, SPOKE)
    where: Callable[[World], bool] = anywhere

    def fits(self, world: World) -> bool:
        """Whether the world can have this fault beside those that it has."""
        sound = world.sound()
        of_repository = self.changes.keys() & _OF_REPOSITORY
        return (
            world.way in self.ways
            # A node that is gone is no fault any more, and other pullers have no instance.
            and not (self.changes.keys() & _OF_NODE and (world.gone or world.puller != "node"))
            # AWS's own repositories are well, and one that caches is made by ECR.
            and not (of_repository and (world.repository == "absent" or world.of_aws or world.cache))
            and self.where(world)
            and not self._is_of_nothing(world)
            and all(getattr(world, name) == getattr(sound, name) for name in self.changes)
        )

    def _is_of_nothing(self, world: World) -> bool:
        """Whether this gives a policy to an endpoint that is not there, or takes away one that has a policy."""
        after = {name: self.changes.get(name, getattr(world, name)) for name in _ENDPOINTS}
        policies = {name: self.changes.get(f"{name}_policy", getattr(world, f"{name}_policy")) for name in _ENDPOINTS}
        return any(after[name] == "absent" and policies[name] != "full" for name in _ENDPOINTS)


def broken(
    causes: str,
    shown_by: str,
    *,
    ways: str = "",
    where: Callable[[World], bool] = anywhere,
    **changes: bool | str,
) -> Break:
    """A fault with these causes and reads, separated by blanks."""
    named = tuple(ways.split()) or (*WAYS, SPOKE)
    return Break(changes, frozenset(causes.split()), frozenset(shown_by.split()), named, where)
