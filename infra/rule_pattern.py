"""What an EventBridge rule matches, as plain data: the stack and the template of members are written from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# EventBridge user guide, "AWS service events delivered via AWS CloudTrail".
CALL: Final = "AWS API Call via CloudTrail"
# A rule in state ENABLED does not receive read-only management events, and ECR's calls of a pull are such events. On
# another bus than the default one a rule needs this state, too.
# EventBridge user guide, "Receiving read-only management events from AWS services"; API reference, PutRule.
ALL_MANAGEMENT_EVENTS: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@dataclass(frozen=True, slots=True)
class RulePattern:
    """What a rule matches.

    - `description`: of the rule, in AWS
    - `pattern`: the event pattern, in EventBridge's JSON
    - `reads`: whether the rule gets read-only management events
    """

    description: str
    pattern: Mapping[str, Any]
    reads: bool = False

    @property
    def state(self) -> str:
        """The state of the rule, as EventBridge names it."""
        return ALL_MANAGEMENT_EVENTS if self.reads else "ENABLED"


def succeeded(service: str, calls: Iterable[str]) -> Mapping[str, Any]:
    """Return the pattern of the detail of CloudTrail's records of these calls to a service, if they succeeded."""
    return {
        "eventSource": [f"{service}.amazonaws.com"],
        "eventName": list(calls),
        "errorCode": [{"exists": False}],
    }
