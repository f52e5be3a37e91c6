"""The story of a way over four accounts as text in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from pull_responder.demo.enterprise.estate import CLUSTER, EGRESS, GATEWAY, HUB, NAMES, SPOKE
from pull_responder.demo.enterprise.story import POD, SAID, TITLE
from pull_responder.demo.sheet import BAD, GOOD, Sheet
from pull_responder.settings import MEMBER_ROLE

if TYPE_CHECKING:
    from pull_responder.demo.enterprise.asking import Answer
    from pull_responder.demo.enterprise.estate import Estate
    from pull_responder.demo.enterprise.story import Story

_HEAD: Final = 3
_VERDICTS: Final = {"ok": ("works", GOOD), "failed": ("broken", BAD), "undecided": ("not decided", "yellow")}


def show(story: Story) -> None:
    """Show the estate, and what happened in it."""
    sheet = Sheet()
    _show_estate(sheet, story.estate)
    sheet.rule(TITLE)
    sheet.paragraph(SAID)
    sheet.heading("Before: nothing is wrong")
    _show_answer(sheet, story.before)
    sheet.heading("The break")
    sheet.command_result(story.breaking)
    sheet.heading(f"The pod {'/'.join(POD)} cannot pull. All that its team sees is kubelet's message")
    sheet.paragraph(story.message)
    sheet.heading("The answer, with credentials of the spoke")
    _show_answer(sheet, story.answer)
    sheet.heading("The way to the registry and back, hop by hop, over the hub's endpoint")
    _show_hops(sheet, story.answer, "manifest")
    sheet.heading("The fix, run as it is printed")
    for command in story.fixing:
        sheet.command_result(command)
    sheet.heading("After: nothing is wrong")
    _show_answer(sheet, story.after)
    sheet.heading("The way to the layers and back, hop by hop, over the egress VPC's firewall")
    _show_hops(sheet, story.after, "layer")
    sheet.console.print()
    if not story.problems:
        sheet.verdict("Found in the account at fault, fixed there, and gone. Nothing is left running.", good=True)
    for problem in story.problems:
        sheet.row("Wrong", Text(problem, BAD))


def _show_estate(sheet: Sheet, estate: Estate) -> None:
    sheet.rule("Pull Responder: a way over four accounts", characters="=")
    sheet.paragraph(
        "An emulated AWS of networks runs on this machine, with an estate of four accounts in it. A private node pulls "
        "over all of them. IAM is not enforced."
    )
    rows = {
        SPOKE: f"cluster {CLUSTER} in {estate.vpcs[SPOKE]}, without a way out of its own",
        HUB: f"the interface endpoints for ECR in {estate.vpcs[HUB]}, to which private hosted zones lead",
        EGRESS: f"AWS Network Firewall and a NAT gateway in {estate.vpcs[EGRESS]}",
        GATEWAY: f"the transit gateway {estate.gateway}, which joins the three VPCs",
    }
    for account, words in rows.items():
        sheet.row(NAMES[account].capitalize(), f"account {account}: {words}")
    sheet.row("Reads", f"with credentials of the spoke, and in the other accounts with the role {MEMBER_ROLE}")


def _show_answer(sheet: Sheet, answer: Answer) -> None:
    """Show a question, and the first lines of its answer: those that say what is broken and what to do."""
    sheet.command(answer.line)
    for line in answer.text.splitlines()[:_HEAD]:
        if line:
            sheet.whole(line)


def _show_hops(sheet: Sheet, answer: Answer, stage: str) -> None:
    """Show each hop behind the name of its account, where that changes, and the proof of those that break the way.

    Of one thing that is examined twice, and works, one line tells.
    """
    last_name = last_line = ""
    for hop in answer.hops(stage):
        account = hop["account"] or answer.account
        name = NAMES.get(account, account)
        words, style = _VERDICTS[hop["verdict"]]
        where = f" in {hop['vpc']}" if hop["vpc"] else ""
        line = f"{hop['kind']} {hop['resource']}{where}: "
        if (name, line) == (last_name, last_line) and hop["verdict"] == "ok":
            continue
        sheet.row("" if name == last_name else name, Text.assemble(line, (words, style)))
        for proof in hop["proof"] if hop["verdict"] != "ok" else ():
            sheet.row("", Text(f"  {proof}", "dim"))
        last_name, last_line = name, line
