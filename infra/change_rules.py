"""The EventBridge rules on changes that can fix a fault, and the schedule of rechecks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs

from infra.change_patterns import CHANGES
from infra.queue_rules import QueueRules
from infra.settings import Settings

if TYPE_CHECKING:
    from constructs import Construct

# The id of the custom action of Security Hub: letters and digits, at most 20 (API Reference, CreateActionTarget).
LOOK_AGAIN: Final = "PullResponderLook"


class ChangeRules(QueueRules):
    """Every rule on a change, and the schedule of rechecks at `settings.recheck_rate`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, queue=queue, dead_letters=dead_letters)
        for name, rule in CHANGES.items():
            self.add(name, rule)
        if settings.security_hub:
            # Security Hub User Guide, "EventBridge event formats for Security Hub CSPM": the resource is the action.
            pattern = events.EventPattern(
                source=["aws.securityhub"],
                detail_type=["Security Hub Findings - Custom Action"],
                resources=events.Match.suffix(f":action/custom/{LOOK_AGAIN}"),
            )
            self.add_rule("LookAgain", "Somebody wants findings to be checked again", pattern)
        self.add_schedule("Clock", "Time to recheck the open findings that are due", settings.recheck_rate)
