"""Writes what follows from the code: `python -m pull_responder.generate --scopes FILE FOLDER`.

The files get the places under FOLDER that they have in the repository, so that nothing there changes unless all of it
could be written. FILE lists the actions that the stack can grant, one a line.
"""

from __future__ import annotations

import sys
import traceback
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

from pull_responder.generate.error import GenerateError


def main() -> int:
    """Return 0, or 1 with one line on standard error that says what is missing where; then nothing is written."""
    parser = ArgumentParser("python -m pull_responder.generate")
    parser.add_argument("--scopes", required=True, type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    try:
        texts = import_module("pull_responder.generate.texts").texts
    except Exception as error:  # noqa: BLE001 (a check that is half written may raise anything on import)
        mistake = error.__cause__ if isinstance(error.__cause__, Exception) else error
        sys.stderr.write(f"{_place(mistake)}: {type(mistake).__name__}: {mistake}\n")
        return 1
    try:
        written = texts(Path.cwd(), scopes=frozenset(given.scopes.read_text(encoding="utf-8").split()))
    except GenerateError as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    for name, text in written.items():
        path = given.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _place(mistake: Exception) -> str:
    """Return the last place in this package that `mistake` went through. For bad syntax, where it stands."""
    if isinstance(mistake, SyntaxError) and mistake.filename:
        file, line = Path(mistake.filename), mistake.lineno
    else:
        places = [each for each in traceback.extract_tb(mistake.__traceback__) if "pull_responder" in each.filename]
        file, line = Path(places[-1].filename), places[-1].lineno
    return f"{file.parent.name}/{file.name}, line {line}"


if __name__ == "__main__":
    sys.exit(main())
