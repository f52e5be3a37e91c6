"""Asks `pull-responder diagnose` as a person does: in a process of its own, with credentials of one account."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.demo.function import DidNotAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.emulator.emulated_aws import EmulatedAws

_SECONDS: Final = 120
_MAIN: Final = "from pull_responder.cli.start import main; main()"
_UNUSABLE: Final = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What `diagnose` answered to a question.

    - `line`: the question, as a person types it.
    - `text`: what it printed for people.
    - `found`: the object that it printed as JSON.
    """

    line: str
    exit_status: int
    text: str
    found: Mapping[str, Any]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The causes that were found."""
        findings: list[dict[str, Any]] = self.found["findings"]
        return findings

    @property
    def account(self) -> str:
        """The account of the nodes' VPC, to which the hops without an account belong. Empty if it was not read."""
        return str(self.found["path"]["account"]) if self.found["path"] else ""

    def hops(self, stage: str) -> list[dict[str, Any]]:
        """Return the hops of the way to the host of a stage of the pull; none if that way was not followed."""
        ways = self.found["path"]["from"] if self.found["path"] else []
        return [hop for way in ways[:1] for leg in way["legs"] if leg["stage"] == stage for hop in leg["hops"]]

    def as_json(self) -> dict[str, Any]:
        """Return the object to print for it."""
        return {"line": self.line, "exit_status": self.exit_status, "text": self.text, "found": self.found}


def ask(aws: EmulatedAws, line: str, *options: str, given: str = "") -> Answer:
    """Ask `diagnose` with `options`, and `given` on standard input. `line` is the question as a person types it.

    Raises DidNotAnswerError when it says that it cannot be asked so.
    """
    forms = ("text", "json")
    with ThreadPoolExecutor(max_workers=len(forms)) as pool:
        text, found = pool.map(lambda form: _run(aws, [*options, "--format", form], given), forms)
    return Answer(line, text.returncode, text.stdout, json.loads(found.stdout))


def _run(aws: EmulatedAws, options: list[str], given: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        try:
            done = subprocess.run(  # noqa: S603 -- our own command line
                [sys.executable, "-c", _MAIN, "diagnose", *options],
                env={**aws.environment, "HOME": folder},
                input=given,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise DidNotAnswerError(f"diagnose did not answer within {_SECONDS} seconds") from late
    if done.returncode == _UNUSABLE or not done.stdout:
        last = done.stderr.strip().splitlines()[-1:] or ["it wrote nothing"]
        raise DidNotAnswerError(f"diagnose ended with exit status {done.returncode}: {last[0]}")
    return done
