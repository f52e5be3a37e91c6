"""The demo as it is read in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console, Group
from rich.highlighter import JSONHighlighter
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from pull_responder.cli.demo.estate import CLUSTER, PLATFORM_IMAGE, SHOP_IMAGE
from pull_responder.cli.demo.function import HANDLER
from pull_responder.cli.demo.json_layout import laid_out
from pull_responder.cli.emulator.emulated_aws import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from pull_responder.cli.demo.delivery import Mail
    from pull_responder.cli.demo.estate import Estate
    from pull_responder.cli.demo.image_pull import ImagePull
    from pull_responder.cli.demo.shell import Ran
    from pull_responder.cli.demo.story import Episode

_INDENT: Final = 4
_LABEL: Final = 12
_NARROWEST: Final = 20
# A panel has a border and a space on each side.
_FRAME: Final = 4
_GOOD, _BAD, _COMMAND = "bold green", "bold red", "green"


class Screen:
    """Shows the demo on standard output, each break as numbered steps."""

    def __init__(self) -> None:
        self._console = Console(markup=False, highlight=False, emoji=False)
        self._step = 0

    def show_estate(self, estate: Estate) -> None:
        """Say what has been built."""
        self._rule("Pull Responder: the demo", characters="=")
        self._paragraph(
            "An emulated AWS that enforces IAM runs on this machine, with this estate in it. Every pull works. Three "
            "changes break it, one after the other; each is found, told and fixed in ten steps."
        )
        self._row("Cluster", f"{CLUSTER}, in account {ACCOUNT}")
        for group, node in estate.nodes.items():
            self._row("Node group", f"{group}: role {node.role_arn}, node {node.instance_id}")
        self._row("Images", SHOP_IMAGE.uri)
        self._row("", f"{PLATFORM_IMAGE.uri}, in another account")
        self._row("Responder", f"{HANDLER}, with the permissions it is deployed with")
        self._row("It tells", f"{estate.topic_arn}, and the Security Hub of account {ACCOUNT}")

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
        self._ran(episode.breaking)
        self._heading("The node pulls again, with the registry token it has (good for 12 hours)")
        self._pull(episode.denied)
        self._heading("The event: CloudTrail's record of the denial, as EventBridge delivers it")
        self._note(
            "The emulated AWS keeps no trail: the demo writes the record of this refusal, in the words AWS has for it."
        )
        self._json(episode.event, "Event")
        self._heading("The function gets the event in a batch from its queue")
        self._row("Handler", HANDLER)
        self._row("Answer", json.dumps(episode.invocation.answer))
        self._heading("The cause, its evidence and the fix")
        self._note(
            "As `pull-responder diagnose --event` gives them; 7 and 8 are what the function told of the same finding."
        )
        for finding in episode.findings:
            self._finding(finding)
        self._heading("The SNS message, as an e-mail reader sees it")
        for mail in episode.mails:
            self._mail(mail)
        self._heading("The finding, as Security Hub stores it")
        for stored in episode.stored:
            self._stored(stored)
        self._heading("The fix of step 6, run as it is printed")
        for command in episode.fixing:
            self._ran(command)
        self._heading("After: the node pulls, with a new token")
        self._pull(episode.after)
        self._outcome(episode)

    def show_summary(self, episodes: Sequence[Episode]) -> None:
        """Show all breaks side by side."""
        self._rule("Summary", characters="=")
        table = Table("", "Break", "Told", "After the fix", box=None, padding=(0, 2, 0, 0))
        for number, episode in enumerate(episodes, 1):
            causes = [f"cause: {finding['cause']}" for finding in episode.findings] or ["no cause found"]
            told = f"mail: {len(episode.mails)}\nfinding: {len(episode.stored)}"
            pulled = Text("not pulled", _BAD) if episode.after.refused else Text("pulled", _GOOD)
            table.add_row(str(number), "\n".join([episode.broken.title, *causes]), told, pulled)
        self._console.print(table)
        self._console.print()
        if wrong := sum(1 for episode in episodes if episode.problems):
            self._console.print(Text(f"{wrong} of {len(episodes)} breaks did not go as they should: see above.", _BAD))
        else:
            self._console.print(Text("Every break was found, told and fixed. Nothing is left running.", _GOOD))

    def _rule(self, title: str, *, characters: str = "─") -> None:
        self._console.print()
        self._console.print(Rule(Text(title, style="bold"), characters=characters))

    def _heading(self, text: str) -> None:
        self._step += 1
        self._console.print()
        self._print(Text(f"{self._step:>2}  ", style="bold cyan"), Text(text, style="bold"))

    def _print(self, lead: Text, text: Text) -> None:
        """Print `text` after `lead`, its further lines below its first."""
        for part in text.wrap(self._console, max(self._console.width - lead.cell_len, _NARROWEST)):
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
        """Print a command on one line whatever its length: it must survive being copied."""
        self._console.print(f"{'':{_INDENT}}$ {line}", style=_COMMAND, soft_wrap=True)

    def _panel(self, content: RenderableType, title: str) -> None:
        self._console.print(Panel(content, title=title, title_align="left"))

    def _json(self, value: Mapping[str, Any], title: str) -> None:
        # A string that is too long for its line goes on below its own beginning.
        width, hanging = self._console.width - _FRAME, 4
        shown = Text()
        for line in JSONHighlighter()(laid_out(value, width=width - hanging)).split("\n"):
            indent = len(line.plain) - len(line.plain.lstrip())
            room = max(width - indent - hanging, _NARROWEST)
            for number, part in enumerate(line[indent:].wrap(self._console, room)):
                shown.append(" " * (indent + hanging * bool(number))).append_text(part).append("\n")
        shown.rstrip()
        self._panel(shown, title)

    def _pull(self, pull: ImagePull) -> None:
        for call in pull.calls:
            if call.refusal:
                self._row("Denied", Text(f"ecr:{call.action}: {call.refusal}", _BAD))
            else:
                self._row("Allowed", f"ecr:{call.action}")
        self._row("Result", Text("not pulled", _BAD) if pull.refused else Text("pulled", _GOOD))

    def _ran(self, ran: Ran) -> None:
        self._note(f"With credentials of account {ran.account}:")
        self._command(ran.line)
        if ran.exit_status:
            self._row("Failed", Text(f"exit status {ran.exit_status}: {ran.output}", _BAD))
        else:
            self._row("Done", "exit status 0")

    def _finding(self, finding: Mapping[str, Any]) -> None:
        heading = Text.assemble((finding["cause"], "bold"), f" ({finding['severity']}): {finding['title']}")
        self._row("Cause", heading)
        self._row("Finding", finding["id"])
        self._row("Broken", f"{finding['resource']['type']} {finding['resource']['id']}")
        self._row("Why", finding["explanation"])
        for number, line in enumerate(finding["evidence"], 1):
            self._row(f"Evidence {number}", line)
        remedy = finding["remediation"]
        self._row("Fix", remedy["summary"])
        self._row("", f"With credentials of account {remedy['account']}, region {remedy['region']}:")
        for command in remedy["commands"]:
            self._command(command)

    def _mail(self, mail: Mail) -> None:
        head = Text.assemble(f"From:    {mail.sender}\nSubject: ", (mail.subject, "bold"), "\n")
        self._panel(Group(head, Text(mail.body.rstrip(), overflow="fold")), "E-mail")

    def _stored(self, stored: Mapping[str, Any]) -> None:
        fields = dict(stored)
        product_fields = fields.pop("ProductFields", {})
        self._json(fields, "Security Hub finding")
        self._note(
            f"Left out here: {len(product_fields)} ProductFields with the evidence, the pull and the commands. "
            "`pull-responder demo --format json` prints them, too."
        )

    def _outcome(self, episode: Episode) -> None:
        self._console.print()
        if not episode.problems:
            self._print(Text(" " * _INDENT), Text("Found, told and fixed.", _GOOD))
        for problem in episode.problems:
            self._row("Wrong", Text(problem, _BAD))
