"""The facts of one diagnosis: what AWS says, what the operator says, and what the question is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pull_responder.facts.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from pull_responder.facts.reader import Reader
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.own_role import PodRole

T = TypeVar("T")


class PullFacts(Facts):
    """AWS's facts, with what is known about this question beside them.

    `known_principals` are ARNs, with `*` as a wildcard, of principals that the operator knows to pull for something
    other than EKS. `asked` are the nodes that a question names; None where the nodes must be found. `asked_role` is
    what is known of the role of their own with which the pods of a question pull; None for pods that pull with their
    node's.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        known_principals: tuple[str, ...] = (),
        asked: Nodes | None = None,
        asked_role: PodRole | None = None,
    ) -> None:
        super().__init__(reader)
        self.known_principals = known_principals
        self.asked = asked
        self.asked_role = asked_role

    def of_nobody(self) -> PullFacts:
        """Return the same facts with no nodes asked about, for requests that ECR itself makes."""
        return PullFacts(self._reader, known_principals=self.known_principals) if self.asked else self

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return the result of `work` for these nodes. It runs only the first time that `key` is used."""
        return super().once((self.asked and self.asked.name, self.asked_role, key), work)
