"""Ctrl-C ends a command that waits for an AWS that does not answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.integration.cli.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]
EVENT: Final = str(ROOT / "tests" / "events" / "ecr_denials" / "node_role_every_field.json")
# Jobs in the background of a shell ignore Ctrl-C, and what they start does, too.
MAIN: Final = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    "from pull_responder.cli.start import main; main()"
)
# Far less than the tries and time-outs of one read, and far more than a second on a busy machine.
PATIENCE: Final = 10
# Runs where the command line would, and says so when the command itself begins.
_SAY_WHEN_READING: Final = """
import sys
import pull_responder.cli.main as module
run = module.cli.main
def say(**options):
    print("reading", file=sys.stderr, flush=True)
    return run(**options)
module.cli.main = say
"""


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.close()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--event", EVENT),
        ("--event", EVENT, "--format", "json"),
        ("--image", "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1", "--cluster", "prod"),
    ],
    ids=["event", "json", "question"],
)
def test_a_command_that_waits_for_aws_ends_at_ctrl_c(silent: Silent, arguments: tuple[str, ...]) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": silent.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    command = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-c", MAIN, "diagnose", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert silent.asked.wait(60)
        command.send_signal(signal.SIGINT)
        out, errors = command.communicate(timeout=PATIENCE)
    finally:
        command.kill()
    # The command line's library begins a line after the terminal's ^C.
    assert (command.returncode, out, errors.lstrip("\n")) == (130, "", "pull-responder: interrupted\n")


@pytest.mark.parametrize(
    "arguments",
    [("evaluate",), ("explain", "-"), ("explain", "-", "--format", "json"), ("diagnose", "--event", "-")],
    ids=" ".join,
)
def test_a_command_that_waits_for_its_input_ends_at_ctrl_c(arguments: tuple[str, ...]) -> None:
    # The first line says that Ctrl-C is listened to, as `diagnose` says by its first request.
    listening = MAIN.replace("main()", _SAY_WHEN_READING + "main()")
    command = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-c", listening, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert command.stderr
        assert command.stderr.readline() == "reading\n"
        command.send_signal(signal.SIGINT)
        assert command.wait(PATIENCE) == 130
        assert command.stderr.read().lstrip("\n") == "pull-responder: interrupted\n"
    finally:
        command.kill()
        command.communicate()


@pytest.mark.parametrize("module", ["pull_responder.cli.commands", "pull_responder.diagnosis"])
def test_a_command_that_is_still_loading_ends_at_ctrl_c(module: str) -> None:
    """While the command line itself is loaded, and while the command is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["pull-responder"] == "pull_responder.cli.start:main"
    # The module says that it is being loaded, and takes its time.
    slow = (
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            print('loading', file=sys.stderr, flush=True)\n"
        "            time.sleep(60)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    command = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-c", slow + MAIN, "diagnose"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert command.stderr
        assert command.stderr.readline() == "loading\n"
        command.send_signal(signal.SIGINT)
        out, errors = command.communicate(timeout=PATIENCE)
    finally:
        command.kill()
    assert (command.returncode, out, errors.lstrip("\n")) == (130, "", "pull-responder: interrupted\n")
