"""Folders of which the functions' assets are made: each is built once for the same content, and compiled for Lambda."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BUILD: Final = Path(__file__).resolve().parent.parent / "build"
# Lambda does not keep what it compiles: without compiled code, each start of a function compiles all it imports. The
# files must not be compared with the time or the content of their source: zipping changes the former, and reading the
# latter takes time. PEP 552.
COMPILE: Final = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")


def build_once(build: Path, name: str, parts: Iterable[str], fill: Callable[[Path], None]) -> Path:
    """Return a folder of `build` that `fill` has filled. It is filled only if there is none for the same `parts`.

    `parts` are what its content depends on. What `fill` raises is raised, and leaves nothing behind.
    """
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    folder = build / f"{name}-{key}"
    if folder.is_dir():
        return folder
    build.mkdir(parents=True, exist_ok=True)
    # Build in a temporary folder and rename it. So an interrupted or a concurrent build cannot leave half a folder.
    with tempfile.TemporaryDirectory(dir=build) as temporary:
        target = Path(temporary) / folder.name
        target.mkdir()
        fill(target)
        try:
            target.rename(folder)
        except OSError:
            # Somebody else was quicker, and may be reading it already.
            if not folder.is_dir():
                raise
    return folder


def compile_code(python: Path, folder: Path, *, at: str) -> None:
    """Compile the Python code in `folder` for the version of `python`.

    `at` is where Lambda will have the folder, for its stack traces. Raises CalledProcessError for code that is none.
    """
    subprocess.run(  # noqa: S603 -- our own command
        [str(python), *COMPILE, "-p", at, "-s", str(folder), str(folder)],
        check=True,
    )
