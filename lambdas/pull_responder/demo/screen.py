"""The demo as text in a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from pull_responder.demo.episode import workflow_of
from pull_responder.demo.estate import CLUSTER, MAIL_ADDRESS, PLATFORM_IMAGE, SHOP_IMAGE, TABLE
from pull_responder.demo.sheet import BAD, GOOD, Sheet
from pull_responder.emulator.emulated_aws import ACCOUNT
from pull_responder.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.demo.delivery import Mail
    from pull_responder.demo.episode import Episode, Repeats
    from pull_responder.demo.estate import DemoEstate
    from pull_responder.demo.function import Invocation
    from pull_responder.demo.image_pull import ImagePull

_ALL_WELL: Final = "Every break was found, notified once, fixed and resolved. Nothing is left running."
# Fields of a Security Hub finding that the e-mail shows as well.
_IN_THE_MAIL: Final = ("Description", "FindingProviderFields", "ProductFields", "Remediation")


class Screen:
    """Shows the demo on standard output, each break as numbered steps."""

    def __init__(self) -> None:
        self._sheet = Sheet()

    def show_estate(self, estate: DemoEstate) -> None:
        """Show what was built."""
        self._sheet.rule("Pull Responder: the demo", characters="=")
        self._sheet.paragraph(
            "An emulated AWS that enforces IAM runs on this machine, with this estate in it. Every pull works. Three "
            "changes break it, one after the other. Each is found, notified once, fixed and resolved."
        )
        self._sheet.row("Cluster", f"{CLUSTER}, in account {ACCOUNT}")
        for group, nodes in estate.nodes.items():
            self._sheet.row("Node group", f"{group}: {len(nodes)} nodes, role {nodes[0].role_arn}")
        self._sheet.row("Images", SHOP_IMAGE.uri)
        self._sheet.row("", f"{PLATFORM_IMAGE.uri}, in another account")
        self._sheet.row("Responder", "the functions diagnose and recheck, with the permissions they are deployed with")
        self._sheet.row("It remembers", f"in the DynamoDB table {TABLE}")
        self._sheet.row("It notifies", f"{estate.topic_arn}, with the subscriber {MAIL_ADDRESS}")
        self._sheet.row("", f"the Security Hub of account {ACCOUNT}")

    def show_episode(self, episode: Episode, name: str) -> None:
        """Show one break, from the change that caused it to the pull that works again."""
        self._sheet.rule(f"{name}: {episode.broken.title}")
        self._sheet.paragraph(episode.broken.story)
        self._sheet.heading("Before: the node pulls")
        self._sheet.row("Image", episode.broken.image.uri)
        self._sheet.row("Node", f"{episode.node.instance_id}, with the role {episode.node.role_arn}")
        self._pull(episode.before)
        self._sheet.heading("The break")
        self._sheet.command_result(episode.breaking)
        self._sheet.heading("The node pulls again, with the registry token it has (good for 12 hours)")
        self._pull(episode.denied)
        self._sheet.heading("The event: CloudTrail's record of the denial, as EventBridge delivers it")
        self._sheet.note(
            "The emulated AWS keeps no trail: the demo writes the record of this refusal, in the words AWS has for it."
        )
        self._sheet.json(episode.event, "Event")
        self._sheet.heading("The function `diagnose` gets the event from its queue")
        self._answer(episode.alert.invocation)
        self._sheet.heading("The alert: the e-mail that the topic sends to its subscriber")
        self._mails(episode.alert.mails)
        self._sheet.heading("The finding, as Security Hub stores it")
        for stored in episode.alert.stored:
            self._stored_finding(stored)
        self._sheet.heading("The other nodes of the group fail as well, again and again: silence")
        self._repeats(episode.repeats)
        self._sheet.heading("The fix of the e-mail, run as it is printed")
        for command in episode.fixing:
            self._sheet.command_result(command)
        self._sheet.heading("The node pulls, with a new token")
        self._pull(episode.after)
        self._sheet.heading("The function `recheck` gets CloudTrail's record of the fix, and looks again")
        for change in episode.changes:
            name = change["detail"]["eventName"]
            self._sheet.row("Event", f"{change['source']} {name} in account {change['account']}")
        self._answer(episode.resolved.invocation)
        for stored in episode.resolved.stored:
            self._sheet.row("Security Hub", ", ".join(f"{name} {value}" for name, value in workflow_of(stored).items()))
        self._sheet.heading("Resolved: the e-mail to those who got the alert")
        self._sheet.note(
            f"By default it is sent {Settings().hold_down_minutes} minutes later, if the cause is still gone then. "
            "For the demo HOLD_DOWN_MINUTES is 0."
        )
        self._mails(episode.resolved.mails)
        self._outcome(episode)

    def show_summary(self, episodes: Sequence[Episode]) -> None:
        """Show all breaks in one table."""
        self._sheet.rule("Summary", characters="=")
        table = Table("", "Break", "Failed", "Delivery", "After the fix", box=None, padding=(0, 2, 0, 0))
        for number, episode in enumerate(episodes, 1):
            causes = [f"cause: {finding['cause']}" for finding in episode.alert.findings] or ["no cause found"]
            reach = episode.repeats.reach
            failed = f"{reach.events} times\n{reach.node_count} nodes"
            edges = [
                mail.about[0]
                for mail in (*episode.alert.mails, *episode.repeats.delivery.mails, *episode.resolved.mails)
            ]
            pulled = Text("not pulled", BAD) if episode.after.refused_call else Text("pulled", GOOD)
            table.add_row(str(number), "\n".join([episode.broken.title, *causes]), failed, "\n".join(edges), pulled)
        self._sheet.console.print(table)
        self._sheet.console.print()
        if wrong := sum(1 for episode in episodes if episode.problems):
            self._sheet.console.print(Text(f"{wrong} of {len(episodes)} breaks failed: see above.", BAD))
        else:
            self._sheet.console.print(Text(_ALL_WELL, GOOD))

    def _pull(self, pull: ImagePull) -> None:
        for call in pull.calls:
            if call.refusal:
                self._sheet.row("Denied", Text(f"ecr:{call.action}: {call.refusal}", BAD))
            else:
                self._sheet.row("Allowed", f"ecr:{call.action}")
        self._sheet.row("Result", Text("not pulled", BAD) if pull.refused_call else Text("pulled", GOOD))

    def _answer(self, invocation: Invocation) -> None:
        self._sheet.row("Handler", invocation.handler)
        self._sheet.row("Answer", json.dumps(invocation.answer))

    def _repeats(self, repeats: Repeats) -> None:
        reach, delivery = repeats.reach, repeats.delivery
        again = repeats.messages - repeats.denials
        self._sheet.note("Each is refused for real, once; the demo writes the records of its further tries.")
        self._sheet.row(
            "Events", f"{repeats.denials} denials of {repeats.nodes} other nodes, and {again} that are delivered again"
        )
        self._answer(delivery.invocation)
        self._sheet.row(
            "E-mail", Text(", ".join(mail.subject for mail in delivery.mails), BAD) if delivery.mails else "none"
        )
        self._sheet.row("Security Hub", f"findings of this break: {len(delivery.stored)}")
        self._sheet.row(
            "The table",
            f"{reach.events} failures on {reach.node_count} nodes, {reach.first_seen_at} to {reach.last_seen_at}",
        )

    def _mails(self, mails: Sequence[Mail]) -> None:
        for mail in mails:
            self._mail(mail)
        if not mails:
            self._sheet.row("Wrong", Text("nothing came", BAD))

    def _mail(self, mail: Mail) -> None:
        head = f"From:    {mail.sender}\nTo:      {MAIL_ADDRESS}\nSubject: "
        self._sheet.panel(
            self._sheet.hang(Text.assemble(head, (mail.subject, "bold"), "\n\n", mail.body), by=2), "E-mail"
        )

    def _stored_finding(self, stored: Mapping[str, Any]) -> None:
        fields = {name: value for name, value in stored.items() if name not in _IN_THE_MAIL}
        fields["Resources"] = [{"Type": each["Type"], "Id": each["Id"]} for each in stored["Resources"]]
        self._sheet.json(fields, "Security Hub finding")
        self._sheet.note(
            f"Left out: details of the resources, and {', '.join(_IN_THE_MAIL)}, which say what the e-mail says. "
            "`pull-responder demo --format json` prints all."
        )

    def _outcome(self, episode: Episode) -> None:
        self._sheet.console.print()
        if not episode.problems:
            self._sheet.verdict("Found, notified once, fixed and resolved.", good=True)
        for problem in episode.problems:
            self._sheet.row("Wrong", Text(problem, BAD))
