"""Answers come once the credentials are known to be usable, and are worth something only if AWS has answered."""

from __future__ import annotations

import io
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
import pytest

from pull_responder.cli.answered import NotAsked
from pull_responder.cli.status_line import StatusLine
from pull_responder.cli.waiting import in_time
from pull_responder.events.outcome import Skipped
from pull_responder.facts.patience import NoTimeLeftError, Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.cli.answered import Answer

WAIT: Final = 20
FIRST, SECOND = Skipped("first"), Skipped("second")


def connection(patience: Patience | None = None, *, unreachable: str | None = None) -> Any:  # noqa: ANN401 -- a stand-in
    patience = patience or Patience(WAIT)
    return SimpleNamespace(patience=patience, out_of_reach=lambda: unreachable, what_failed=lambda: "STS answers HTML")


def ask(patience: Patience) -> None:
    patience.ask("sts", "us-east-1", lambda: 1)


def hidden() -> StatusLine:
    return StatusLine(io.StringIO(), is_shown=False)


def test_no_answer_is_given_before_the_credentials_are_settled() -> None:
    of, settled, worked_out = connection(), Event(), Event()

    def answers() -> Iterator[Answer]:
        ask(of.patience)
        yield FIRST
        yield SECOND
        worked_out.set()

    def fault() -> None:
        assert worked_out.wait(WAIT)
        settled.set()

    found = in_time(answers(), of, fault, hidden())
    assert next(found) is FIRST
    assert settled.is_set()
    assert list(found) == [SECOND]


def test_a_fault_ends_it_and_whoever_waits_for_aws_is_let_go() -> None:
    of, let_go, asked, hangs = connection(), Event(), Event(), Event()

    def hang() -> None:
        asked.set()
        hangs.wait(WAIT)

    def fault() -> str:
        assert asked.wait(WAIT)
        return "expired"

    def answers() -> Iterator[Answer]:
        ask(of.patience)
        yield FIRST
        try:
            of.patience.ask("ec2", "us-east-1", hang)
        except NoTimeLeftError:
            let_go.set()

    with pytest.raises(click.ClickException, match="expired"):
        list(in_time(answers(), of, fault, hidden()))
    assert let_go.wait(WAIT)
    hangs.set()


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), click.ClickException("there is no such cluster")])
def test_what_goes_wrong_in_an_answer_is_raised(error: Exception) -> None:
    of = connection()

    def answers() -> Iterator[Answer]:
        ask(of.patience)
        yield FIRST
        raise error

    found = in_time(answers(), of, lambda: None, hidden())
    assert next(found) is FIRST
    with pytest.raises(type(error), match=str(error)):
        next(found)


def test_what_goes_wrong_with_the_credentials_is_raised() -> None:
    def fault() -> NoReturn:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(in_time(iter([FIRST]), connection(), fault, hidden()))


def test_without_any_answer_of_aws_no_answer_is_given() -> None:
    (said,) = in_time(iter([FIRST, SECOND]), connection(), lambda: None, hidden())
    assert isinstance(said, NotAsked)
    assert said.reason == "STS answers HTML; nothing was read, so nothing is said about the pull"


def test_an_aws_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(click.ClickException, match="offline"):
        list(in_time(iter([FIRST]), connection(unreachable="offline"), lambda: None, hidden()))


def late(patience: Patience) -> None:
    patience.end()
    with pytest.raises(NoTimeLeftError):
        patience.ask("ec2", "us-east-1", lambda: 1)


def test_an_error_that_comes_of_the_time_is_no_unusable_option() -> None:
    of = connection(Patience(30))

    def answers() -> Iterator[Answer]:
        ask(of.patience)
        late(of.patience)
        yield from ()
        raise click.ClickException("sts:GetCallerIdentity failed")

    (said,) = in_time(answers(), of, lambda: None, hidden())
    assert isinstance(said, NotAsked)
    assert said.reason == (
        "AWS did not answer within 30 s; not asked any more: ec2 in us-east-1: sts:GetCallerIdentity failed"
    )


def test_what_was_left_is_said_behind_the_answers(capsys: pytest.CaptureFixture[str]) -> None:
    of = connection(Patience(30))

    def answers() -> Iterator[Answer]:
        ask(of.patience)
        late(of.patience)
        yield FIRST

    assert list(in_time(answers(), of, lambda: None, hidden())) == [FIRST]
    assert capsys.readouterr().err == (
        "pull-responder: AWS did not answer within 30 s; not asked any more: ec2 in us-east-1; "
        "what answered until then: sts in us-east-1\n"
    )


def test_the_line_is_written_anew_and_taken_away() -> None:
    stream, patience = io.StringIO(), Patience(WAIT)
    line = StatusLine(stream, is_shown=True)
    line.clear()
    assert (stream.getvalue(), line.is_new) == ("", True)
    patience.started = 2
    line.show(patience)
    line.show(patience)
    ask(patience)
    line.show(patience)
    line.clear()
    line.clear()
    shown: Callable[[str], str] = "\r\x1b[Kreading from AWS: {}".format
    assert stream.getvalue() == shown("0 of 2") + shown("1 of 3") + "\r\x1b[K"
    assert not line.is_new
