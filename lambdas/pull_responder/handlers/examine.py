"""The function `examine`: looks once a day whether this deployment works, and says so if it does not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger, Metrics

from pull_responder.findings.store import StoreError
from pull_responder.handlers.connection import connect, run_of
from pull_responder.handlers.garbage import freeze_imports
from pull_responder.model.arn import Arn
from pull_responder.responder.examination import Deployed, Examiner
from pull_responder.settings import SettingError, read_settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "pull-responder"

# The outputs of the stack that the doctor asks for, by the environment variable that has the same.
_OUTPUTS: Final = {
    "DiagnoseFunctionName": "DIAGNOSE_FUNCTION_NAME",
    "QueueUrl": "QUEUE_URL",
    "TableName": "TABLE_NAME",
    "TopicArn": "TOPIC_ARN",
}

logger = Logger(service=SERVICE)
metrics = Metrics(namespace="PullResponder", service=SERVICE)
freeze_imports()


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 -- whatever woke it
    """Examine the deployment, if it is time. The answer says what was found, for whoever invokes it by hand.

    Raises StoreError if the findings table fails: then the finding may not be recorded.
    """
    settings = read_settings(os.environ)
    own, stack = Arn.parse(context.invoked_function_arn), os.environ.get("STACK_NAME")
    if own is None or not stack:
        raise SettingError("STACK_NAME is not set, or the function's own ARN cannot be read")
    run = run_of(settings, connect(settings, context.invoked_function_arn), context, logger=logger, metrics=metrics)
    outputs = {name: value for name, key in _OUTPUTS.items() if (value := os.environ.get(key))}
    deployed = Deployed(stack=stack, own=own, outputs=outputs)
    try:
        report = Examiner(run, deployed, sends_canaries=os.environ.get("CANARY_ENABLED", "true") == "true").examine()
    except StoreError:
        run.count("TableFailures")
        raise
    finally:
        run.count_calls()
    return {
        "blind": report.is_blind,
        "results": [
            {"check": each.check, "subject": each.subject, "state": each.state, "found": each.found}
            for each in report.results
        ],
    }
