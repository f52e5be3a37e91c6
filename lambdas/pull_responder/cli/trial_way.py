"""Send a test event to a deployment, wait for what comes of it, and say it station by station.

The event goes the way of a failure: event bus, rule, queue, function `diagnose`, table, topics, Security Hub. The
function writes into the table what each station did (responder/trial.py). What it has not written is not said to work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor import Result, State, unread
from pull_responder.doctor.result import broken, off, works
from pull_responder.doctor.subscribers import CHECK as SUBSCRIBERS
from pull_responder.events.trial import DETAIL_TYPE, SOURCE
from pull_responder.facts.reader import Reader
from pull_responder.findings.trial import (
    PACE,
    Outcome,
    Pace,
    Place,
    Record,
    Station,
    item_id,
    read_pace,
    read_record,
)
from pull_responder.model.unread import Unread
from pull_responder.publish.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pull_responder.doctor import Deployment
    from pull_responder.facts.aws import Aws
    from pull_responder.remediation.shell import Command

PERMISSIONS: Final = (
    "dynamodb:BatchGetItem",
    "events:PutEvents",
    "sqs:GetQueueAttributes",
    *SUBSCRIBERS.permissions,
)
"""The IAM actions of a test, beside those that find the stack."""

CHECK: Final = "test_event"

_RULE: Final = "-Rules-TestEvent"
_EVERY: Final = 1.0
_REASON: Final = 500
_MEANS: Final = {
    Place.TABLE: "Findings may be told twice or not at all",
    Place.TOPIC: "Nobody is told of findings by the topic of notifications",
    Place.FILTERED_TOPIC: "Nobody is told of findings by the topic for filters",
    Place.SECURITY_HUB: "Findings will not be seen in Security Hub, or not be resolved there",
}
_NAMES: Final = {
    Place.TABLE: "table of findings",
    Place.TOPIC: "topic of notifications",
    Place.FILTERED_TOPIC: "topic for filters",
    Place.SECURITY_HUB: "Security Hub",
}
_DID: Final = {
    Place.TABLE: "took the item and gave it back",
    Place.TOPIC: "took the message marked [TEST]",
    Place.FILTERED_TOPIC: "took the message marked [TEST]",
    Place.SECURITY_HUB: "took a finding marked TEST, archived",
}


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of a terminal: `now` returns seconds that only grow, `wait` sleeps for some."""

    now: Callable[[], float]
    wait: Callable[[float], None]


def try_way(deployment: Deployment, aws: Aws, trial_id: str, *, seconds: float, clock: Clock) -> list[Result]:
    """Send the test event `trial_id`, wait for its end for up to `seconds`, and return what was proved, in its order.

    Raises nothing that AWS causes.
    """
    way = _Way(deployment, aws, trial_id)
    if refused := way.refusal() or way.send():
        return [refused]
    began, record = clock.now(), None
    while True:
        found = way.read()
        record = found if isinstance(found, Record) else record
        left = began + seconds - clock.now()
        if left <= 0 or (record and record.is_done):
            break
        clock.wait(min(_EVERY, left))
    if record is None:
        return way.lost(found, seconds)
    return [*way.stations(record, clock.now() - began), *way.subscribers(record), way.left_behind(record)]


