"""The files of `diagnose --manifests`: a folder with everything in it, one file, or standard input."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli.document import UnusableTextError
from pull_responder.cli.yaml_documents import MOST_BYTES, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDINGS: Final = (".yaml", ".yml", ".json")
STANDARD_INPUT: Final = "standard input"
_MOST_FILES: Final = 20_000


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """A file by the name that people know it by, with its text or why it has none."""

    name: str
    text: str | UnusableTextError


def read_files(source: str) -> Iterator[ManifestFile]:
    """Yield the files of a folder and of all folders in it, in order of their names, or one file.

    `-` is standard input. Files and folders whose names begin with a dot are left out, and links to folders. Raises
    click.ClickException where there is nothing to read.
    """
    if source == "-":
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
        if not data.strip():
            raise click.ClickException(f"{STANDARD_INPUT} is empty: did the command before it fail?")
        yield _file(STANDARD_INPUT, data)
        return
    path = Path(source)
    if path.is_dir():
        yield from _of_folder(path)
        return
    try:
        data = _bytes(path)
    except OSError as error:
        raise click.ClickException(f"--manifests: {source}: {error.strerror}") from error
    if not data.strip():
        raise click.ClickException(f"--manifests: {source} is empty")
    yield _file(source, data)


def _of_folder(folder: Path) -> Iterator[ManifestFile]:
    number = 0
    failed: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=failed.append):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or not name.lower().endswith(ENDINGS):
                continue
            number += 1
            if number > _MOST_FILES:
                raise click.ClickException(f"--manifests: {folder} has more than {_MOST_FILES} files")
            yield _read(Path(root, name))
    if number == 0 and not failed:
        raise click.ClickException(f"--manifests: {folder} has no file that ends in {', '.join(ENDINGS)}")
    for error in failed:
        yield ManifestFile(str(error.filename), UnusableTextError(1, error.strerror or "it cannot be read"))


def _read(path: Path) -> ManifestFile:
    try:
        if path.exists() and not path.is_file():  # a pipe might never end
            return ManifestFile(str(path), UnusableTextError(1, "it is no file"))
        return _file(str(path), _bytes(path))
    except OSError as error:
        return ManifestFile(str(path), UnusableTextError(1, error.strerror or "it cannot be read"))


def _bytes(path: Path) -> bytes:
    with path.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _file(name: str, data: bytes) -> ManifestFile:
    try:
        return ManifestFile(name, decode(data))
    except UnusableTextError as error:
        return ManifestFile(name, error)
