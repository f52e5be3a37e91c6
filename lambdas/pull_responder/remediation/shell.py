"""Commands as argument tuples, and as the line a person pastes into a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Command = tuple[str, ...]


def aws(service: str, operation: str, *flags: str, **options: str) -> Command:
    """Return the AWS CLI command of `operation`; an option `role_name` becomes `--role-name`.

    A value that begins with a dash is joined to its option by "=", or the AWS CLI would take it for an option: names
    of roles and policies may begin with one.
    """
    command = ["aws", service, operation]
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        command += [f"{option}={value}"] if value.startswith("-") else [option, value]
    return (*command, *flags)


def render(command: Sequence[str]) -> str:
    """Return `command` as one line for a POSIX shell, in which each argument stays one argument whatever is in it.

    A line break within an argument stays one, between quotes.
    """
    return shlex.join(command)
