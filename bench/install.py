"""Measures what `pip install` of the wheel takes, and how much it installs: `python -m bench.install`.

Each time into a fresh environment, and without what pip has kept of earlier downloads. With uv on the path, the same by
uv, as `uvx` does it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT: Final = Path(__file__).parents[1]


def build_wheel(folder: Path) -> Path:
    """Return the wheel of this tree, built in `folder` from a copy of what it is made of."""
    source = folder / "source"
    shutil.copytree(_ROOT / "lambdas", source / "lambdas", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("LICENSE", "pyproject.toml", "docs/pypi.md"):
        (source / name).parent.mkdir(exist_ok=True)
        shutil.copy(_ROOT / name, source / name)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    _run(sys.executable, "-m", "pip", "wheel", *options, str(source))
    (wheel,) = folder.glob("*.whl")
    return wheel


@contextmanager
def fresh_environment() -> Iterator[tuple[Path, Path]]:
    """Yield the wheel, and the folder of a fresh environment without anything. Remove both at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build_wheel(folder)
        _run(sys.executable, "-m", "venv", str(folder / "venv"))
        yield wheel, folder / "venv"


def install(wheel: Path, environment: Path, *options: str) -> None:
    """Install the wheel, with what it needs, by the environment's own pip."""
    _run(str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", *options, str(wheel))


def _run(*command: str) -> None:
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(command, check=True, env=clean, stdout=subprocess.DEVNULL)  # noqa: S603 -- pip and venv, with arguments of ours


def _megabytes(environment: Path) -> float:
    """Return the size of all that is installed beside pip, as it was before."""
    (packages,) = (environment / "lib").glob("python*/site-packages")
    brought_along = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence.pth")
    ours = (each for each in packages.iterdir() if not each.name.startswith(brought_along))
    files = (file for each in ours for file in ([each] if each.is_file() else each.rglob("*")))
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def main() -> None:
    """Print the seconds and the megabytes."""
    with fresh_environment() as (wheel, environment):
        began = time.perf_counter()
        install(wheel, environment, "--no-cache-dir")
        seconds = time.perf_counter() - began
        sys.stdout.write("Install of the wheel into an empty environment, downloads and compilation included:\n")
        sys.stdout.write(f"  pip                          {seconds:6.1f} s  {_megabytes(environment):5.0f} MB\n")
        if uv := shutil.which("uv"):
            began = time.perf_counter()
            _run(uv, "tool", "run", "--quiet", "--no-cache", "--from", str(wheel), "pull-responder", "--version")
            sys.stdout.write(f"  uvx, and one run             {time.perf_counter() - began:6.1f} s\n")


if __name__ == "__main__":
    main()
