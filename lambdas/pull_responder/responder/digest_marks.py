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
    """The marks of this run, and those of the runs that it takes over from."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._own = b""
        # Who had claimed a notice before this run did, by the finding's id.
        self._before: dict[str, str] = {}

    def take_over(self, life: Life) -> None:
        """Remember who has claimed the pending notice, before this run claims it."""
        if life.pending and life.pending.claimant and life.pending.claimant != self._run.name:
            self._before[life.id] = life.pending.claimant

    def save(self, lives: Sequence[Life]) -> None:
        """Write that the pending notices of `lives` were sent. If the table fails, a notice may be sent twice."""
        self._own = (self._own + b"".join(map(_mark, lives)))[-_MOST * _MARK :]
        try:
            self._run.store.save_told(self._run.name, self._own, now=self._run.now())
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about="a digest", reason=str(error))

    def sent_before(self, lives: Sequence[Life]) -> list[Life]:
        """Return those of `lives` whose notice the run that had claimed it has sent in a digest."""
        runs = {self._before[life.id] for life in lives if life.id in self._before}
        known = {run: self._read(run) for run in runs}
        return [life for life in lives if _mark(life) in known.get(self._before.get(life.id, ""), ())]

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
