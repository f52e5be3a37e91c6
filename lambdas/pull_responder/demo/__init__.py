"""`pull-responder demo`."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import click
from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.demo.breaks import BREAKS
from pull_responder.demo.enterprise import estate as enterprise_estate
from pull_responder.demo.enterprise import screen as enterprise_screen
from pull_responder.demo.enterprise import story as enterprise_story
from pull_responder.demo.estate import build
from pull_responder.demo.function import DidNotAnswerError
from pull_responder.demo.progress import progress
from pull_responder.demo.screen import Screen
from pull_responder.demo.shell import has_aws_cli
from pull_responder.demo.story import Story
from pull_responder.emulator.emulated_aws import EmulatorError, emulated_aws
from pull_responder.emulator.emulated_networks import emulated_networks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.demo.episode import Episode

_NO_AWS_CLI: Final = "the demo needs the AWS CLI: pip install -r requirements.txt"


@click.command(
    epilog="\b\nFor example:\n  pull-responder demo\n  pull-responder demo --format json | jq .title"
    "\n  pull-responder demo --enterprise"
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Text is for people.")
@click.option("--enterprise", is_flag=True, help="One fault on a way over four accounts, a transit gateway between.")
def demo(form: str, *, enterprise: bool) -> int:
    """Show every step on an emulated AWS: three breaks, each from the denied pull to the resolved finding.

    With --enterprise, a pod whose way to the registry leads over a transit gateway, to a hub and an egress VPC of other
    accounts: from kubelet's message to the fix in the account at fault.

    Needs no AWS account.

    Exit status: 0 every break was found and fixed, was notified once and resolved, and its repeats were
    not notified; 1 one was not; 2 the emulator cannot be started.
    """
    try:
        with _every_stop_an_interrupt():
            if enterprise:
                return int(bool(_play_enterprise(as_json=form == "json").problems))
            episodes = _play_all(Screen() if form == "text" else None)
    except EmulatorError as error:
        raise click.ClickException(str(error)) from error
    except (BotoCoreError, ClientError, DidNotAnswerError) as error:
        sys.stderr.write(f"pull-responder: the demo cannot go on: {' '.join(str(error).split())}\n")
        return 1
    return int(any(episode.problems for episode in episodes))


def _play_all(screen: Screen | None) -> list[Episode]:
    """Play the breaks one after the other on an emulated AWS. Show each on `screen`, or print it as a line of JSON."""
    episodes: list[Episode] = []
    with ExitStack() as stack:
        with progress() as say:
            say("Starting an emulated AWS on this machine")
            aws = stack.enter_context(emulated_aws())
            if not has_aws_cli(aws):
                raise EmulatorError(_NO_AWS_CLI)
            say("Building the estate")
            estate = build(aws)
            story = stack.enter_context(Story(estate))
        if screen:
            screen.show_estate(estate)
        for number, broken in enumerate(BREAKS, 1):
            with progress(f"Break {number} of {len(BREAKS)}") as say:
                episode = story.play(broken, say)
            episodes.append(episode)
            if screen:
                screen.show_episode(episode, f"Break {number} of {len(BREAKS)}")
            else:
                click.echo(json.dumps(episode.as_json(), default=str))
    if screen:
        screen.show_summary(episodes)
    return episodes


def _play_enterprise(*, as_json: bool) -> enterprise_story.Story:
    """Play the break on a way over four accounts. Show it, or print it as a line of JSON."""
    with progress() as say, ExitStack() as stack:
        say("Starting an emulated AWS on this machine")
        aws = stack.enter_context(emulated_networks())
        if not has_aws_cli(aws):
            raise EmulatorError(_NO_AWS_CLI)
        say("Building the estate of four accounts")
        story = enterprise_story.play(enterprise_estate.build(aws), say)
    if as_json:
        click.echo(json.dumps(story.as_json(), default=str))
    else:
        enterprise_screen.show(story)
    return story


@contextmanager
def _every_stop_an_interrupt() -> Iterator[None]:
    """Stop the emulator on SIGTERM and when the terminal closes, as on Ctrl-C. None of them ends the process before."""
    ctrl_c = () if signal.getsignal(signal.SIGINT) is signal.SIG_IGN else (signal.SIGINT,)
    signals = (signal.SIGTERM, signal.SIGHUP, *ctrl_c)
    before = {each: signal.signal(each, signal.default_int_handler) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
