"""Commands as tuples of arguments, and as a line that people paste into a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Command = tuple[str, ...]


def aws(service: str, operation: str, *flags: str, **options: str) -> Command:
    """Return the AWS CLI command of `operation`. An option `role_name` becomes `--role-name`.

    A value that begins with a dash is joined to its option by "=", because the AWS CLI would read it as an option.
    Names of roles and policies may begin with a dash.
    """
    command = ["aws", service, operation]
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        command += [f"{option}={value}"] if value.startswith("-") else [option, value]
    return (*command, *flags)


def render(command: Sequence[str]) -> str:
    """Return `command` as text for a POSIX shell. Quotes keep each argument one argument.

    A line break in an argument stays a line break, between quotes.
    """
    return shlex.join(command)
