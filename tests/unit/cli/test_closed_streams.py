"""A standard stream that the shell has closed is an empty one, and no traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

COMMAND = "from pull_responder.cli.start import main; main()"


@pytest.mark.parametrize(
    ("closed", "err"),
    [
        ("<&-", "pull-responder: standard input: the input is empty: did the command before it print an error?\n"),
        (
            ">&- </dev/null",
            "pull-responder: standard input: the input is empty: did the command before it print an error?\n",
        ),
        ("2>&- </dev/null", ""),
    ],
)
def test_a_closed_stream_is_an_empty_one(closed: str, err: str) -> None:
    shell = ["/bin/sh", "-c", f'"$1" -c "$2" diagnose - {closed}', "sh", sys.executable, COMMAND]
    ended = subprocess.run(shell, capture_output=True, text=True, check=False)  # noqa: S603 -- a vector of our own
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", err)
