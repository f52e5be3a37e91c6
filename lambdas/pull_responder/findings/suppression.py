"""What the findings table remembers of a finding's SUPPRESSED in Security Hub. Pure.

Security Hub deletes an archived finding after 30 days, and its workflow status with it. And our ids can be computed, so
somebody else may have put a finding there under an id of ours (docs/adr/0073-remembered-suppressions.md).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

# User Guide, "Creating and updating findings": an archived finding is deleted after 30 days. An import that is older is
# no proof that the finding in Security Hub is ours.
_KEPT_SECONDS: Final = 30 * 86_400.0


class Suppression(StrEnum):
    """Who suppressed a finding, and whether Security Hub still has it.

    - PEOPLE: people, or a rule of theirs, set the finding to SUPPRESSED.
    - LOST: they did, and Security Hub has deleted the finding since. It is set to SUPPRESSED again.
    - PLANTED: it was SUPPRESSED before our first import, so it is not ours. People do not know yet.
    - PLANTED_TOLD: the same, and people were told.
    """

    PEOPLE = "people"
    LOST = "lost"
    PLANTED = "planted"
    PLANTED_TOLD = "planted_told"

    @property
    def silences(self) -> bool:
        """Whether it silences notices."""
        return self in (Suppression.PEOPLE, Suppression.LOST)


def suppression_after(known: Suppression | None, status: str | None, *, imported: float) -> Suppression | None:
    """Return what is remembered after Security Hub's answer.

    - `known`: what was remembered before.
    - `status`: the finding's workflow status; None if Security Hub does not have the finding.
    - `imported`: seconds since our last import; infinite if there was none.
    """
    if status is None:
        return Suppression.LOST if known is Suppression.PEOPLE else known
    if status == "SUPPRESSED":
        if known in (Suppression.PLANTED, Suppression.PLANTED_TOLD):
            return known
        return Suppression.PLANTED if known is None and imported > _KEPT_SECONDS else Suppression.PEOPLE
    # A lost one that is NEW was imported again, and is not yet set to SUPPRESSED.
    return known if known is Suppression.LOST and status == "NEW" else None
