"""What happened around one break, and what went wrong with it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.findings.notice import Edge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pull_responder.demo.breaks import Break
    from pull_responder.demo.delivery import Mail
    from pull_responder.demo.estate import Node
    from pull_responder.demo.function import Invocation
    from pull_responder.demo.image_pull import ImagePull
    from pull_responder.demo.shell import CommandResult
    from pull_responder.findings.reach import Reach

RESOLVED: Final = {"Compliance": "PASSED", "RecordState": "ARCHIVED", "Workflow": "RESOLVED"}
"""How Security Hub shows a finding that is over."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The result of one invocation: the mail that it sent, and the break's findings in Security Hub afterwards."""

    invocation: Invocation
    mails: tuple[Mail, ...]
    stored: tuple[Mapping[str, Any], ...]

    @property
    def findings(self) -> tuple[Mapping[str, Any], ...]:
        """The findings in the notifications' JSON documents."""
        return tuple(finding for mail in self.mails for finding in mail.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the object to print for it."""
        return {
            "answer": self.invocation.answer,
            "notifications": [asdict(mail) for mail in self.mails],
            "security_hub": self.stored,
        }

    def left_in_queue(self) -> Iterator[str]:
        """Yield a line if the function could not handle every event that it got."""
        if self.invocation.has_failures:
            last = self.invocation.log.strip().splitlines()[-1:]
            yield f"the function left events in its queue: {''.join(last) or self.invocation.answer}"


@dataclass(frozen=True, slots=True)
class Repeats:
    """The same failure on other nodes.

    - `messages` is the number of messages in the queue.
    - `denials` is the number of distinct denials among them, by as many `nodes`.
    - `reach` is what the table records then, the first failure included.
    """

    messages: int
    denials: int
    nodes: int
    delivery: Delivery
    reach: Reach


@dataclass(frozen=True, slots=True)
class Episode:
    """Everything that happened around one break, in order.

    - `changes` are the events of the calls that the fix made.
    - `resolved` is what they led to.
    """

    broken: Break
    node: Node
    before: ImagePull
    breaking: CommandResult
    denied: ImagePull
    event: Mapping[str, Any]
    alert: Delivery
    repeats: Repeats
    fixing: tuple[CommandResult, ...]
    after: ImagePull
    changes: tuple[Mapping[str, Any], ...]
    resolved: Delivery

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, a line each. Empty when the break was found, notified once, fixed and resolved."""
        return (
            *self._problems_of_the_break(),
            *self._problems_of_the_alert(),
            *self._problems_of_the_repeats(),
            *self._problems_of_the_fix(),
            *self._problems_of_the_end(),
        )

    def _problems_of_the_break(self) -> Iterator[str]:
        if self.before.refused_call:
            yield f"the pull was refused before anything was broken: {self.before.refused_call.action}"
        if self.breaking.exit_status:
            yield f"the break could not be made: {self.breaking.output}"
        if not self.denied.refused_call:
            yield "the pull still worked after the break"

    def _problems_of_the_alert(self) -> Iterator[str]:
        yield from self.alert.left_in_queue()
        found = [(finding["cause"], finding["resource"]["id"]) for finding in self.alert.findings]
        if found != [(self.broken.cause, self.broken.resource_arn)]:
            expected = f"{self.broken.cause} on {self.broken.resource_arn}"
            yield f"the alert should name {expected}, but names {found or 'nothing'}"
        if any(edge != Edge.NEW for edge, _ in self._edges(self.alert)):
            yield f"the alert was not sent as a new finding: {self._edges(self.alert)}"
        if (stored := self._ids(self.alert)) != self._finding_ids:
            yield f"Security Hub stores other findings: {stored or 'none'}"

    def _problems_of_the_repeats(self) -> Iterator[str]:
        yield from self.repeats.delivery.left_in_queue()
        if again := self.repeats.delivery.mails:
            yield f"the repeats were not silent: {', '.join(mail.subject for mail in again)}"
        if (stored := self._ids(self.repeats.delivery)) != self._finding_ids:
            yield f"after the repeats Security Hub stores other findings: {stored or 'none'}"
        seen = (self.repeats.reach.events, self.repeats.reach.node_count)
        if seen != (expected := (1 + self.repeats.denials, 1 + self.repeats.nodes)):
            yield f"the table counts {seen[0]} failures on {seen[1]} nodes, not {expected[0]} on {expected[1]}"

    def _problems_of_the_fix(self) -> Iterator[str]:
        for command in self.fixing:
            if command.exit_status:
                yield f"the fix `{command.line}` ended with exit status {command.exit_status}: {command.output}"
            if not any(command.line in mail.body for mail in self.alert.mails):
                yield f"the mail does not have the command `{command.line}`"
        if self.after.refused_call:
            yield f"the pull is still refused after the fix: {self.after.refused_call.action}"

    def _problems_of_the_end(self) -> Iterator[str]:
        yield from self.resolved.left_in_queue()
        if (edges := self._edges(self.resolved)) != [(Edge.RESOLVED, each) for each in self._finding_ids]:
            yield f"the resolution was not notified exactly once: {edges or 'not at all'}"
        for mail in self.resolved.mails:
            if (events := mail.document.get("reach", {}).get("events")) != self.repeats.reach.events:
                yield f"the resolution names {events} failures, but the table counts {self.repeats.reach.events}"
        if (states := [workflow_of(each) for each in self.resolved.stored]) != [RESOLVED for _ in self._finding_ids]:
            yield f"Security Hub does not show it as resolved: {states or 'not at all'}"

    @property
    def _finding_ids(self) -> list[str]:
        return [finding["id"] for finding in self.alert.findings]

    @staticmethod
    def _ids(delivery: Delivery) -> list[str]:
        return [each["Id"] for each in delivery.stored]

    @staticmethod
    def _edges(delivery: Delivery) -> list[tuple[str, str]]:
        return [mail.about for mail in delivery.mails]

    def as_json(self) -> dict[str, Any]:
        """Return the object to print for it."""
        return {
            "title": self.broken.title,
            "image": self.broken.image.uri,
            "node": self.node.instance_id,
            "role_arn": self.node.role_arn,
            "pull_before": asdict(self.before),
            "break": asdict(self.breaking),
            "pull_broken": asdict(self.denied),
            "event": self.event,
            **self.alert.as_json(),
            "findings": self.alert.findings,
            "repeats": {
                "messages": self.repeats.messages,
                "denials": self.repeats.denials,
                "nodes": self.repeats.nodes,
                **self.repeats.delivery.as_json(),
                "reach": asdict(self.repeats.reach),
            },
            "fix": [asdict(command) for command in self.fixing],
            "pull_after": asdict(self.after),
            "changes": self.changes,
            "resolved": self.resolved.as_json(),
            "problems": self.problems,
        }


def workflow_of(stored: Mapping[str, Any]) -> dict[str, str]:
    """Return the statuses by which Security Hub shows whether a finding is resolved."""
    return {
        "Compliance": stored["Compliance"]["Status"],
        "RecordState": stored["RecordState"],
        "Workflow": stored["Workflow"]["Status"],
    }
