"""The GitHub action: what it runs, what it refuses, and what a workflow gets of it."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml

from tests.packaging.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ACTION: Final[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GIVEN: Final = {
    "MANIFESTS": "deploy",
    "CLUSTER": "prod",
    "NAMESPACE": "",
    "REGION": "",
    "UNDECIDED": "pass",
    "VERSION": "0.2.0",
}
# In place of what is installed: says what it was asked, and where.
_ASKED: Final = """#!/bin/sh
printf '%s\\n' "$@" "region=$AWS_REGION"
exit "$STATUS"
"""


def _ask(
    tmp_path: Path, inputs: Mapping[str, str] | None = None, *, status: int = 0
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run the step. Return what it said, and what the command was asked."""
    script = tmp_path / "temp/pull-responder/bin/pull-responder"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(_ASKED)
    script.chmod(0o755)
    (tmp_path / "deploy").mkdir(exist_ok=True)
    (tmp_path / "output").unlink(missing_ok=True)
    done = subprocess.run(  # noqa: S603 -- our own script
        [ROOT / "github-action/ask.sh"],
        env={
            "PATH": "/usr/bin:/bin",
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "STATUS": str(status),
            **GIVEN,
            **(inputs or {}),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    sarif = tmp_path / "temp/pull-responder.sarif"
    return done, sarif.read_text().splitlines() if sarif.is_file() else []


def test_every_input_reaches_the_step_through_its_environment() -> None:
    *_, step = ACTION["runs"]["steps"]
    assert step["env"] == {name.upper(): f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]}
    assert step["env"].keys() == GIVEN.keys()
    assert "${{" not in step["run"]
    assert step["run"].strip('"') == "$GITHUB_ACTION_PATH/github-action/ask.sh"


def test_it_asks_about_the_manifests_and_gives_the_findings(tmp_path: Path) -> None:
    done, asked = _ask(tmp_path)
    assert asked == ["diagnose", "--manifests", "./deploy", "--cluster", "prod", "--format", "sarif", "region="]
    assert (done.returncode, done.stderr) == (0, "")
    sarif = tmp_path / "temp/pull-responder.sarif"
    assert (tmp_path / "output").read_text() == f"sarif={sarif}\nstatus=0\n"


def test_it_hands_on_namespace_and_region(tmp_path: Path) -> None:
    arn = "arn:aws:eks:eu-west-1:111111111111:cluster/prod"
    _, asked = _ask(tmp_path, {"NAMESPACE": "shop", "REGION": "eu-west-1", "CLUSTER": arn})
    assert asked[3:7] == ["--cluster", arn, "--namespace", "shop"]
    assert asked[-1] == "region=eu-west-1"


@pytest.mark.parametrize(
    ("status", "undecided", "ends", "says"),
    [
        (1, "pass", 1, "::error title=Pull Responder::Some images cannot be pulled"),
        (2, "pass", 2, "::error title=Pull Responder::It could not be asked"),
        (3, "pass", 0, "::warning title=Pull Responder::Nothing wrong was found, but something could not be decided"),
        (3, "fail", 3, "::warning title=Pull Responder::Nothing wrong was found, but something could not be decided"),
        (70, "pass", 70, "::error title=Pull Responder::It could not be asked"),
    ],
)
def test_the_step_ends_as_the_diagnosis_does(tmp_path: Path, status: int, undecided: str, ends: int, says: str) -> None:
    done, _ = _ask(tmp_path, {"UNDECIDED": undecided}, status=status)
    assert done.returncode == ends
    assert done.stdout.startswith(says)
    assert (tmp_path / "output").read_text().endswith(f"status={status}\n")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MANIFESTS", ""),
        ("MANIFESTS", "not-there"),
        ("MANIFESTS", "--event"),
        ("CLUSTER", ""),
        ("CLUSTER", "--image"),
        ("CLUSTER", "prod; id"),
        ("CLUSTER", "prod\nx"),
        ("NAMESPACE", "-n"),
        ("NAMESPACE", "$(id)"),
        ("REGION", "eu-west-1;"),
        ("UNDECIDED", "maybe"),
        ("VERSION", "0.2.0 --index-url https://example.com"),
        ("VERSION", "@ git+https://example.com/x"),
    ],
)
def test_an_input_that_is_none_is_refused_before_anything_runs(tmp_path: Path, name: str, value: str) -> None:
    done, asked = _ask(tmp_path, {name: value})
    assert (done.returncode, asked) == (2, [])
    assert done.stdout.startswith(f"::error title=Pull Responder::{name.lower()}: ")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("file", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda file: file.name)
def test_every_action_is_pinned_to_a_commit_and_no_expression_is_part_of_a_script(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)( # v[\d.]+)?$", text, re.MULTILINE)
    assert used
    assert [name for name, version in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) or not version] == []
    document = yaml.safe_load(text)
    jobs = document["jobs"].values() if "jobs" in document else [document["runs"]]
    scripts = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_what_a_release_may_do_is_granted_to_the_job_that_does_it() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    assert release["permissions"] == {"contents": "read"}
    granted = {name: job["permissions"] for name, job in release["jobs"].items()}
    assert granted["pypi"] == {"id-token": "write"}
    assert [name for name, each in granted.items() if each.get("contents") == "write"] == ["github"]
    assert [name for name, each in granted.items() if "packages" in each] == ["image"]
    # Nothing is published before everything is built, and the release is the last.
    assert {name: job.get("needs") for name, job in release["jobs"].items()} == {
        "build": None,
        "pypi": "build",
        "image": "build",
        "github": ["pypi", "image"],
    }
