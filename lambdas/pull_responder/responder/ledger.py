"""Change items of the findings table safely while other runs write the same items.

Each change is a function from the known state to the new one. It is applied again to the newest state until its write
succeeds.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from pull_responder.findings.codec import UnusableItem
from pull_responder.findings.concern_keys import keys_of_finding
from pull_responder.findings.pages import page_ids, total_of
from pull_responder.findings.problem import Problem
from pull_responder.findings.store import StoreError
from pull_responder.findings.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pull_responder.findings.left_inspection import LeftInspection
    from pull_responder.findings.life import Life
    from pull_responder.findings.pages import Page
    from pull_responder.findings.reach import Reach
    from pull_responder.responder.run import Run

T = TypeVar("T")
Item = TypeVar("Item", "Page", Problem)

# When several runs write one item at once, one of them succeeds each time. Fewer runs than this exist at a time.
_TRIES: Final = 25
_WRITES_AT_ONCE: Final = 8
# The items under which an open finding is listed expire. After this time they are written again with the finding.
_LISTED_SECONDS: Final = 30 * 86_400.0
# A finding's own item holds the latest hundred of its problems (findings/life.py). With fewer, no more are listed.
_MOST_IN_LIFE: Final = 100
# The problems of a finding are counted and asked up to this number.
_MOST_PROBLEMS: Final = 10_000
# How long a run waits in all for a table that fails. The queue hands out a message again only after minutes, so a
# failure that passes is waited for. A longer one is left to the queue.
_PATIENCE_SECONDS: Final = 20.0
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 4.0
# With less time left, a run does not wait for the table any more.
_SECONDS_TO_END: Final = 30.0


class Ledger:
    """The findings table, where every change is applied to the newest state. Raises StoreError like the store."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._patience = _PATIENCE_SECONDS
        self._pause = _FIRST_PAUSE
        self.unusable: set[str] = set()
        """The ids of the findings that `lives` found in the table and could not read."""

    def insist(self, call: Callable[[], T]) -> T:
        """Return the result of `call`. While the table fails and patience lasts, call again after a pause."""
        while True:
            try:
                return call()
            except StoreError:
                if self._patience <= 0 or self._run.remaining() < _SECONDS_TO_END:
                    raise
                pause = self._pause
                self._pause = min(_LONGEST_PAUSE, 2 * pause)
                self._patience -= pause
            self._run.wait(pause)

    def change(self, finding_id: str, step: Callable[[Life | None], Life | None]) -> Life | None:
        """Apply `step` to a finding and return the result. It is not written if it is None or unchanged.

        `step` may be called several times. It gets None if the finding is absent or cannot be read. An unreadable item
        is overwritten; people may then be notified twice, but nothing is lost.
        """
        unlisted: set[str] = set()
        for attempt in range(_TRIES):
            known = self.insist(lambda: self._run.store.lives([finding_id])).get(finding_id)
            version = known.version if known else None
            if isinstance(known, UnusableItem):
                self._log_unusable(known)
                known = None
            changed = step(known)
            if changed is None:
                return known
            # Before the write: a finding that is open and not listed would wait for its next recheck.
            changed = self._list(changed, known, unlisted)
            self._link(changed, known)
            if changed == known:
                return known
            changed = replace(changed, version=version or 0)
            if self.insist(partial(self._run.store.save, changed)):
                return replace(changed, version=changed.version + 1)
            self._run.let_others(attempt)
        raise StoreError(f"{finding_id} could not be written: another run wrote it first, {_TRIES} times")

    def _list(self, life: Life, known: Life | None, unlisted: set[str]) -> Life:
        """List an open finding under the keys by which changes find it, and one that is over no longer.

        `unlisted` are the keys whose items this change has deleted, though its write has failed so far: `known` still
        names them. A key that `life` names no longer is listed anew.
        """
        wanted = keys_of_finding(life.finding) if life.is_open else frozenset()
        had = frozenset(known.keys if known else ()) - unlisted
        now = self._run.now()
        is_old = now - life.listed_at > _LISTED_SECONDS
        if added := sorted(wanted - (frozenset() if is_old else had.intersection(life.keys))):
            self.insist(lambda: self._run.store.list_under(added, life.id, since=life.created_at, now=now))
            unlisted.difference_update(added)
            life = replace(life, listed_at=now) if len(added) == len(wanted) else life
        if gone := sorted(had - wanted):
            unlisted.update(gone)
            self.insist(lambda: self._run.store.unlist_under(gone, life.id))
        return replace(life, keys=tuple(sorted(wanted)))

    def _link(self, life: Life, known: Life | None) -> None:
        """List the problems for which the finding's own item has no room any more."""
        left = [each for each in (known.problems if known else ()) if each not in life.problems]
        if left:
            self.insist(lambda: self._run.store.link_problems(life.id, left, now=self._run.now()))

    def change_problem(self, problem_id: str, step: Callable[[Problem], Problem]) -> Problem:
        """Apply `step` to a problem and return the result. It is not written if it is unchanged."""
        done, failed = self.change_problems({problem_id: step})
        if failed:
            raise failed[problem_id]
        return done[problem_id]

    def change_problems(
        self, steps: Mapping[str, Callable[[Problem], Problem]]
    ) -> tuple[dict[str, Problem], dict[str, StoreError]]:
        """Apply `steps` to problems, by id. Return the results, and the errors of those that could not be written."""
        done: dict[str, Problem] = {}
        failed: dict[str, StoreError] = {}
        left = list(steps)
        for attempt in range(_TRIES):
            try:
                known = self.insist(partial(self._run.store.problems, left))
            except StoreError as error:
                return done, {**failed, **dict.fromkeys(left, error)}
            changed = {each: steps[each](known[each]) for each in left}
            to_save = [changed[each] for each in left if changed[each] != known[each]]
            for problem, saved in self.save_all(to_save, self._run.store.save_problem):
                if isinstance(saved, StoreError):
                    failed[problem.id] = saved
                elif saved:
                    done[problem.id] = replace(problem, version=problem.version + 1)
            done |= {each: changed[each] for each in left if changed[each] == known[each]}
            left = [each for each in left if each not in done and each not in failed]
            if not left:
                return done, failed
            self._run.let_others(attempt)
        late = StoreError(f"could not be written: another run wrote it first, {_TRIES} times")
        return done, {**failed, **dict.fromkeys(left, late)}

    def save_all(self, items: Sequence[Item], save: Callable[[Item], bool]) -> list[tuple[Item, bool | StoreError]]:
        """Write items in parallel with `save`. Return for each whether it was written, or the error."""

        def save_one(item: Item) -> tuple[Item, bool | StoreError]:
            try:
                return item, self.insist(lambda: save(item))
            except StoreError as error:
                return item, error

        if len(items) < 2:  # noqa: PLR2004 -- one write needs no thread of its own
            return [save_one(item) for item in items]
        with ThreadPoolExecutor(min(len(items), _WRITES_AT_ONCE), thread_name_prefix="write") as pool:
            return list(pool.map(save_one, items))

    def problems_of(self, life: Life) -> tuple[list[str], bool]:
        """Return the ids of the problems that a finding explains, and whether there are more than 10,000."""
        ids = dict.fromkeys(life.problems)
        if len(life.problems) >= _MOST_IN_LIFE:
            limit = _MOST_PROBLEMS + 1
            ids |= dict.fromkeys(self.insist(lambda: self._run.store.linked_problems(life.id, limit=limit)))
        return list(ids)[:_MOST_PROBLEMS], len(ids) > _MOST_PROBLEMS

    def totals(self, ids: Iterable[str]) -> list[Problem]:
        """Return problems with their pages counted in, from the newest state of the table: to read, not to write."""
        wanted = list(ids)
        known = self.insist(lambda: self._run.store.problems(wanted)) if wanted else {}
        return [self.total(each) for each in known.values()]

    def total(self, problem: Problem) -> Problem:
        """Return a problem with its pages counted in: to read, not to write."""
        if not problem.paged:
            return problem
        return total_of(problem, self.insist(lambda: self._run.store.pages(page_ids(problem.id))))

    def reach(self, life: Life) -> Reach:
        """Return the joint reach of a finding's problems, from the newest state of the table.

        While the finding is open, no count falls.
        """
        reach = self.joint_reach([life])
        return reach.at_least(life.reach) if life.is_open else reach

    def joint_reach(self, lives: Iterable[Life]) -> Reach:
        """Return the joint reach of the problems of several findings. What two findings explain is counted once."""
        tally = Tally()
        known = [self.problems_of(life) for life in lives]
        for each in self.totals(dict.fromkeys(problem for ids, _ in known for problem in ids)):
            tally.add(each)
        if any(more for _, more in known):
            tally.say_more()
        return tally.reach()

    def lives(self, ids: Iterable[str]) -> list[Life]:
        """Return findings in the order of `ids`. Those that cannot be read are counted and taken out of their queue."""
        wanted = list(ids)
        lives = []
        # BatchGetItem returns items in any order (DynamoDB API Reference, BatchGetItem).
        known_by_id = self.insist(lambda: self._run.store.lives(wanted))
        for known in (known_by_id[each] for each in wanted if each in known_by_id):
            if isinstance(known, UnusableItem):
                self.unusable.add(known.item_id)
                self._log_unusable(known)
                self._set_aside(known)
            else:
                self.unusable.discard(known.id)
                lives.append(known)
        return lives

    def left_inspections(self, *, limit: int) -> list[LeftInspection]:
        """Return the inspections that are due now. Those that cannot be read are counted and taken out of the queue."""
        now, left = self._run.now(), []
        for each in self.insist(lambda: self._run.store.left_inspections(before=now, limit=limit)):
            if isinstance(each, UnusableItem):
                self._log_unusable(each)
                self._set_aside(each)
            else:
                left.append(each)
        return left

    def _set_aside(self, item: UnusableItem) -> None:
        """Take an item out of its queue. If the table fails, it stays there: the others do not wait for it."""
        try:
            self._run.store.set_aside(item)
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about=item.item_id, reason=str(error))

    def _log_unusable(self, item: UnusableItem) -> None:
        self._run.count("ItemsUnusable")
        self._run.logger.error("an item of the findings table cannot be read", reason=str(item))
