"""The wheel, as a release has it, and an environment that has nothing but it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ("LICENSE", "docs/pypi.md", "pyproject.toml")
# What pip and its like say where no package index can be reached.
_UNREACHED: Final = (
    "No matching distribution found",
    "Could not find a version",
    "ConnectionError",
    "NewConnectionError",
)


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with the wheel. `scripts` is the folder of its commands."""

    scripts: Path

    def run(
        self, *command: str, folder: Path, given: str = "", environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its commands in `folder`, with none of our own modules in reach."""
        return subprocess.run(  # noqa: S603 -- what is tested
            [str(self.scripts / command[0]), *command[1:]],
            input=given,
            env={"PATH": f"{self.scripts}:/usr/bin:/bin", "HOME": str(folder), **(environment or {})},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )


def install(*command: str, environment: Mapping[str, str] | None = None) -> None:
    """Run an installer. Without a package index the test is left out, unless these are the gates (CI)."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(  # noqa: S603 -- installers, with arguments of the tests
        command, env={**clean, **(environment or {})}, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    if done.returncode and not os.environ.get("CI") and any(each in said for each in _UNREACHED):
        pytest.skip("needs a package index, as PyPI, and none answers")
    assert done.returncode == 0, said


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the wheel is made of."""
    folder = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "lambdas", folder / "lambdas", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return folder


def build_wheel(source: Path, folder: Path) -> Path:
    """Return the wheel of a source folder or archive, built into `folder`."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    install(sys.executable, "-m", "pip", "wheel", *options, str(source))
    (path,) = folder.glob("pull_responder-*.whl")
    return path


@pytest.fixture(scope="session")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel."""
    return build_wheel(source, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A fresh environment in which pip has installed the wheel, with what its metadata asks for."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)  # noqa: S603 -- this Python
    install(str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", str(wheel))
    return Installed(folder / "bin")
