"""Change many findings at once: read a hundred at a time, written side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.findings.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.findings.life import Life
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run

_AT_ONCE: Final = 8


def change_lives(
    run: Run, ledger: Ledger, steps: Mapping[str, Callable[[Life], Life]]
) -> tuple[dict[str, Life], dict[str, StoreError]]:
    """Apply `steps` to findings, by id. Return the results, and the errors of those that could not be written.

    A finding that is not in the table or cannot be read is left out. A step may be called several times, as in
    `Ledger.change`, and by several threads. It must not open or resolve a finding: only `Ledger.change` lists findings.
    """
    try:
        known = ledger.lives(steps)
    except StoreError as error:
        return {}, dict.fromkeys(steps, error)

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="write") as pool:
        results = dict(
            zip(
                (life.id for life in known),
                pool.map(lambda life: _change(run, ledger, life, steps[life.id]), known),
                strict=True,
            )
        )
    done = {each: result for each, result in results.items() if result and not isinstance(result, StoreError)}
    return done, {each: result for each, result in results.items() if isinstance(result, StoreError)}


def _change(run: Run, ledger: Ledger, life: Life, step: Callable[[Life], Life]) -> Life | StoreError | None:
    changed = step(life)
    if changed == life:
        return life
    try:
        if run.store.save(changed):
            return replace(changed, version=changed.version + 1)
    except StoreError:
        pass  # the ledger tries again
    try:
        return ledger.change(life.id, lambda newest: step(newest) if newest else None)
    except StoreError as error:
        return error


def correlation_of(life: Life) -> str:
    """Return the id under which log lines about a finding are found with those about its events: its latest problem.

    Of a finding without a failed pull it is the finding's own id.
    """
    return life.problems[-1] if life.problems else life.id
