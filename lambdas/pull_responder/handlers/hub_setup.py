"""The function `hub_setup`: sets up Security Hub when CloudFormation deploys, changes or deletes the stack.

Source of requests and answers: CloudFormation User Guide, "Custom resource reference".
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger

from pull_responder.facts.aws import Aws
from pull_responder.handlers.garbage import freeze_imports
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.publish.hub_setup import OWN_ACTION, OWN_NAME, HubSetup, Insight, Setup
from pull_responder.publish.text import one_line
from pull_responder.settings import MEMBER_ROLE

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

SERVICE = "pull-responder"

READY: Final = "ready"
INSIGHT: Final = "Custom::PullResponderInsight"
ACTION: Final = "Custom::PullResponderAction"
_WHAT_TO_DO: Final = '. What to do: docs/security-hub.md, "Set up again"'
# The whole answer has at most 4,096 bytes, of which ids take up to 1,500. A character has up to four.
_OUTCOME: Final = 600
# What stands for something that is not there; CloudFormation wants an id at once.
_NOTHING: Final = "not-set-up/"
# Seconds. The answer goes to S3, and the last call has left more than this.
_ANSWER_SECONDS: Final = 10.0

_wait = time.sleep

logger = Logger(service=SERVICE)
freeze_imports()


class AnswerError(Exception):
    """CloudFormation could not be answered. Lambda runs the function again, which changes nothing that is set up."""


@logger.inject_lambda_context(log_event=False)
def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Set up what a custom resource stands for, and answer CloudFormation once.

    The answer is always SUCCESS: Pull Responder works without Security Hub, so neither a deployment nor a deletion may
    fail for it. The resource's attribute `Outcome` is "ready", or says why not. Raises AnswerError where the answer
    does not arrive. The request's ResponseURL is a credential, and is never logged.
    """
    url = str(event.get("ResponseURL", ""))
    if urllib.parse.urlsplit(url).scheme not in ("https", "http"):
        raise AnswerError("the event is no request of CloudFormation: it has no ResponseURL")
    try:
        setup = _serve(event, context)
    except Exception as error:
        logger.exception("an error in Pull Responder itself")
        setup = Setup(_known(event), f"an error in Pull Responder itself: {type(error).__name__}")
    outcome = _outcome(setup, event)
    tell = logger.warning if setup.problem else logger.info
    tell("set up", request=event.get("RequestType"), resource=event.get("LogicalResourceId"), outcome=outcome)
    _answer(
        url,
        {
            "Status": "SUCCESS",
            "PhysicalResourceId": _physical_id(setup, event),
            **{name: event.get(name) for name in ("StackId", "RequestId", "LogicalResourceId")},
            "Data": {"Outcome": outcome},
        },
    )


def _serve(event: Mapping[str, Any], context: LambdaContext) -> Setup:
    function = Arn.parse(context.invoked_function_arn)
    serve = {INSIGHT: _serve_insight, ACTION: _serve_action}.get(str(event.get("ResourceType")))
    if function is None or serve is None:
        return Setup(_known(event), "the function's own ARN cannot be read, or it knows no such resource")
    aws = Aws.connect(member_role=MEMBER_ROLE, identity=function)
    client = aws.client("securityhub", account=None, region=function.region)
    if isinstance(client, Unread):
        return Setup(_known(event), client.reason)
    hub = HubSetup(client, remaining=lambda: context.get_remaining_time_in_millis() / 1000, wait=_wait)
    return serve(hub, event, function)


def _serve_insight(hub: HubSetup, event: Mapping[str, Any], _function: Arn) -> Setup:
    known = _known(event)
    if event.get("RequestType") == "Delete":
        return hub.delete_insight(known) if known else Setup()
    insight = _insight(_fields(event, "ResourceProperties"))
    # Whoever may invoke functions, but not use Security Hub, gets no insight of his own.
    if not (insight.name.startswith(OWN_NAME) and insight.is_ours):
        return Setup(known, "the insight is none of Pull Responder's")
    before = _fields(event, "OldResourceProperties")
    return hub.put_insight(insight, arn=known, before=_insight(before) if before else None)


def _serve_action(hub: HubSetup, event: Mapping[str, Any], function: Arn) -> Setup:
    known, wanted = _known(event), _fields(event, "ResourceProperties")
    if event.get("RequestType") == "Delete":
        return hub.delete_action(known) if known else Setup()
    action = str(wanted["Id"])
    if not action.startswith(OWN_ACTION):
        return Setup(known, "the action is none of Pull Responder's")
    arn = f"arn:{function.partition}:securityhub:{function.region}:{function.account}:action/custom/{action}"
    return hub.put_action(action, name=wanted["Name"], description=wanted["Description"], arn=arn)


def _insight(properties: Mapping[str, Any]) -> Insight:
    return Insight(properties["Name"], properties["GroupByAttribute"], properties["Filters"])


def _fields(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = event.get(name)
    return found if isinstance(found, Mapping) else {}


def _known(event: Mapping[str, Any]) -> str:
    """Return the ARN that CloudFormation has of the resource; "": nothing was set up."""
    known = str(event.get("PhysicalResourceId", ""))
    return known if known.startswith("arn:") else ""


def _physical_id(setup: Setup, event: Mapping[str, Any]) -> str:
    """Return the ARN of what there is. A deletion keeps the id; CloudFormation deletes what an id stood for before."""
    if event.get("RequestType") == "Delete":
        return str(event.get("PhysicalResourceId", ""))
    return setup.arn or f"{_NOTHING}{event.get('LogicalResourceId', '')}"


def _outcome(setup: Setup, event: Mapping[str, Any]) -> str:
    """Return "ready", or why not. With the property `Others`, the text is about the resources of those outcomes too."""
    others = _fields(event, "ResourceProperties").get("Others")
    own = setup.problem or READY
    if not isinstance(others, Sequence):
        return one_line(own, _OUTCOME)
    problems = dict.fromkeys(each for each in (*others, own) if isinstance(each, str) and each != READY)
    return one_line(" | ".join(problems), _OUTCOME - len(_WHAT_TO_DO)) + _WHAT_TO_DO if problems else READY


def _answer(url: str, body: Mapping[str, object]) -> None:
    # S3 has signed a request without a content type.
    data = json.dumps(body, ensure_ascii=False).encode()
    request = urllib.request.Request(url, data, {"Content-Type": ""}, method="PUT")  # noqa: S310 -- scheme checked
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):  # noqa: S310 -- as above
            return
    except (OSError, http.client.HTTPException, ValueError) as error:
        failure = f"{type(error).__name__} {getattr(error, 'code', '')}".strip()
    # Outside the handler of the error, which may quote the address.
    raise AnswerError(f"CloudFormation could not be answered: {failure}")
