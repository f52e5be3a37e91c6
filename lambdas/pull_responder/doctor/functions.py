"""Whether the functions can run, and take messages from their queues.

Source: Lambda API Reference, GetFunction (State, LastUpdateStatus, Concurrency) and GetEventSourceMapping (State,
LastProcessingResult); Developer Guide, "Lambda function states": an inactive function is active again after its next
invocation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, unread, works
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.doctor.resource import Resource
    from pull_responder.facts.reader import Reader

_ID: Final = "functions"
# GetFunction also says what is reserved. The answer of GetFunctionConcurrency is empty where nothing is, as an answer
# that is cut off would be.
_PERMISSIONS: Final = ("lambda:GetEventSourceMapping", "lambda:GetFunction")
_MISSING: Final = frozenset({"ResourceNotFoundException"})
_AGAIN: Final = "Remove the stack and deploy it again: a deployment does not bring back what was deleted beside it"
_ENABLED: Final = ("Enabled",)
_CHANGING: Final = ("Creating", "Enabling", "Updating")


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    functions = reader.each(
        lambda each: _function(deployment, reader, each), deployment.of_kind("AWS::Lambda::Function")
    )
    kind = "AWS::Lambda::EventSourceMapping"
    return [*functions, *reader.each(lambda each: _mapping(deployment, reader, each), deployment.of_kind(kind))]


def _function(deployment: Deployment, reader: Reader, function: Resource) -> Result:
    name, region = function.physical_id, deployment.region
    subject = f"function {name}"
    meaning = f"This does not happen: {function.properties.get('Description', name)}"

    def request(client: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- boto3's generated client
        answer = client.get_function(FunctionName=name)
        reserved = answer.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        return {**answer["Configuration"], "reserved": reserved}

    read = reader.call(_PERMISSIONS[1], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        return unread(_ID, subject, read, "Whether the function can run is not known")
    if read is None:
        return broken(_ID, subject, "it does not exist", meaning, step=_AGAIN, blinds=_diagnoses(deployment, name))
    if read["reserved"] == 0:
        command = _reserve(name, function.properties.get("ReservedConcurrentExecutions"), region)
        found = "its reserved concurrency is 0: Lambda never runs it"
        return broken(_ID, subject, found, meaning, commands=(command,), blinds=_diagnoses(deployment, name))
    return _state(subject, read, meaning, blinds=_diagnoses(deployment, name))


def _diagnoses(deployment: Deployment, function: str) -> bool:
    """Return whether the function of this name or ARN is the one that takes failed pulls from their queue."""
    return function.rpartition(":")[2] == deployment.outputs.get("DiagnoseFunctionName")


def _reserve(name: str, deployed: object, region: str) -> tuple[str, ...]:
    """Return the command that reserves what the stack has deployed (`reservedConcurrency`), or nothing."""
    if deployed is None:
        return aws("lambda", "delete-function-concurrency", function_name=name, region=region)
    return aws(
        "lambda",
        "put-function-concurrency",
        function_name=name,
        reserved_concurrent_executions=str(deployed),
        region=region,
    )


def _state(subject: str, read: Mapping[str, Any], meaning: str, *, blinds: bool) -> Result:
    """Return what the states of a function say of it."""
    state = read.get("State")
    if state == "Failed":
        found, step = f"its state is Failed: {read.get('StateReason', 'no reason given')}", _AGAIN
    elif read.get("LastUpdateStatus") == "Failed":
        found = f"its last update failed: {read.get('LastUpdateStatusReason', 'no reason given')}"
        meaning, step, blinds = "The function runs as it was before that update", "Deploy again", False
    elif state in ("Active", "Inactive"):
        return works(_ID, subject, f"state {state}")
    else:
        return unread(_ID, subject, Unread(f"its state is {state}"), "Whether the function can run is not known yet")
    return broken(_ID, subject, found, meaning, step=step, blinds=blinds)


def _mapping(deployment: Deployment, reader: Reader, mapping: Resource) -> Result:
    identifier, region = mapping.physical_id, deployment.region
    function = deployment.value(mapping.properties.get("FunctionName")) or "its function"
    # Its key in the table is its subject. A template that cannot be read must not change that.
    subject = f"event source mapping {identifier}"

    def request(client: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- boto3's generated client
        answer: Mapping[str, Any] = client.get_event_source_mapping(UUID=identifier)
        return {"State": answer["State"], "LastProcessingResult": answer.get("LastProcessingResult", "")}

    read = reader.call(_PERMISSIONS[0], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        return unread(_ID, subject, read, f"Whether {function} takes messages from its queue is not known")
    meaning = f"The messages of its queue are not handled by {function}: nothing in them is diagnosed or rechecked"
    blinds = _diagnoses(deployment, str(function))
    if read is None:
        return broken(_ID, subject, "it does not exist", meaning, step=_AGAIN, blinds=blinds)
    state, last = read["State"], read["LastProcessingResult"]
    if state in _CHANGING:
        return unread(_ID, subject, Unread(f"its state is {state}"), "Whether messages are handled is not known yet")
    if state not in _ENABLED:
        command = aws("lambda", "update-event-source-mapping", "--enabled", uuid=identifier, region=region)
        return broken(_ID, subject, f"its state is {state}", meaning, commands=(command,), blinds=blinds)
    if last.startswith("PROBLEM"):
        step = "Look at what the result names: the function's log, or the permissions of its role on the queue"
        return broken(_ID, subject, f"Lambda says of the last messages: {last}", meaning, step=step)
    return works(_ID, subject, "Enabled")


CHECK: Final = Examination(
    _ID, "each function's state, concurrency and event source mapping", _PERMISSIONS, _examine, can_blind=True
)
