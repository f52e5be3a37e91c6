"""`pull-responder diagnose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pull_responder.cli import answer, options, question
from pull_responder.cli.answered import Answer, Answered, exit_status
from pull_responder.cli.as_json import diagnosis_object, line_of, skipped_object
from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.asking import ask_about_image, ask_about_input
from pull_responder.cli.connection import Access
from pull_responder.cli.diagnosis_report import OPTION as REPORT
from pull_responder.cli.diagnosis_report import write_diagnosis_report
from pull_responder.cli.report_file import check_writable
from pull_responder.cli.status_line import StatusLine
from pull_responder.events.outcome import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console


@click.command()
@click.argument("given", metavar="[FILE]", required=False)
@click.option("--event", "file", metavar="FILE", help="The same as FILE.")
@click.option("--image", metavar="URI", help="The image to ask about, instead of an event; needs --cluster.")
@click.option(
    "--cluster", metavar="NAME", help="The cluster, by its name or ARN: whose nodes are to pull, or whose pods fail."
)
@click.option("--nodegroup", metavar="NAME", help="One node group of the cluster.")
@click.option("--fargate-profile", metavar="NAME", help="One Fargate profile of the cluster.")
@click.option("--instance", metavar="ID", help="One running node of the cluster.")
@click.option(
    "--path", "whole_path", is_flag=True, help="Show the path to the registry hop by hop, not only its faults."
)
@click.option(REPORT, metavar="FILE.html", help="Write all answers as one page, too, which stands alone.")
@options.region
@options.profile
@options.timeout
@options.form
def diagnose(  # noqa: PLR0913, PLR0917 -- one argument an option
    given: str | None,
    file: str | None,
    image: str | None,
    cluster: str | None,
    nodegroup: str | None,
    fargate_profile: str | None,
    instance: str | None,
    whole_path: bool,  # noqa: FBT001 -- a flag of the command line
    report: str | None,
    region: str | None,
    profile: str | None,
    timeout: int,
    form: str,
) -> int:
    """Diagnose every pull in an event, or say whether nodes of a cluster can pull an image.

    Without further options, a question about a cluster covers all its node groups, Fargate profiles and other nodes.

    It asks AWS with your credentials, and reads the cluster's account and those that it can assume the member role in.

    Exit status: 0 nothing wrong found, or no pull from ECR; 1 at least one cause; 2 the input, the options or the
    credentials are unusable; 3 nothing found, but something inconclusive.
    """
    file = _one_of(given, file)
    values = {"event": file, "image": image, "cluster": cluster, "nodegroup": nodegroup, "region": region}
    values |= {"fargate-profile": fargate_profile, "instance": instance, "profile": profile}
    if empty := next((name for name, value in values.items() if value is not None and not value.strip()), None):
        raise click.UsageError(f"--{empty} is empty")
    access, line = Access(region, profile, timeout), StatusLine.of_terminal(as_json=form == "json")
    chosen = [option for option in (nodegroup, fargate_profile, instance) if option is not None]
    if file is not None:
        if image or chosen:
            raise click.UsageError("a file or standard input takes no --image, and of the others --cluster alone")
        answers = ask_about_input(file, question.read_cluster(cluster), access, line)
    else:
        if not (image and cluster):
            raise click.UsageError("give a file, or - for standard input, or --image and --cluster")
        if len(chosen) > 1:
            raise click.UsageError("give one of --nodegroup, --fargate-profile and --instance")
        place = question.read_cluster(cluster)
        nodes = Chosen(place.cluster or "", nodegroup, fargate_profile, instance, account=place.account)
        answers = ask_about_image(image, nodes, place.region, access, line)
    return _tell(answers, report, as_json=form == "json", whole_path=whole_path)


def _one_of(given: str | None, file: str | None) -> str | None:
    """Return the file to read: that of the argument or of --event, None without either."""
    if given is not None and file is not None:
        raise click.UsageError(f"give {given[:100]!r} or --event, not both")
    return file if given is None else given


def _tell(answers: Iterator[Answer], report: str | None, *, as_json: bool, whole_path: bool) -> int:
    """Show the answers as they come, write the report, and return the exit status."""
    to_write = None if report is None else check_writable(report, REPORT)
    console = answer.terminal()
    shown = []
    for each in answers:
        shown.append(each)
        _show(each, console, as_json=as_json, whole_path=whole_path)
    if to_write:
        write_diagnosis_report(to_write, shown)
    return exit_status(shown)


def _show(each: Answer, console: Console, *, as_json: bool, whole_path: bool) -> None:
    """Print one answer as text or JSON."""
    if not isinstance(each, Answered):
        skipped = Skipped(each.reason)
        if as_json:
            click.echo(line_of(skipped_object(skipped)))
        else:
            answer.show_skipped(console, skipped)
    elif as_json:
        click.echo(line_of(diagnosis_object(each.diagnosis, each.path, each.asked, each.nodes, each.reach)))
    else:
        answer.show_diagnosis(
            console,
            each.diagnosis,
            path=each.path,
            asked=each.asked,
            nodes=each.nodes,
            whole_path=whole_path,
            reach=each.reach,
        )
