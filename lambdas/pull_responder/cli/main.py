"""The console script `pull-responder`."""

from __future__ import annotations

import io
import sys
from traceback import extract_tb
from typing import TYPE_CHECKING, NoReturn

import click

from pull_responder.cli.answer import shown
from pull_responder.cli.causes import causes
from pull_responder.cli.diagnose import diagnose
from pull_responder.cli.doctor import doctor
from pull_responder.cli.evaluate import evaluate
from pull_responder.cli.explain import explain
from pull_responder.cli.findings import findings
from pull_responder.cli.interrupt import end_at_interrupt, leave
from pull_responder.cli.report import report
from pull_responder.cli.trial import test_event
from pull_responder.demo import demo
from pull_responder.model.quoting import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

UNUSABLE = 2
# sysexits.h, EX_SOFTWARE.
SOFTWARE = 70


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pull-responder")
def cli() -> None:
    """Find out why a pod on Amazon EKS cannot pull its image from Amazon ECR."""


cli.add_command(diagnose)
cli.add_command(explain)
cli.add_command(evaluate)
cli.add_command(causes)
cli.add_command(doctor)
cli.add_command(test_event)
cli.add_command(findings)
cli.add_command(report)
cli.add_command(demo)


def main() -> NoReturn:
    """Run the command line. Any unusable input ends it with one line on standard error and exit status 2.

    Ctrl-C ends it with exit status 130.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # characters that the terminal cannot show are escaped
            stream.reconfigure(errors="backslashreplace")
    try:
        with end_at_interrupt():
            status = cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.writelines(f"{escape(line)}\n" for line in error.format_message().split("\n"))
        sys.exit(UNUSABLE)
    except click.ClickException as error:
        sys.stderr.write(f"pull-responder: {shown(error.format_message())}\n")
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
        yield f"  File {shown(frame.filename)}, line {frame.lineno}, in {frame.name}"
        if frame.line:
            yield f"    {shown(frame.line)}"
    yield f"{type(error).__name__}: {shown(str(error))}"
