"""Where the console script `pull-responder` begins. It loads next to nothing, so that Ctrl-C ends it from the start.

The commands and the AWS SDK take up to some seconds to load.
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
