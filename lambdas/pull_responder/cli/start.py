"""Where the console scripts `pull-responder` and `kubectl-pull_why` begin.

It loads next to nothing, so that Ctrl-C ends it from the start: the AWS SDK takes up to some seconds to load.
"""

from __future__ import annotations

from typing import NoReturn

from pull_responder.cli.interrupt import leave


def main() -> NoReturn:
    """Run the command line. Ctrl-C ends it with exit status 130."""
    try:
        from pull_responder.cli import main as commands  # noqa: PLC0415 -- see the module's docstring

        commands.main()
    except KeyboardInterrupt:
        leave()


def pull_why() -> NoReturn:
    """Run the plugin of kubectl. Ctrl-C ends it with exit status 130."""
    try:
        from pull_responder.cli import main as commands  # noqa: PLC0415 -- see the module's docstring
        from pull_responder.cli import plugin  # noqa: PLC0415 -- see the module's docstring

        commands.run(plugin.pull_why, "kubectl pull-why")
    except KeyboardInterrupt:
        leave()
