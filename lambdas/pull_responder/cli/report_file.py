"""A report as a file: whether it can be written is known before anything is read, and it is written whole or not."""

from __future__ import annotations

import contextlib
import os
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a new file gets from a program that asks for nothing else.
_MODE: Final = 0o666


def check_writable(name: str, option: str) -> Path:
    """Return the path of the file to write. Raises ClickException if it is known that it cannot be written.

    `option` is the option that names it. A file that is there is overwritten; a device or a folder is not.
    """
    if not name.strip() or name == "-" or "\0" in name:
        raise click.UsageError(f"{option} is not the name of a file")
    try:
        path = Path(name).resolve()
        if path.is_symlink():  # resolved, and still a link: from Python 3.13 on, a circle is no error
            raise click.ClickException(f"{option}: {name[:120]}: links lead in a circle")
        if path.is_dir():
            raise click.ClickException(f"{option}: {name} is a folder")
        if path.exists() and not path.is_file():
            raise click.ClickException(f"{option}: {name} is not a file")
        if not path.parent.is_dir():
            raise click.ClickException(f"{option}: there is no folder {path.parent}")
    except (OSError, RuntimeError) as error:  # a name that is too long; links that lead in a circle
        raise click.ClickException(f"{option}: {name[:120]}: {_words(error)}") from error
    if not os.access(path.parent, os.W_OK | os.X_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise click.ClickException(f"{option}: {name} cannot be written: permission denied")
    return path


def is_same_file(name: str, other: str) -> bool:
    """Return whether two names are of one file that is there."""
    try:
        return Path(name).samefile(other)
    except (OSError, ValueError, RuntimeError):
        return False


def write_whole(path: Path, text: str, option: str) -> None:
    """Write a file as UTF-8 in place of any that is there. Raises ClickException; then what was there stays."""
    try:
        with _beside(path) as written:
            written.write_text(text, encoding="utf-8")
            written.chmod(path.stat().st_mode & 0o777 if path.exists() else _MODE & ~_umask())
            written.replace(path)
    except OSError as error:
        raise click.ClickException(f"{option}: {path} cannot be written: {_words(error)}") from error


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give an empty file in the same folder, so that it can replace `path` at once. It is gone in the end."""
    number, name = tempfile.mkstemp(prefix=".report-", suffix=".html", dir=path.parent)
    os.close(number)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _words(error: OSError | RuntimeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def program() -> str:
    """Return the program and its version, as a page says by whom it was made."""
    try:
        return f"pull-responder {metadata.version('pull-responder')}"
    except metadata.PackageNotFoundError:
        return "pull-responder"
