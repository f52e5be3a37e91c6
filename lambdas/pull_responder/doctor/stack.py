"""Whether CloudFormation ended the last deployment of the stack.

Source: CloudFormation User Guide, "Stack status codes".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.doctor.deployment import PERMISSIONS
from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, unread, works
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

_ID: Final = "stack"
_WHOLE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_AS_BEFORE: Final = ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")


def _examine(deployment: Deployment, _: Reader) -> list[Result]:
    results = [_status(deployment)]
    if deployment.template:
        meaning = "What was deployed is not known, so that what is there cannot be compared with it"
        results.append(unread(_ID, f"template of stack {deployment.stack}", deployment.template, meaning))
    return results


def _status(deployment: Deployment) -> Result:
    subject, status = f"stack {deployment.stack}", deployment.status
    if status in _WHOLE:
        return works(_ID, subject, status)
    if status.endswith("_IN_PROGRESS"):
        meaning = "What else is said here may change until the deployment ends"
        return unread(_ID, subject, Unread(f"its status is {status}"), meaning)
    if status in _AS_BEFORE:
        return works(_ID, subject, f"{status}: the last deployment failed, and the stack is as it was before")
    found = f"its status is {status}"
    if status == "UPDATE_ROLLBACK_FAILED":
        command = aws(
            "cloudformation", "continue-update-rollback", stack_name=deployment.stack, region=deployment.region
        )
        meaning = "Parts of the stack are of one version and parts of another, and nothing can be deployed"
        return broken(_ID, subject, found, meaning, commands=(command,))
    step = "Look at the events of the stack, and deploy again"
    return broken(_ID, subject, found, "Parts of the stack are missing", step=step)


CHECK: Final = Examination(_ID, "the stack's status, resources and template", PERMISSIONS, _examine)
