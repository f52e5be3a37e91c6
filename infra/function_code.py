"""The functions' own code as it is deployed: without what does not run on Lambda, and compiled like the layer."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Final

from infra.asset_folder import BUILD, COMPILE, build_once, compile_code

_LAMBDAS: Final = Path(__file__).resolve().parent.parent / "lambdas"
_PACKAGE: Final = "pull_responder"
_SUFFIXES: Final = (".py", ".css", ".js")
# The command line, the demo and the generators do not run on Lambda.
_NOT_DEPLOYED: Final = frozenset({"cli", "demo", "emulator", "generate", "known_causes.py", "meanings.py"})


def build_code(build: Path = BUILD, *, python: Path | None = None, lambdas: Path = _LAMBDAS) -> Path:
    """Return the folder of the functions' code. Build it in `build` unless it is there already for the same code.

    Of `lambdas`, it has the modules, the style and the script of pages, and no other files. `python` compiles the
    modules; None: they are not compiled.
    """
    found = (path for path in (lambdas / _PACKAGE).rglob("*") if path.suffix in _SUFFIXES)
    files = sorted(path for path in found if _is_deployed(path.relative_to(lambdas)))
    contents = {path.relative_to(lambdas): path.read_bytes() for path in files}

    def fill(folder: Path) -> None:
        for path in contents:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(lambdas / path, folder / path)
        if python is not None:
            compile_code(python, folder, at="/var/task")

    compiled = COMPILE if python else ()
    hashes = (f"{path.as_posix()} {hashlib.sha256(content).hexdigest()}" for path, content in contents.items())
    return build_once(build, "function-code", (*compiled, *hashes), fill)


def _is_deployed(path: Path) -> bool:
    return path.parts[1] not in _NOT_DEPLOYED
