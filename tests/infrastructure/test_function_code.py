"""What of the repository is deployed as the functions' code, and in which form."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from infra.asset_folder import build_once
from infra.dependency_layer import build_layer
from infra.function_code import build_code
from infra.runtime_python import find_runtime_python

LAMBDAS = Path(__file__).resolve().parents[2] / "lambdas"
HANDLERS = sorted(
    path.stem for path in (LAMBDAS / "pull_responder" / "handlers").glob("*.py") if "\ndef handler(" in path.read_text()
)


@pytest.fixture
def python() -> Path:
    """A Python of the version that the functions run on."""
    found = find_runtime_python()
    if found is None:
        pytest.skip("no Python of the functions' version")
    return found


def write(lambdas: Path, **modules: str) -> None:
    for name, content in modules.items():
        path = lambdas / "pull_responder" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_every_module_that_runs_on_lambda_is_compiled_and_checked_against_nothing(tmp_path: Path, python: Path) -> None:
    code = build_code(tmp_path, python=python)
    modules = {each.relative_to(code) for each in code.rglob("*.py")}
    compiled = {each.relative_to(code) for each in code.rglob("*.pyc")}
    assert Path("pull_responder/handlers/diagnose.py") in modules
    assert compiled == {each.parent / "__pycache__" / f"{each.stem}.cpython-313.pyc" for each in modules}
    for each in compiled:
        # The second word of the header: the code is tied to a hash that is not checked. PEP 552.
        assert (code / each).read_bytes()[4:8] == b"\x01\x00\x00\x00"
    diagnose = code / "pull_responder/handlers/__pycache__/diagnose.cpython-313.pyc"
    # For stack traces: where Lambda has it.
    assert b"/var/task/pull_responder/handlers/diagnose.py" in diagnose.read_bytes()
    again = build_code(tmp_path / "again", python=python)
    assert diagnose.read_bytes() == (again / diagnose.relative_to(code)).read_bytes()


def test_only_modules_that_run_on_lambda_are_deployed(tmp_path: Path) -> None:
    write(tmp_path, handlers__diagnose="", cli__start="", demo__estate="", emulator__patches="", generate__page="")
    (tmp_path / "pull_responder" / "notes.txt").touch()
    (tmp_path / "pull_responder" / "handlers" / "page.css").touch()
    code = build_code(tmp_path / "build", lambdas=tmp_path)
    assert sorted(each.relative_to(code).as_posix() for each in code.rglob("*") if each.is_file()) == [
        "pull_responder/handlers/diagnose.py",
        "pull_responder/handlers/page.css",
    ]


def test_changed_code_is_built_anew_and_the_same_code_is_not(tmp_path: Path, python: Path) -> None:
    write(tmp_path, model="ONE = 1\n")
    before = build_code(tmp_path / "build", lambdas=tmp_path)
    assert build_code(tmp_path / "build", lambdas=tmp_path) == before
    assert build_code(tmp_path / "build", lambdas=tmp_path, python=python) != before
    write(tmp_path, model="ONE = 2\n")
    after = build_code(tmp_path / "build", lambdas=tmp_path)
    assert after != before
    assert (after / "pull_responder" / "model.py").read_text() == "ONE = 2\n"


def test_what_another_build_has_made_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    def fill(folder: Path) -> None:
        (folder / "mine").touch()
        if not list(tmp_path.glob("thing-*")):
            # The other one has the same parts.
            other = build_once(tmp_path, "thing", ["part"], lambda theirs: (theirs / "theirs").touch())
            assert (other / "theirs").exists()

    built = build_once(tmp_path, "thing", ["part"], fill)
    assert [each.name for each in built.iterdir()] == ["theirs"]
    assert list(tmp_path.iterdir()) == [built]


def test_code_that_is_none_is_not_built(tmp_path: Path, python: Path) -> None:
    write(tmp_path, model="def\n")
    with pytest.raises(subprocess.CalledProcessError):
        build_code(tmp_path / "build", lambdas=tmp_path, python=python)
    assert list((tmp_path / "build").iterdir()) == []


@pytest.mark.parametrize("handler", HANDLERS)
def test_the_garbage_of_a_loaded_handler_is_collected_and_its_code_is_none(python: Path, handler: str) -> None:
    assert {"audit_log", "diagnose", "hub_setup", "recheck"} <= set(HANDLERS)
    program = f"""
import gc
import pull_responder.handlers.{handler}
print(gc.isenabled(), len(gc.get_objects()) < gc.get_freeze_count() / 10)
"""
    path = (build_code(python=python), build_layer(python=python) / "python")
    done = subprocess.run(  # noqa: S603 -- a Python of this machine, with the program above
        [str(python), "-S", "-c", program],
        env={
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "PYTHONDONTWRITEBYTECODE": "1",
            "POWERTOOLS_SERVICE_NAME": "test",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True True\n"
