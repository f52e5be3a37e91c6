"""The demo as text in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from pull_responder.demo.episode import workflow_of
from pull_responder.demo.estate import CLUSTER, MAIL_ADDRESS, PLATFORM_IMAGE, SHOP_IMAGE, TABLE
from pull_responder.demo.json_layout import lay_out
from pull_responder.emulator.emulated_aws import ACCOUNT
from pull_responder.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from pull_responder.demo.delivery import Mail
    from pull_responder.demo.episode import Episode, Repeats
    from pull_responder.demo.estate import DemoEstate
    from pull_responder.demo.function import Invocation
    from pull_responder.demo.image_pull import ImagePull
    from pull_responder.demo.shell import CommandResult

_INDENT: Final = 4
_LABEL: Final = 14
_NARROWEST: Final = 20
# A panel has a border and a space on each side.
_FRAME: Final = 4
_ALL_WELL: Final = "Every break was found, notified once, fixed and resolved. Nothing is left running."
# Fields of a Security Hub finding that the e-mail shows as well.
_IN_THE_MAIL: Final = ("Description", "FindingProviderFields", "ProductFields", "Remediation")
_GOOD, _BAD, _COMMAND = "bold green", "bold red", "green"


class Screen:
    """Shows the demo on standard output, each break as numbered steps."""

    def __init__(self) -> None:
        self._console = Console(markup=False, highlight=False, emoji=False)
        self._step = 0

    def show_estate(self, estate: DemoEstate) -> None:
        """Show what was built."""
        self._rule("Pull Responder: the demo", characters="=")
        self._paragraph(
            "An emulated AWS that enforces IAM runs on this machine, with this estate in it. Every pull works. Three "
            "changes break it, one after the other. Each is found, notified once, fixed and resolved."
        )
        self._row("Cluster", f"{CLUSTER}, in account {ACCOUNT}")
        for group, nodes in estate.nodes.items():
            self._row("Node group", f"{group}: {len(nodes)} nodes, role {nodes[0].role_arn}")
        self._row("Images", SHOP_IMAGE.uri)
        self._row("", f"{PLATFORM_IMAGE.uri}, in another account")
        self._row("Responder", "the functions diagnose and recheck, with the permissions they are deployed with")
        self._row("It remembers", f"in the DynamoDB table {TABLE}")
        self._row("It notifies", f"{estate.topic_arn}, with the subscriber {MAIL_ADDRESS}")
        self._row("", f"the Security Hub of account {ACCOUNT}")

    def show_episode(self, episode: Episode, name: str) -> None:
        """Show one break, from the change that caused it to the pull that works again."""
        self._step = 0
        self._rule(f"{name}: {episode.broken.title}")
        self._paragraph(episode.broken.story)
        self._heading("Before: the node pulls")
        self._row("Image", episode.broken.image.uri)
        self._row("Node", f"{episode.node.instance_id}, with the role {episode.node.role_arn}")
        self._pull(episode.before)
        self._heading("The break")
        self._command_result(episode.breaking)
        self._heading("The node pulls again, with the registry token it has (good for 12 hours)")
        self._pull(episode.denied)
        self._heading("The event: CloudTrail's record of the denial, as EventBridge delivers it")
        self._note(
            "The emulated AWS keeps no trail: the demo writes the record of this refusal, in the words AWS has for it."
        )
        self._json(episode.event, "Event")
        self._heading("The function `diagnose` gets the event from its queue")
        self._answer(episode.alert.invocation)
        self._heading("The alert: the e-mail that the topic sends to its subscriber")
        self._mails(episode.alert.mails)
        self._heading("The finding, as Security Hub stores it")
        for stored in episode.alert.stored:
            self._stored_finding(stored)
        self._heading("The other nodes of the group fail as well, again and again: silence")
        self._repeats(episode.repeats)
        self._heading("The fix of the e-mail, run as it is printed")
        for command in episode.fixing:
            self._command_result(command)
        self._heading("The node pulls, with a new token")
        self._pull(episode.after)
        self._heading("The function `recheck` gets CloudTrail's record of the fix, and looks again")
        for change in episode.changes:
            name = change["detail"]["eventName"]
            self._row("Event", f"{change['source']} {name} in account {change['account']}")
        self._answer(episode.resolved.invocation)
        for stored in episode.resolved.stored:
            self._row("Security Hub", ", ".join(f"{name} {value}" for name, value in workflow_of(stored).items()))
        self._heading("Resolved: the e-mail to those who got the alert")
        self._note(
            f"By default it is sent {Settings().hold_down_minutes} minutes later, if the cause is still gone then. "
            "For the demo HOLD_DOWN_MINUTES is 0."
        )
        self._mails(episode.resolved.mails)
        self._outcome(episode)

    def show_summary(self, episodes: Sequence[Episode]) -> None:
        """Show all breaks in one table."""
        self._rule("Summary", characters="=")
        table = Table("", "Break", "Failed", "Delivery", "After the fix", box=None, padding=(0, 2, 0, 0))
        for number, episode in enumerate(episodes, 1):
            causes = [f"cause: {finding['cause']}" for finding in episode.alert.findings] or ["no cause found"]
            reach = episode.repeats.reach
            failed = f"{reach.events} times\n{reach.node_count} nodes"
            edges = [
                mail.about[0]
                for mail in (*episode.alert.mails, *episode.repeats.delivery.mails, *episode.resolved.mails)
            ]
            pulled = Text("not pulled", _BAD) if episode.after.refused_call else Text("pulled", _GOOD)
            table.add_row(str(number), "\n".join([episode.broken.title, *causes]), failed, "\n".join(edges), pulled)
        self._console.print(table)
        self._console.print()
        if wrong := sum(1 for episode in episodes if episode.problems):
            self._console.print(Text(f"{wrong} of {len(episodes)} breaks failed: see above.", _BAD))
        else:
            self._console.print(Text(_ALL_WELL, _GOOD))

    def _rule(self, title: str, *, characters: str = "─") -> None:
        self._console.print()
        self._console.print(Rule(Text(title, style="bold"), characters=characters))

    def _heading(self, text: str) -> None:
        self._step += 1
        self._console.print()
        self._print(Text(f"{self._step:>2}  ", style="bold cyan"), Text(text, style="bold"))

    def _print(self, lead: Text, text: Text) -> None:
        """Print `text` after `lead`. Its further lines are indented below the first."""
        for part in text.wrap(self._console, max(self._console.width - lead.cell_len, _NARROWEST)):
            part.rstrip()
            self._console.print(lead, part, sep="", soft_wrap=True)
            lead = Text(" " * lead.cell_len)

    def _row(self, label: str, text: str | Text) -> None:
        lead = Text(f"{'':{_INDENT}}{label:{_LABEL}}", style="dim")
        self._print(lead, text if isinstance(text, Text) else Text(text))

    def _paragraph(self, text: str) -> None:
        self._print(Text(" " * _INDENT), Text(text))

    def _note(self, text: str) -> None:
        self._print(Text(" " * _INDENT), Text(text, style="dim"))

    def _command(self, line: str) -> None:
        """Print a command on one line whatever its length, so that it can be copied."""
        self._console.print(f"{'':{_INDENT}}$ {line}", style=_COMMAND, soft_wrap=True)

    def _panel(self, content: RenderableType, title: str) -> None:
        self._console.print(Panel(content, title=title, title_align="left"))

    def _json(self, value: Mapping[str, Any], title: str) -> None:
        width = self._console.width - _FRAME
        self._panel(self._hang(JSONHighlighter()(lay_out(value, width=width - 4)), by=4), title)

    def _hang(self, text: Text, *, by: int) -> Text:
        """Return `text` for a panel: what is too long for its line goes on below, a little further in."""
        width, shown = self._console.width - _FRAME, Text()
        for line in text.split("\n"):
            indent = len(line.plain) - len(line.plain.lstrip())
            room = max(width - indent - by, _NARROWEST)
            for number, part in enumerate(line[indent:].wrap(self._console, room)):
                shown.append(" " * (indent + by * bool(number))).append_text(part).append("\n")
        shown.rstrip()
        return shown

    def _pull(self, pull: ImagePull) -> None:
        for call in pull.calls:
            if call.refusal:
                self._row("Denied", Text(f"ecr:{call.action}: {call.refusal}", _BAD))
            else:
                self._row("Allowed", f"ecr:{call.action}")
        self._row("Result", Text("not pulled", _BAD) if pull.refused_call else Text("pulled", _GOOD))

    def _command_result(self, ran: CommandResult) -> None:
        self._note(f"With credentials of account {ran.account}:")
        self._command(ran.line)
        if ran.exit_status:
            self._row("Failed", Text(f"exit status {ran.exit_status}: {ran.output}", _BAD))
        else:
            self._row("Done", "exit status 0")

    def _answer(self, invocation: Invocation) -> None:
        self._row("Handler", invocation.handler)
        self._row("Answer", json.dumps(invocation.answer))

    def _repeats(self, repeats: Repeats) -> None:
        reach, delivery = repeats.reach, repeats.delivery
        again = repeats.messages - repeats.denials
        self._note("Each is refused for real, once; the demo writes the records of its further tries.")
        self._row(
            "Events", f"{repeats.denials} denials of {repeats.nodes} other nodes, and {again} that are delivered again"
        )
        self._answer(delivery.invocation)
        self._row(
            "E-mail", Text(", ".join(mail.subject for mail in delivery.mails), _BAD) if delivery.mails else "none"
        )
        self._row("Security Hub", f"findings of this break: {len(delivery.stored)}")
        self._row(
            "The table",
            f"{reach.events} failures on {reach.node_count} nodes, {reach.first_seen_at} to {reach.last_seen_at}",
        )

    def _mails(self, mails: Sequence[Mail]) -> None:
        for mail in mails:
            self._mail(mail)
        if not mails:
            self._row("Wrong", Text("nothing came", _BAD))

    def _mail(self, mail: Mail) -> None:
        head = f"From:    {mail.sender}\nTo:      {MAIL_ADDRESS}\nSubject: "
        self._panel(self._hang(Text.assemble(head, (mail.subject, "bold"), "\n\n", mail.body), by=2), "E-mail")

    def _stored_finding(self, stored: Mapping[str, Any]) -> None:
        fields = {name: value for name, value in stored.items() if name not in _IN_THE_MAIL}
        fields["Resources"] = [{"Type": each["Type"], "Id": each["Id"]} for each in stored["Resources"]]
        self._json(fields, "Security Hub finding")
        self._note(
            f"Left out: details of the resources, and {', '.join(_IN_THE_MAIL)}, which say what the e-mail says. "
            "`pull-responder demo --format json` prints all."
        )

    def _outcome(self, episode: Episode) -> None:
        self._console.print()
        if not episode.problems:
            self._print(Text(" " * _INDENT), Text("Found, notified once, fixed and resolved.", _GOOD))
        for problem in episode.problems:
            self._row("Wrong", Text(problem, _BAD))
