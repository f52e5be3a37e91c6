"""What only the terminal needs is loaded by no deployed function."""

from __future__ import annotations

import subprocess
import sys

import pytest

HANDLERS = ("audit_log", "connection", "diagnose", "examine", "hub_setup", "recheck")
IMPORTED = "import sys, pull_responder.handlers.{}; print(*sorted(sys.modules))"


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_loads_neither_the_terminal_nor_yaml(handler: str) -> None:
    ended = subprocess.run(  # noqa: S603 -- our own Python
        [sys.executable, "-c", IMPORTED.format(handler)], capture_output=True, text=True, check=True
    )
    loaded = ended.stdout.split()
    assert f"pull_responder.handlers.{handler}" in loaded
    assert [each for each in loaded if each.split(".")[0] in {"yaml", "click", "rich"}] == []
    assert [each for each in loaded if each.startswith("pull_responder.cli")] == []


def test_the_terminal_loads_yaml_only_to_read_it() -> None:
    code = "import sys, pull_responder.cli.reading; print('yaml' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 -- our own Python
    assert ended.stdout.strip() == "False"
