"""One break from beginning to end: it works, it breaks, it is found and told, it is fixed, it works."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pull_responder.cli.demo import cloudtrail_record
from pull_responder.cli.demo.delivery import Mail, stored_findings, take_mail
from pull_responder.cli.demo.image_pull import ImagePull, pull
from pull_responder.cli.demo.shell import Ran, run
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pull_responder.cli.demo.breaks import Break
    from pull_responder.cli.demo.estate import Estate, Node
    from pull_responder.cli.demo.function import Function, Invocation


@dataclass(frozen=True, slots=True)
class Episode:
    """All that happened around one break, in the order in which it did.

    `findings` are the objects of `pull-responder diagnose --format json`, `stored` those of Security Hub.
    """

    broken: Break
    node: Node
    before: ImagePull
    breaking: Ran
    denied: ImagePull
    event: Mapping[str, Any]
    invocation: Invocation
    findings: tuple[Mapping[str, Any], ...]
    mails: tuple[Mail, ...]
    stored: tuple[Mapping[str, Any], ...]
    fixing: tuple[Ran, ...]
    after: ImagePull

    @property
    def problems(self) -> tuple[str, ...]:
        """What did not go as it should, a line each; empty when the break was found, told and fixed."""
        return (*self._problems_of_the_break(), *self._problems_of_the_answer(), *self._problems_of_the_fix())

    def _problems_of_the_break(self) -> Iterator[str]:
        if self.before.refused:
            yield f"the pull was refused before anything was broken: {self.before.refused.action}"
        if self.breaking.exit_status:
            yield f"the break could not be made: {self.breaking.output}"
        if not self.denied.refused:
            yield "the pull still worked after the break"

    def _problems_of_the_answer(self) -> Iterator[str]:
        if self.invocation.failed:
            last = self.invocation.log.strip().splitlines()[-1:]
            yield f"the function left the event in its queue: {''.join(last) or self.invocation.answer}"
        found = [(finding["cause"], finding["resource"]["id"]) for finding in self.findings]
        if found != [(self.broken.cause, self.broken.resource_arn)]:
            yield f"expected {self.broken.cause} on {self.broken.resource_arn}, and found {found or 'nothing'}"
        stored = [each["Id"] for each in self.stored]
        if stored != [finding["id"] for finding in self.findings]:
            yield f"Security Hub stores other findings: {stored or 'none'}"
        if len(self.mails) != 1:
            yield f"{len(self.mails)} messages came from the topic, not 1"

    def _problems_of_the_fix(self) -> Iterator[str]:
        for command in self.fixing:
            if command.exit_status:
                yield f"the fix `{command.line}` ended with exit status {command.exit_status}: {command.output}"
            if not any(command.line in mail.body for mail in self.mails):
                yield f"the message does not have the command `{command.line}`"
        if self.after.refused:
            yield f"the pull is still refused after the fix: {self.after.refused.action}"

    def as_json(self) -> dict[str, Any]:
        """Return the object that is printed for it."""
        return {
            "title": self.broken.title,
            "image": self.broken.image.uri,
            "node": self.node.instance_id,
            "role_arn": self.node.role_arn,
            "pull_before": asdict(self.before),
            "break": asdict(self.breaking),
            "pull_broken": asdict(self.denied),
            "event": self.event,
            "answer": self.invocation.answer,
            "findings": self.findings,
            "notifications": [asdict(mail) for mail in self.mails],
            "security_hub": self.stored,
            "fix": [asdict(command) for command in self.fixing],
            "pull_after": asdict(self.after),
            "problems": self.problems,
        }


def play(broken: Break, estate: Estate, function: Function, progress: Callable[[str], None]) -> Episode:
    """Break, find, tell and fix, each for real; `progress` is told what comes next.

    Raises ClientError for an error of the emulated AWS that is no refusal, DidNotAnswerError when the function crashes.
    """
    node = estate.nodes[broken.node_group]
    progress("pulling, while it still works")
    before = pull(estate, node, broken.image)
    known = stored_findings(estate)
    progress("breaking it")
    breaking = run(estate.aws, render(broken.command), account=broken.account)
    # The token of the pull before is good for another 12 hours, so the first call is for the manifest.
    denied = pull(estate, node, broken.image, has_token=True)
    event = cloudtrail_record.denied_pull(node, broken.image, denied, broken.policy_type, now=datetime.now(UTC))
    progress("the function is diagnosing the denied pull")
    invocation = function.invoke(event)
    mails = take_mail(estate, expected=1)
    stored = tuple(each for id_, each in stored_findings(estate).items() if id_ not in known)
    findings = tuple(function.diagnose(event)["findings"])
    progress("running the fix")
    fixing = tuple(
        run(estate.aws, line, account=finding["remediation"]["account"])
        for finding in findings
        for line in finding["remediation"]["commands"]
    )
    progress("pulling again")
    after = pull(estate, node, broken.image)
    return Episode(broken, node, before, breaking, denied, event, invocation, findings, mails, stored, fixing, after)
