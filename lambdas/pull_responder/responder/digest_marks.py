"""Which notices a run has sent in digests, for the run that takes over if it dies before it has recorded them all.

A digest of a thousand findings is one call of SNS and a thousand writes. One more write, right after SNS took it, holds
a mark of each of its notices. So the time in which a run can die and its digest is sent twice is that of one write
(docs/adr/0098-digests-know-of-a-backlog.md).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from pull_responder.findings.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.life import Life
    from pull_responder.responder.run import Run

_MARK: Final = 8
# An item of DynamoDB holds 400 KB.
_MOST: Final = 40_000


class DigestMarks:
    """The marks of this run, and those of the runs that had claimed a notice before it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._own = b""

    def save(self, lives: Sequence[Life]) -> None:
        """Write that the pending notices of `lives` were sent. If the table fails, a notice may be sent twice."""
        self._own = (self._own + b"".join(map(_mark, lives)))[-_MOST * _MARK :]
        try:
            self._run.store.save_told(self._run.name, self._own, now=self._run.now())
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about="a digest", reason=str(error))

    def sent_before(self, lives: Sequence[Life]) -> list[Life]:
        """Return those of `lives` whose notice a run that had claimed it has sent in a digest.

        The one that sent it may not be the last of them: the run that took over from it may have died, too.
        """
        before = {life.id: life.pending.before for life in lives if life.pending}
        known = {run: self._read(run) for run in dict.fromkeys(run for runs in before.values() for run in runs)}
        return [life for life in lives if any(_mark(life) in known[run] for run in before.get(life.id, ()))]

    def _read(self, run: str) -> frozenset[bytes]:
        try:
            marks = self._run.store.told(run)
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about="a digest", reason=str(error))
            return frozenset()
        return frozenset(marks[at : at + _MARK] for at in range(0, len(marks), _MARK))


def _mark(life: Life) -> bytes:
    """Return the mark of a pending notice: the finding may have had others before, and may have others later."""
    what = (life.id, life.pending.edge, f"{life.pending.at:.3f}") if life.pending else (life.id,)
    return hashlib.blake2b("\x1f".join(what).encode("utf-8", "replace"), digest_size=_MARK).digest()
