"""Where the console scripts `pull-responder` and `kubectl-pull_why` begin.

It loads next to nothing, so that Ctrl-C ends it from the start: the AWS SDK takes up to some seconds to load.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from pull_responder.cli.interrupt import leave


def main() -> NoReturn:
    """Run the command line. Ctrl-C ends it with exit status 130."""
    open_closed_streams()
    try:
        from pull_responder.cli import main as commands  # noqa: PLC0415 -- see the module's docstring

        commands.main()
    except KeyboardInterrupt:
        leave()


def pull_why() -> NoReturn:
    """Run the plugin of kubectl. Ctrl-C ends it with exit status 130."""
    open_closed_streams()
    try:
        from pull_responder.cli import main as commands  # noqa: PLC0415 -- see the module's docstring
        from pull_responder.cli import plugin  # noqa: PLC0415 -- see the module's docstring

        commands.run(plugin.pull_why, "kubectl pull-why")
    except KeyboardInterrupt:
        leave()


def open_closed_streams() -> None:
    """Open the null device for the standard streams that the shell has closed, as `<&-` does: Python has none there."""
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
