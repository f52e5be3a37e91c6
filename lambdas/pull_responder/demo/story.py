"""One break from beginning to end: a pull that works, the break, one notification, repeats, the fix, the resolution."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from pull_responder.demo.cloudtrail_record import denied_pull, fixing_call
from pull_responder.demo.delivery import Inbox, recorded_reach, stored_findings
from pull_responder.demo.episode import Delivery, Episode, Repeats
from pull_responder.demo.function import deploy
from pull_responder.demo.image_pull import pull
from pull_responder.demo.shell import run
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pull_responder.demo.breaks import Break
    from pull_responder.demo.estate import DemoEstate
    from pull_responder.demo.function import Function

_RETRIES_A_NODE: Final = 5


class Story:
    """Plays breaks on an estate, one after the other. All calls are made for real. Its end stops the functions."""

    def __init__(self, estate: DemoEstate) -> None:
        self._estate = estate
        self._diagnose = deploy(estate, "diagnose")
        self._recheck = deploy(estate, "recheck")
        self._inbox = Inbox(estate)
        self._known: frozenset[str] = frozenset()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for function in (self._diagnose, self._recheck):
            function.stop()

    def play(self, broken: Break, progress: Callable[[str], None]) -> Episode:
        """Break, find, notify, fail again, fix and resolve. `progress` is called with what comes next.

        Raises ClientError for an error of the emulated AWS other than a refusal, and DidNotAnswerError when a function
        crashes.
        """
        estate, image = self._estate, broken.image
        node = estate.nodes[broken.node_group][0]
        self._known = frozenset(stored_findings(estate))
        progress("pulling before the break")
        before = pull(estate, node, image)
        progress("breaking it")
        breaking = run(estate.aws, render(broken.command), account=broken.account)
        # The token of the pull before lasts another 12 hours, so the first call is for the manifest.
        denied = pull(estate, node, image, has_token=True)
        event = denied_pull(node, image, denied, broken.policy_type, now=datetime.now(UTC))
        progress("the function `diagnose` diagnoses the denied pull")
        alert = self._invoke(self._diagnose, [event])
        progress("it fails again and again")
        repeats = self._repeat(broken, event, alert)
        progress("running the fix")
        remedies = [finding["remediation"] for finding in alert.findings]
        fixing = tuple(
            run(estate.aws, line, account=remedy["account"]) for remedy in remedies for line in remedy["commands"]
        )
        after = pull(estate, node, image)
        changes = tuple(fixing_call(command, now=datetime.now(UTC)) for command in fixing if not command.exit_status)
        progress("the function `recheck` checks whether the cause is gone")
        resolved = self._invoke(self._recheck, changes)
        return Episode(broken, node, before, breaking, denied, event, alert, repeats, fixing, after, changes, resolved)

    def _repeat(self, broken: Break, event: Mapping[str, Any], alert: Delivery) -> Repeats:
        """Let the other nodes of the group fail. Some records are delivered twice, also that of the first failure."""
        image, others = broken.image, self._estate.nodes[broken.node_group][1:]
        pulls = [(node, pull(self._estate, node, image, has_token=True)) for node in others]
        refused = [(node, denied) for node, denied in pulls if denied.refused_call]
        denials = [
            denied_pull(node, image, denied, broken.policy_type, now=datetime.now(UTC))
            for _ in range(_RETRIES_A_NODE)
            for node, denied in refused
        ]
        messages = [*denials, *denials[::5], event]
        delivery = self._invoke(self._diagnose, messages)
        reach = recorded_reach(self._estate, [each["Id"] for each in alert.stored])
        return Repeats(len(messages), len(denials), len(refused), delivery, reach)

    def _invoke(self, function: Function, events: Sequence[Mapping[str, Any]]) -> Delivery:
        invocation = function.invoke(events)
        stored = stored_findings(self._estate).items()
        return Delivery(invocation, self._inbox.take(), tuple(each for id_, each in stored if id_ not in self._known))
