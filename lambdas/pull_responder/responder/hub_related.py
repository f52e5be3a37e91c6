"""Under which product Security Hub has the findings that a finding is related to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.findings.life import Life
from pull_responder.findings.store import StoreError
from pull_responder.publish.asff import MOST_RELATED
from pull_responder.responder.hub_places import HubPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pull_responder.model.unread import Unread
    from pull_responder.responder.run import Run


class HubRelated:
    """The related findings of what is imported next.

    An id says which account and region were at fault, and not which Security Hub took the finding. That is in the
    related finding's own item. `place_of` returns where a finding is.
    """

    def __init__(self, run: Run, place_of: Callable[[Life], HubPlace | Unread]) -> None:
        self._run = run
        self._place_of = place_of
        # None while all findings are in one place.
        self._known: dict[str, Life] | None = None

    def read(self, lives: Sequence[Life]) -> None:
        """Read what `lives` are related to, if findings may be in several places."""
        self._known = None
        if self._run.settings.findings_in != "member" and not any(life.hub_account for life in lives):
            return
        self._known = {life.id: life for life in lives}
        every = dict.fromkeys(each for life in lives for each in life.related[:MOST_RELATED])
        if not (wanted := [each for each in every if each not in self._known]):
            return
        try:
            found = self._run.store.lives(wanted)
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about="related findings", reason=str(error))
            return
        self._known |= {each: life for each, life in found.items() if isinstance(life, Life)}

    def product_arns(self, life: Life, place: HubPlace) -> Mapping[str, str]:
        """Return the product ARN of each finding that `life`, which is imported in `place`, is related to, by its id.

        A finding is left out if it is not known where it is: a link that leads nowhere is worse than none.
        """
        if self._known is None:
            return dict.fromkeys(life.related, place.product_arn)
        known = [(each, self._known[each]) for each in life.related if each in self._known]
        places = {each: self._place_of(related) for each, related in known}
        return {each: where.product_arn for each, where in places.items() if isinstance(where, HubPlace)}
