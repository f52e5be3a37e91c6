"""Lines on standard output: numbered steps with headings, labelled rows, commands, and panels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from pull_responder.demo.json_layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from pull_responder.demo.shell import CommandResult

GOOD, BAD = "bold green", "bold red"
_COMMAND: Final = "green"
_INDENT: Final = 4
_LABEL: Final = 14
_NARROWEST: Final = 20
# A panel has a border and a space on each side.
_FRAME: Final = 4


class Sheet:
    """What the demo prints on, as wide as the terminal."""

    def __init__(self) -> None:
        self.console = Console(markup=False, highlight=False, emoji=False)
        self._step = 0

    def rule(self, title: str, *, characters: str = "─") -> None:
        """Print a title on a line across the screen. The steps below it count from 1."""
        self._step = 0
        self.console.print()
        self.console.print(Rule(Text(title, style="bold"), characters=characters))

    def heading(self, text: str) -> None:
        """Print the heading of the next step."""
        self._step += 1
        self.console.print()
        self.print(Text(f"{self._step:>2}  ", style="bold cyan"), Text(text, style="bold"))

    def print(self, lead: Text, text: Text) -> None:
        """Print `text` after `lead`. Its further lines are indented below the first."""
        for part in text.wrap(self.console, max(self.console.width - lead.cell_len, _NARROWEST)):
            part.rstrip()
            self.console.print(lead, part, sep="", soft_wrap=True)
            lead = Text(" " * lead.cell_len)

    def row(self, label: str, text: str | Text) -> None:
        """Print `text` behind a label."""
        lead = Text(f"{'':{_INDENT}}{label:{_LABEL}}", style="dim")
        self.print(lead, text if isinstance(text, Text) else Text(text))

    def paragraph(self, text: str) -> None:
        """Print text without a label."""
        self.print(Text(" " * _INDENT), Text(text))

    def note(self, text: str) -> None:
        """Print text that is less important."""
        self.print(Text(" " * _INDENT), Text(text, style="dim"))

    def command(self, line: str) -> None:
        """Print a command on one line whatever its length, so that it can be copied."""
        self.console.print(f"{'':{_INDENT}}$ {line}", style=_COMMAND, soft_wrap=True)

    def whole(self, text: str) -> None:
        """Print text on one line whatever its length, as a command in it is to be copied."""
        self.console.print(f"{'':{_INDENT}}{text}", soft_wrap=True)

    def panel(self, content: RenderableType, title: str) -> None:
        """Print something in a frame."""
        self.console.print(Panel(content, title=title, title_align="left"))

    def json(self, value: Mapping[str, Any], title: str) -> None:
        """Print an object as JSON in a frame."""
        width = self.console.width - _FRAME
        self.panel(self.hang(JSONHighlighter()(lay_out(value, width=width - 4)), by=4), title)

    def hang(self, text: Text, *, by: int) -> Text:
        """Return `text` for a panel: what is too long for its line goes on below, a little further in."""
        width, shown = self.console.width - _FRAME, Text()
        for line in text.split("\n"):
            indent = len(line.plain) - len(line.plain.lstrip())
            room = max(width - indent - by, _NARROWEST)
            for number, part in enumerate(line[indent:].wrap(self.console, room)):
                shown.append(" " * (indent + by * bool(number))).append_text(part).append("\n")
        shown.rstrip()
        return shown

    def command_result(self, ran: CommandResult) -> None:
        """Print a command, with whose credentials it ran, and how it ended."""
        self.note(f"With credentials of account {ran.account}:")
        self.command(ran.line)
        if ran.exit_status:
            self.row("Failed", Text(f"exit status {ran.exit_status}: {ran.output}", BAD))
        else:
            self.row("Done", "exit status 0")

    def verdict(self, text: str, *, good: bool) -> None:
        """Print how it ended."""
        self.print(Text(" " * _INDENT), Text(text, GOOD if good else BAD))
