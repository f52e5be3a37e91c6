"""On which Pythons `.ci/run` runs: the functions' own, and the oldest that the README names."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone without .venv. Its script finds no Python but those of `install`."""
    (tmp_path / "clone" / ".ci").mkdir(parents=True)
    script = tmp_path / "clone" / ".ci" / "run"
    script.write_text((ROOT / ".ci" / "run").read_text())
    script.chmod(0o755)
    return tmp_path / "clone"


def install(path: Path, version: str) -> None:
    """Write a Python that says what version it is; "": that fails, as pyenv's shims of other versions do."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n" if version else "#!/bin/sh\necho no such command >&2\nexit 127\n")
    path.chmod(0o755)


def which(clone: Path) -> str:
    home = clone.parent
    done = subprocess.run(  # noqa: S603 -- our own script
        [clone / ".ci" / "run", "--which"],
        env={"PATH": f"{home / 'bin'}:{home / 'tools'}", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def tools(clone: Path) -> None:
    """The programs that the script needs besides Python, and no others."""
    folder = clone.parent / "tools"
    folder.mkdir()
    for name in ("bash", "dirname", "env"):
        (folder / name).symlink_to(
            next(each for each in (Path("/bin") / name, Path("/usr/bin") / name) if each.exists())
        )


def test_both_where_both_are_at_hand(clone: Path) -> None:
    install(clone.parent / "bin" / "python3", "3.11")
    install(clone.parent / "bin" / "python3.13", "3.13")
    assert which(clone) == "All gates on Python 3.13, the fast tests on Python 3.11 too"


def test_pyenv_has_the_other_though_its_shim_fails(clone: Path) -> None:
    install(clone.parent / "bin" / "python3", "3.11")
    install(clone.parent / "bin" / "python3.13", "")
    install(clone.parent / ".pyenv" / "versions" / "3.13.0" / "bin" / "python", "3.13")
    assert which(clone) == "All gates on Python 3.13, the fast tests on Python 3.11 too"


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_one_alone(clone: Path, version: str) -> None:
    install(clone.parent / "bin" / "python3", version)
    assert which(clone) == f"All gates on Python {version} alone: 3.11 and 3.13 are not both at hand"


def test_an_environment_that_exists_is_kept(clone: Path) -> None:
    install(clone / ".venv" / "bin" / "python", "3.11")
    install(clone.parent / "bin" / "python3.11", "3.11")
    install(clone.parent / "bin" / "python3.13", "3.13")
    assert which(clone) == "All gates on Python 3.11, the fast tests on Python 3.13 too"


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603, S607 -- our own Makefile


def test_node_20_is_named_in_one_line_and_newer_ones_in_none() -> None:
    assert make("node-version", "NODE_MAJOR=20").stderr == "Node.js 20 is past its end of life: use 22 or newer\n"
    assert make("node-version", "NODE_MAJOR=22").stderr == ""


def test_only_what_is_known_of_node_20_is_silenced() -> None:
    silenced = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 20"
    assert silenced in make("-pn", "NODE_MAJOR=20", "clean").stdout
    assert silenced not in make("-pn", "NODE_MAJOR=22", "clean").stdout