class _Way:
    """The way of one test event through a deployment."""

    def __init__(self, deployment: Deployment, aws: Aws, trial_id: str) -> None:
        self._deployment = deployment
        self._aws = aws
        self._id = trial_id
        self._table = deployment.outputs.get("TableName", "")
        self._rule = next(
            (each for each in deployment.of_kind("AWS::Events::Rule") if each.physical_id.endswith(_RULE)), None
        )
        self._before = Pace()
        # What DynamoDB's last answer says. A terminal's own clock may be wrong by minutes.
        self._aws_time: float | None = None

    def refusal(self) -> Result | None:
        """Return why no event is sent; None if nothing speaks against it."""
        if not self._table:
            why = Unread("the stack has no output TableName")
            return unread(CHECK, "table of findings", why, "Nothing was sent: the answer could not be read either")
        if self._rule is None:
            found = "this stack has none: it is of an older version. Nothing was sent"
            step = "Deploy the stack again, with this version"
            return broken(CHECK, "rule for test events", found, "Whether this deployment works is not shown", step=step)
        pace = self._pace()
        if isinstance(pace, Result):
            return pace
        self._before = pace
        if seconds := pace.wait(self._now()):
            found = "the functions answer one test a minute and ten an hour. Nothing was sent"
            step = f"Test again in {int(seconds) + 1} seconds"
            return broken(CHECK, "test", found, "Whether this deployment works is not shown", step=step)
        return None

    def send(self) -> Result | None:
        """Put the event on the bus. Return why that failed; None if it did not."""
        bus = self._deployment.value(self._rule.properties.get("EventBusName")) if self._rule else None
        entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps({"id": self._id})}
        if isinstance(bus, str) and bus:
            entry["EventBusName"] = bus

        def put(client: Any) -> str:  # noqa: ANN401 -- boto3's generated client
            answer = client.put_events(Entries=[entry])
            if not answer["FailedEntryCount"]:
                return ""
            failed = answer["Entries"][0]
            return f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage')}"

        answer = self._call("events:PutEvents", put)
        if isinstance(answer, Unread):
            return unread(
                CHECK, "event bus", answer, "Nothing was sent, and whether this deployment works is not shown"
            )
        if answer:
            found = f"events:PutEvents failed: {one_line(answer, _REASON)}"
            return broken(CHECK, "event bus", found, "Whether this deployment works is not shown")
        return None

    def read(self) -> Record | Unread | None:
        """Return what the function has written of the test so far; None if nothing."""
        item = self._item(item_id(self._id))
        if isinstance(item, Unread):
            return item
        if not item:
            return None
        return read_record(item) or Unread(f"this version cannot read the item {item_id(self._id)}")

    def lost(self, last: Record | Unread | None, seconds: float) -> list[Result]:
        """Return that nothing came of the event, and how far it may have come."""
        if isinstance(last, Unread):
            return [unread(CHECK, "table of findings", last, "Whether the event arrived is not shown")]
        pace = self._pace()
        new = set(pace.answers) - set(self._before.answers) if isinstance(pace, Pace) else set()
        if any(each.id == self._id for each in new):
            found = f"it took the event, and what came of it is not in the table after {seconds:.0f} seconds"
            meaning = "What lies behind the function was not tried, or is not recorded"
            step = "See what the function's log says"
            return [self._arrived(), broken(CHECK, self._function(), found, meaning, step=step, commands=self._log())]
        if any(each.id for each in new):
            found = "another test was answered meanwhile, and this one not: one a minute is, and ten an hour"
            return [broken(CHECK, "test", found, "Whether this deployment works is not shown", step="Test again later")]
        found = f"the event was sent, and nothing of it is in the table after {seconds:.0f} seconds{self._waiting()}"
        meaning = "Failures may not arrive either, or later than this"
        step = "See what the doctor and the function's log say"
        commands = (*self._doctor(), *self._log())
        return [broken(CHECK, "rule, queue and function", found, meaning, step=step, commands=commands)]

    def stations(self, record: Record, took: float) -> Iterator[Result]:
        """Yield what the function has written of each station."""
        yield self._arrived()
        function = self._function()
        if record.is_done:
            yield works(CHECK, function, f"answered {took:.0f} seconds after the event was sent")
        else:
            found = f"it took the event, and has not come to the end of the test within {took:.0f} seconds"
            meaning = "What is not named here was not reached, or not recorded"
            step = "See what the function's log says"
            yield broken(CHECK, function, found, meaning, step=step, commands=self._log())
        for each in record.stations:
            yield self._station(each)

    def subscribers(self, record: Record) -> list[Result]:
        """Return whom the topic tells."""
        if not any(each.place is Place.TOPIC and each.outcome is Outcome.WORKED for each in record.stations):
            return []
        found = list(SUBSCRIBERS.examine(self._deployment, self._reader()))
        confirmed = sum(each.state is State.WORKS for each in found)
        others = [each for each in found if each.state is not State.WORKS]
        text = f"{confirmed} confirmed. Whether each got the message is for them to say"
        told = [works(CHECK, "subscribers", text)] if confirmed else []
        return [*told, *others]

    def left_behind(self, record: Record) -> Result:
        """Return what is left of the test. It is not deleted: the item keeps the test from being answered again."""
        in_hub = any(each.place is Place.SECURITY_HUB and each.outcome is Outcome.WORKED for each in record.stations)
        finding = ", and the archived finding in Security Hub" if in_hub else ""
        items = f"the items {item_id(self._id)} and {PACE}, which expire within the hour"
        return works(CHECK, "left behind", f"{items}{finding}")

    def _arrived(self) -> Result:
        rule = self._rule.physical_id if self._rule else ""
        return works(CHECK, "rule and queue", f"{rule} brought the event to the function")

    def _function(self) -> str:
        return f"function {self._deployment.outputs.get('DiagnoseFunctionName', 'diagnose')}"

    def _station(self, station: Station) -> Result:
        name = _NAMES[station.place]
        if station.outcome is Outcome.WORKED:
            but = f": {one_line(station.reason, _REASON)}" if station.reason else ""
            return works(CHECK, name, f"{_DID[station.place]}{but}")
        if station.outcome is Outcome.OFF:
            return off(CHECK, name, "the settings leave it out", _MEANS[station.place], step="See docs/operations.md")
        if station.outcome is Outcome.NOT_TRIED:
            why = Unread(f"it was not tried: {one_line(station.reason, _REASON)}")
            return unread(CHECK, name, why, "Whether it works is not shown")
        found = f"{one_line(station.action, _REASON)} failed: {one_line(station.reason, _REASON)}"
        step = "See what the doctor says"
        return broken(CHECK, name, found, _MEANS[station.place], step=step, commands=self._doctor())

    def _waiting(self) -> str:
        """Return what the queue says; empty if it cannot be read."""
        url = self._deployment.outputs.get("QueueUrl")
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

        def read(client: Any) -> int:  # noqa: ANN401 -- boto3's generated client
            found = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return sum(int(found[each]) for each in names)

        number = self._call("sqs:GetQueueAttributes", read) if url else None
        if number is None or isinstance(number, Unread):
            return ""
        if number:
            return f"; its queue holds {number} messages: the function may be behind, or stand still"
        return (
            "; its queue is empty: the rule has not brought it, or the function left it out, as its log says,"
            " or could not write to the table"
        )

    def _pace(self) -> Pace | Result:
        item = self._item(PACE)
        if isinstance(item, Unread):
            meaning = "Nothing was sent: the answer could not be read either"
            return unread(CHECK, "table of findings", item, meaning)
        return read_pace(item)

    def _item(self, key: str) -> Mapping[str, Any] | Unread:
        wanted: dict[str, Any] = {"Keys": [{"id": {"S": key}}], "ConsistentRead": True}

        # Not GetItem: its answer about an item that is not there is empty, as a broken one is.
        def get(client: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- boto3's generated client
            answer = client.batch_get_item(RequestItems={self._table: wanted})
            self._aws_time = _date_of(answer)
            return next(iter(answer["Responses"].get(self._table, [])), {})

        answer: Mapping[str, Any] | Unread = self._call("dynamodb:BatchGetItem", get)
        return answer

    def _call(self, permission: str, request: Callable[[Any], Any]) -> Any:  # noqa: ANN401 -- as `Reader.call`
        place = self._deployment
        return self._reader().call(permission, account=place.account, region=place.region, request=request)

    def _reader(self) -> Reader:
        """Return a new reader: one keeps what hung, and here the same is asked again."""
        return Reader(self._aws)

    def _now(self) -> float:
        """Return the time by DynamoDB's last answer, to the second; by our own clock if it gave none."""
        return self._aws.now().timestamp() if self._aws_time is None else self._aws_time

    def _doctor(self) -> tuple[Command, ...]:
        place = self._deployment
        return (("pull-responder", "doctor", "--stack", place.stack, "--region", place.region),)

    def _log(self) -> tuple[Command, ...]:
        name, place = self._deployment.outputs.get("DiagnoseFunctionName"), self._deployment
        for each in place.of_kind("AWS::Lambda::Function"):
            if name and each.physical_id == name:
                group = place.value(each.properties.get("LoggingConfig", {}).get("LogGroup"))
                group = group if isinstance(group, str) else f"/aws/lambda/{name}"
                return (("aws", "logs", "tail", group, "--since", "15m", "--region", place.region),)
        return ()


def _date_of(answer: Mapping[str, Any]) -> float | None:
    """Return the time in the header Date of an answer, in seconds since 1970; None if it has none."""
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
