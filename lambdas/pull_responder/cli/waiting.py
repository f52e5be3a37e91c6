"""Waits for what `diagnose` answers, for as long as `--timeout` says, and says meanwhile how far it is.

The answers are worked out in a thread of their own, and the credentials are looked at beside them, so that this takes
no time of its own. Nothing is shown before they are known to be usable.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, TypeAlias

import click

from pull_responder.cli.answered import Answer, NotAsked
from pull_responder.facts.patience import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.cli.connection import Connection
    from pull_responder.cli.status_line import StatusLine
    from pull_responder.facts.patience import Patience

_SHOWN_AFTER: Final = 1.0
_EVERY: Final = 0.2


@dataclass(frozen=True, slots=True)
class _Settled:
    """What is wrong with the credentials, None if nothing is. `error` is what kept us from looking at them."""

    fault: str | None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Ended:
    """No more answers come; `error` is why, None if there are none."""

    error: BaseException | None


_Said: TypeAlias = Answer | _Settled | _Ended


def in_time(
    answers: Iterator[Answer], connection: Connection, fault: Callable[[], str | None], line: StatusLine
) -> Iterator[Answer]:
    """Yield the answers, once `fault` has found nothing wrong with the credentials.

    Raises ClickException if it has, or if AWS cannot be reached, and what `answers` raises. If AWS has answered nothing
    in time, then that is the only answer: what an event says is not worth a cause. What AWS left unanswered otherwise
    is said at the end, on standard error.
    """
    said: SimpleQueue[_Said] = SimpleQueue()
    threading.Thread(target=_settle, args=(fault, said), daemon=True, name="credentials").start()
    threading.Thread(target=_work_out, args=(answers, said), daemon=True, name="answers").start()
    patience = connection.patience
    held: list[Answer | _Ended] = []
    try:
        while not isinstance(each := _next(said, patience, line), _Settled):
            held.append(each)
        _raise_what_is_wrong(each)
        while True:
            answer = held.pop(0) if held else _next(said, patience, line)
            if isinstance(answer, _Ended):
                yield from _end(answer.error, connection)
                return
            if not patience.answered:
                yield _nothing_read(connection)
                return
            if not isinstance(answer, _Settled):
                yield answer
    finally:
        line.clear()
        patience.end()


def _raise_what_is_wrong(settled: _Settled) -> None:
    if settled.error is not None:
        raise settled.error
    if settled.fault:
        raise click.ClickException(settled.fault)


def _end(error: BaseException | None, connection: Connection) -> Iterator[Answer]:
    """Say what AWS left unanswered. Raises the error, unless it comes from that."""
    patience = connection.patience
    is_of_time = isinstance(error, click.ClickException) and not (patience.answered and not patience.is_out)
    if error is not None and not is_of_time:
        raise error
    if isinstance(error, click.ClickException):
        late = NotAsked(f"{_silence(patience)}: {error.format_message()}")
        yield late if patience.answered else _nothing_read(connection)
    elif patience.is_out:
        read = places(patience.answered)
        click.echo(f"pull-responder: {_silence(patience)}; what answered until then: {read}", err=True)


def _nothing_read(connection: Connection) -> Answer:
    """Return that AWS answered nothing that could be read. Raises ClickException if it cannot be reached at all."""
    if why := connection.out_of_reach():
        raise click.ClickException(why)
    why = _silence(connection.patience) if connection.patience.is_out else connection.what_failed()
    return NotAsked(f"{why}; nothing was read, so nothing is said about the pull")


def _silence(patience: Patience) -> str:
    said = f"AWS did not answer within {patience.seconds:g} s"
    if patience.silent:
        said += f": {places(patience.silent)}"
    left_out = patience.left_out - patience.silent
    return f"{said}; not asked any more: {places(left_out)}" if left_out else said


def _next(said: SimpleQueue[_Said], patience: Patience, line: StatusLine) -> _Said:
    """Return what is said next. While it is waited for, the line says how far the reads are; it is gone afterwards."""
    wait = _SHOWN_AFTER if line.is_new else _EVERY
    while True:
        try:
            each = said.get(timeout=wait)
        except Empty:
            line.show(patience)
            wait = _EVERY
        else:
            line.clear()
            return each


def _work_out(answers: Iterator[Answer], said: SimpleQueue[_Said]) -> None:
    error: BaseException | None = None
    try:
        for each in answers:
            said.put(each)
    except BaseException as raised:  # noqa: BLE001 -- it is raised where the answers are waited for
        error = raised
    said.put(_Ended(error))


def _settle(fault: Callable[[], str | None], said: SimpleQueue[_Said]) -> None:
    try:
        said.put(_Settled(fault()))
    except BaseException as raised:  # noqa: BLE001 -- the same
        said.put(_Settled(None, raised))
