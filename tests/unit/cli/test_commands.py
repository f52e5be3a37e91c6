"""The command line begins at once: its help, its completion and what works offline load neither the SDK nor a check."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import click
import pytest

from pull_responder.cli import commands
from pull_responder.cli.commands import COMMANDS
from pull_responder.cli.main import cli, main

LAMBDAS: Final = Path(__file__).parents[3] / "lambdas"
# Runs the command line, and prints last which of the slow packages it has loaded.
_RUN: Final = """
import sys
from pull_responder.cli.start import main
try:
    main()
except SystemExit as ended:
    status = ended.code
slow = {"aws_lambda_powertools", "boto3", "botocore", "rich.console", "urllib3", "yaml"}
loaded = list(slow & set(sys.modules))
loaded += [each for each in sys.modules if each.startswith(("pull_responder.checks.", "pull_responder.facts."))]
print("status", status, "loaded", sorted(set(loaded) - {"pull_responder.checks.check"}), file=sys.stderr)
"""
DENIED: Final = (
    'Failed to pull image "111111111111.dkr.ecr.us-east-1.amazonaws.com/app:1": failed to resolve reference: '
    "unexpected status from HEAD request: 403 Forbidden"
)


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own command line
        [sys.executable, "-c", _RUN, *arguments],
        env={**os.environ, "PYTHONPATH": str(LAMBDAS), **variables},
        capture_output=True,
        text=True,
        check=True,
    )


def _complete(line: str, shell: str = "bash") -> subprocess.CompletedProcess[str]:
    """Complete the last word of a line, as the shell's function does: click, "Shell Completion"."""
    words = line.split(" ")
    variables = {"_PULL_RESPONDER_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    return _run(**(variables | ({"COMP_CWORD": words[-1]} if shell == "fish" else {})))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_each_command_says_of_itself(name: str) -> None:
    paragraph = " ".join((_command(name).help or "").split("\n\n")[0].split())
    assert COMMANDS[name].does == paragraph


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_name(name: str) -> None:
    assert _command(name).name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_the_exit_status_and_an_example(name: str) -> None:
    said = _command(name).get_help(click.Context(_command(name), info_name=f"pull-responder {name}"))
    assert "Exit status: " in said
    assert f"pull-responder {name}" in " ".join(said.split()).lower().rpartition("example: ")[2]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--help",), "Show every step on an emulated AWS"),
        (("causes",), "role_lacks_pull_permissions      HIGH           The role does not allow the pull"),
        (("causes", "image_not_found"), "What it cannot see: "),
        (("causes", "--format", "json"), '"cause": "image_not_found"'),
        (("explain", DENIED), "Can mean    role_lacks_pull_permissions"),
        (("explain", "-o", "json", DENIED), '"symptom": "access_denied"'),
        (("causes", "--help"), "pull-responder causes image_not_found"),
        (("evaluate", "--help"), "Evaluate policies, offline"),
    ],
)
def test_what_needs_no_aws_loads_nothing_slow(arguments: tuple[str, ...], says: str) -> None:
    done = _run(*arguments)
    assert says in done.stdout
    assert done.stderr == "status 0 loaded []\n"


def test_without_arguments_help_is_printed_and_readable() -> None:
    done = _run()
    assert done.stdout == _run("--help").stdout
    assert "\n  explain      Read what kubelet says" in done.stdout
    assert done.stderr == "status 2 loaded []\n"


def test_a_misspelt_command_is_told_what_is_near() -> None:
    said = _run("explian").stderr.splitlines()
    assert said[0] == "pull-responder: No such command 'explian'. Did you mean 'explain'?"
    assert said[1] == "status 2 loaded []"


def test_a_command_whose_extra_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "find_spec", lambda _: None)
    monkeypatch.setattr(sys, "argv", ["pull-responder", "demo"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "pull-responder: demo needs the extra demo: pip install 'pull-responder[demo]'\n"
    )


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("pull-responder ex", ["explain"]),
        ("pull-responder d", ["diagnose", "doctor", "demo"]),
        ("pull-responder --v", ["--version"]),
        ("pull-responder causes image_", ["image_not_found", "image_platform_mismatch"]),
        ("pull-responder causes --fo", ["--format"]),
        ("pull-responder causes --format ", ["text", "json"]),
        ("pull-responder explain --h", ["--help"]),
    ],
)
def test_bash_completes_commands_options_and_causes(line: str, offered: list[str]) -> None:
    done = _complete(line)
    assert done.stdout.splitlines() == [f"plain,{each}" for each in offered]
    assert done.stderr == "status 0 loaded []\n"


def test_zsh_and_fish_show_what_a_word_means() -> None:
    meaning = "The repository has no such image"
    assert _complete("pull-responder causes image_n", "zsh").stdout == f"plain\nimage_not_found\n{meaning}\n"
    assert _complete("pull-responder causes image_n", "fish").stdout == f"plain,image_not_found\t{meaning}\n"


@pytest.mark.parametrize(
    ("shell", "registers"),
    [
        ("bash", "complete -o nosort -F _pull_responder_completion pull-responder"),
        ("zsh", "compdef _pull_responder_completion pull-responder"),
        ("fish", "complete --no-files --command pull-responder"),
    ],
)
def test_each_shell_gets_its_function(shell: str, registers: str) -> None:
    done = _run(_PULL_RESPONDER_COMPLETE=f"{shell}_source")
    assert registers in done.stdout
    assert done.stderr.endswith("status 0 loaded []\n")
