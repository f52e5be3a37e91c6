"""The console script `pull-responder`."""

from __future__ import annotations

import io
import sys
from traceback import extract_tb
from typing import TYPE_CHECKING, Final, NoReturn

import click

from pull_responder.cli.commands import LazyGroup
from pull_responder.cli.interrupt import end_at_interrupt, leave
from pull_responder.cli.reader import outlive_reader
from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME: Final = "pull-responder"
UNUSABLE: Final = 2
# sysexits.h, EX_SOFTWARE.
SOFTWARE: Final = 70


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pull-responder")
def cli() -> None:
    """Find out why a pod on Amazon EKS cannot pull its image from Amazon ECR.

    `pull-responder COMMAND --help` has the options, the exit status and an example of each command.
    """


def main() -> NoReturn:
    """Run the command line."""
    run(cli, NAME)


def run(command: click.Command, name: str) -> NoReturn:
    """Run `command`, which was called as `name`. Unusable input ends it with one line on standard error and status 2.

    A group without arguments prints its help, with exit status 2: nothing was asked, so nothing was found in order.
    Ctrl-C ends it with exit status 130.
    """
    outlive_reader()
    if isinstance(sys.stderr, io.TextIOWrapper):  # characters that the terminal cannot show are escaped
        sys.stderr.reconfigure(errors="backslashreplace")
    try:
        with end_at_interrupt():
            status = command.main(prog_name=name, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stdout.write(f"{error.format_message()}\n")
        sys.exit(UNUSABLE)
    except click.ClickException as error:
        sys.stderr.write(f"pull-responder: {clean_line(error.format_message())}\n")
        sys.exit(UNUSABLE)
    except (click.Abort, KeyboardInterrupt):
        leave()
    except Exception as error:  # noqa: BLE001 -- a fault of our own must not look like a cause found, which is exit status 1
        sys.stderr.writelines(f"{line}\n" for line in _trace(error))
        sys.exit(SOFTWARE)
    sys.exit(status or 0)


def _trace(error: BaseException) -> Iterator[str]:
    """The traceback of an error and of those that it came from, the first one first, each message as one line."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _trace(before)
        yield "then:"
    yield "Traceback (most recent call last):"
    for frame in extract_tb(error.__traceback__):
        yield f"  File {clean_line(frame.filename)}, line {frame.lineno}, in {frame.name}"
        if frame.line:
            yield f"    {clean_line(frame.line)}"
    yield f"{type(error).__name__}: {clean_line(str(error))}"
