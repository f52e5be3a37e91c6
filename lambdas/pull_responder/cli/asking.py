"""Asks the command line in a process of its own, and returns what it answers.

So the answers and the limits are those of the terminal, and whoever asks can stop waiting: the process is ended then.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import anyio

from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

SECONDS: Final = 300
"""How long an answer may take. Reads of AWS have shorter limits of their own."""
CHARACTERS: Final = 200_000
"""The most characters of answers, so that they fit into what a model can read."""

_MAIN: Final = "from pull_responder.cli.start import main; main()"
# What commands end with where they have answered; a signal that ends one is a negative number.
_ANSWERED: Final = frozenset({0, 1, 3})
_ERROR: Final = 500


class NotAnsweredError(Exception):
    """Nothing was answered. The message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a command answered.

    - `status` is its exit status.
    - `lines` are the objects that it printed, as many as there is room for.
    - `left_out` is how many more there were.
    """

    status: int
    lines: tuple[dict[str, Any], ...]
    left_out: int


async def ask(command: str, *arguments: str, given: str = "", characters: int = CHARACTERS) -> Answers:
    """Run a command of `pull-responder` with these arguments and `--format json`, and `given` on its standard input.

    Raises NotAnsweredError if the input, the options or the credentials are unusable, or if it takes too long.
    """
    # -P: no module of the folder that it runs in is imported.
    process = (sys.executable, "-P", "-c", _MAIN, command, "--format=json", *arguments)
    with anyio.move_on_after(SECONDS) as limit:
        done = await anyio.run_process(process, input=given.encode("utf-8", errors="replace"), check=False)
    if limit.cancelled_caught:
        raise NotAnsweredError(f"no answer within {SECONDS} seconds")
    if done.returncode not in _ANSWERED:
        raise NotAnsweredError(_reason(done.stderr.decode("utf-8", errors="replace").splitlines()))
    return _within(done.returncode, done.stdout.decode("utf-8").splitlines(), characters)


def _reason(said: Sequence[str]) -> str:
    """Return the last line of an error, which says what it is."""
    last = clean_line(said[-1]) if said else "it ended without a word"
    return last.removeprefix("pull-responder: ")[:_ERROR]


def _within(status: int, lines: Sequence[str], characters: int) -> Answers:
    kept: list[dict[str, Any]] = []
    for line in lines:
        characters -= len(line)
        if characters < 0 and kept:
            break
        kept.append(json.loads(line))
    return Answers(status, tuple(kept), len(lines) - len(kept))
