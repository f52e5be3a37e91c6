"""A Python of the version that the functions run on, where this machine has one.

`python -m infra.runtime_python` prints its path; exit status 1: there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNTIME_VERSION: Final = (3, 13)
_NAME: Final = "python" + ".".join(map(str, RUNTIME_VERSION))


def find_runtime_python() -> Path | None:
    """Return the path of a Python of RUNTIME_VERSION: this one, one on the path, or one of pyenv. None: none found."""
    return next((each for each in _candidates() if _is_of_runtime_version(each)), None)


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    if found := shutil.which(_NAME):
        yield Path(found)
    # pyenv's shim is on the path for all versions, and works for the selected ones only.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{_NAME.removeprefix('python')}*/bin/{_NAME}"), reverse=True)


def _is_of_runtime_version(python: Path) -> bool:
    command = [str(python), "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603 -- as above
    except (OSError, subprocess.SubprocessError):
        return False
    return done.stdout.split() == [str(part) for part in RUNTIME_VERSION]


if __name__ == "__main__":
    python = find_runtime_python()
    if python is None:
        raise SystemExit(1)
    sys.stdout.write(f"{python}\n")
