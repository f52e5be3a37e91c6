"""One run: five pulls fail, people are told, somebody mends everything, and people are told that it is over.

The deployed handlers run in this process, once a minute of the emulated clock, as their queues and schedules have it.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import boto3

from pull_responder.demo.delivery import stored_findings
from pull_responder.demo.episode import workflow_of
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.facts.aws import Aws
from pull_responder.findings.codec import LOOK_AT, QUEUE
from pull_responder.handlers import audit_log, diagnose, recheck
from pull_responder.handlers.connection import run_of
from pull_responder.model.arn import Arn
from pull_responder.settings import MEMBER_ROLE
from tests.faults.estate import BROKEN, MENDED
from tests.faults.near_table import NAME, NearTable
from tests.faults.wire import CREDENTIALS_KEPT, Died, Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.clock import Clock
    from tests.faults.estate import Estate
    from tests.faults.fault import Call, Fault

# The defaults of cdk.json and infra: the functions' time-outs, and how long a message stays away that nobody deleted.
SECONDS: Final = {"diagnose": 120, "recheck": 120, "audit_log": 240}
VISIBILITY: Final = 6 * 120 + 5
RECEIVES: Final = 5
# A run's claims and leases last until it must have ended.
LEASE: Final = 120 + 5
HOLD_DOWN: Final = 300
# Lambda invokes a function that was invoked asynchronously and failed again after a minute, and then after two. Source:
# Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".
ASYNC_RETRIES: Final = (60, 120)
_MINUTE: Final = 60
MEND_AT: Final = 25 * _MINUTE
_LAST: Final = 110 * _MINUTE
_QUEUE: Final = "fault-events"
_CLOCK_EVENT: Final = {
    "source": "aws.events",
    "detail-type": "Scheduled Event",
    "account": ACCOUNT,
    "region": REGION,
    "detail": {},
}


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that people got: the edge, the finding's id, and the time in seconds since the run began."""

    edge: str
    finding: str
    at: float


@dataclass(slots=True)
class Outcome:
    """What came of a run. Times are in seconds since it began.

    - `hub` is how Security Hub shows each finding in the end.
    - `crashes` are exceptions that no fault explains, `slow` the longest that one invocation waited for its reads.
    - `dead_letters` are messages that were given up.
    - `problems` is how many problems the table had in the end, `known` how many it had when the fault began, and
      `struck_in` the function that it met.
    """

    told: list[Told] = field(default_factory=list)
    hub: dict[str, dict[str, str]] = field(default_factory=dict)
    open_findings: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    slow: float = 0.0
    dead_letters: int = 0
    calls: list[Call] = field(default_factory=list)
    struck_at: float | None = None
    ends_at: float = 0.0
    problems: int = 0
    known: int = 0
    struck_in: str = ""


@dataclass(slots=True)
class _Message:
    id: str
    body: str
    visible_at: float
    receives: int = 0


@dataclass(frozen=True, slots=True)
class _Context:
    """Lambda's context, by the emulated clock."""

    function: str
    clock: Clock
    deadline: float
    memory_limit_in_mb: int = 512
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"

    @property
    def function_name(self) -> str:
        return self.function

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self.deadline - self.clock.now) * 1000))


class Deployment:
    """The functions on an estate. `run` makes one run after the other, each from an empty table."""

    def __init__(self, estate: Estate, clock: Clock) -> None:
        self.estate = estate
        self.clock = clock
        self._table = NearTable(estate.aws)
        self.wire = Wire(clock, self._table, estate.change_to)
        self._began = clock.now
        self._processes: dict[str, Aws] = {}
        self._keys: dict[str, tuple[float, Any]] = {}
        self._sqs = estate.aws.client("sqs")
        self._hub = estate.aws.client("securityhub")
        self._queue_url: str = self._sqs.create_queue(QueueName=_QUEUE)["QueueUrl"]

    @contextmanager
    def deployed(self) -> Iterator[None]:
        """Have the handlers use the emulated clock and the wire."""
        made: Callable[..., Any] = run_of

        def run(*given: Any, **more: Any) -> Any:  # noqa: ANN401 -- passed on
            return replace(made(*given, **more), now=self.clock, wait=self.clock.wait)

        environment = {
            "TABLE_NAME": NAME,
            "TOPIC_ARN": self.estate.demo.topic_arn,
            "QUEUE_URL": self._queue_url,
            "SECURITY_HUB_ENABLED": "true",
            "HOLD_DOWN_MINUTES": str(HOLD_DOWN // 60),
        }
        with ExitStack() as stack:
            stack.enter_context(self.wire.connected())
            stack.enter_context(patch.dict(os.environ, environment))
            for module in (diagnose, recheck):
                stack.enter_context(patch.object(module, "run_of", run))
                stack.enter_context(patch.object(module, "connect", lambda _, arn: self._connect(arn)))
            stack.enter_context(patch.object(audit_log, "_aws", self._connect))
            stack.enter_context(patch.object(audit_log, "_wait", self.clock.wait))
            stack.enter_context(patch.object(diagnose, "freeze_objects", lambda: None))
            yield

    def run(self, fault: Fault | None = None) -> Outcome:
        """Let everything happen, with `fault`."""
        self._empty()
        self.clock.now = self._began
        self.wire.begin(fault)
        outcome = _Run(self, self._began).play()
        outcome.calls = self.wire.calls
        if self.wire.struck_at is not None:
            outcome.struck_at = self.wire.struck_at - self._began
            outcome.ends_at = self.wire.ends_at - self._began
        return outcome

    def forget(self) -> None:
        """End the functions' processes: the next invocation starts new ones."""
        self._processes.clear()
        self.wire.forget()

    def _connect(self, function_arn: str) -> Aws:
        if function_arn not in self._processes:
            session = boto3.session.Session(region_name=REGION)
            name = function_arn.rpartition(":")[2]
            role = self.estate.demo.function_roles.get(name)
            if role:
                keys = self._keys_of(role, name)
                session = boto3.session.Session(
                    keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=REGION
                )
            self._processes[function_arn] = Aws(
                session,
                member_role=MEMBER_ROLE,
                identity=Arn.parse(function_arn),
                assume_proves_membership=True,
                now=self.clock.datetime,
            )
        return self._processes[function_arn]

    def _keys_of(self, role: str, name: str) -> Any:  # noqa: ANN401 -- as STS returns them
        since, keys = self._keys.get(role, (-CREDENTIALS_KEPT, None))
        if time.monotonic() - since >= CREDENTIALS_KEPT:
            keys = self.estate.aws.client("sts").assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
            self._keys[role] = time.monotonic(), keys
        return keys

    def take(self) -> list[dict[str, Any]]:
        """Take what the topic has delivered."""
        return [json.loads(json.loads(each)["Message"]) for each in self.received(self.estate.demo.inbox_url)]

    def received(self, url: str | None = None) -> list[str]:
        """Take the bodies of the messages in a queue, that of `audit_log` unless told."""
        url, bodies = url or self._queue_url, []
        while messages := self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                bodies.append(message["Body"])
        return bodies

    def items(self) -> list[dict[str, Any]]:
        """Return the items of the findings table."""
        return self._table.items()

    def _empty(self) -> None:
        self.forget()
        self.take()
        self.received()
        self._table.clear()
        from moto.securityhub.models import securityhub_backends  # noqa: PLC0415 -- slow to import

        securityhub_backends.reset()
        self._hub.enable_security_hub()


class _Run:
    """What happens in one run."""

    def __init__(self, deployment: Deployment, began: float) -> None:
        self._deployment = deployment
        self._wire = deployment.wire
        self._clock = deployment.clock
        self._began = began
        self._outcome = Outcome()
        self._queues: dict[str, list[_Message]] = defaultdict(list)
        self._audits: list[tuple[float, int]] = [(began, 0)]
        self._audit = deployment.estate.audit_batch(began)
        self._function = ""
        self._wire.on_strike = self._note_strike

    def _note_strike(self) -> None:
        self._outcome.known = self._count_problems()
        self._outcome.struck_in = self._function

    def _count_problems(self) -> int:
        return sum(each["id"]["S"].startswith("problem/") for each in self._deployment.items())

    def play(self) -> Outcome:
        self._wire.phase = BROKEN
        for event in self._deployment.estate.events(self._began):
            self._put("diagnose", json.dumps(event))
        tick = self._began
        while tick - self._began <= _LAST:
            self._clock.pass_until(tick)
            if self._wire.phase == BROKEN and tick - self._began >= MEND_AT:
                self._wire.phase = MENDED
                for event in self._deployment.estate.changes():
                    self._put("recheck", json.dumps(event))
            self._invoke_all()
            due = self._next_due()
            if due is None:
                break
            past = max(self._clock.now, tick + 1)
            tick += _MINUTE * max(1, -int(-(max(due, past) - tick) // _MINUTE))
        self._finish()
        return self._outcome

    def _put(self, function: str, body: str) -> None:
        self._queues[function].append(_Message(f"{function}-{len(self._queues[function])}", body, self._clock.now))

    def _invoke_all(self) -> None:
        for at, tries in [each for each in self._audits if each[0] <= self._clock.now]:
            self._audits.remove((at, tries))
            if self._invoke_audit():
                continue
            if tries < len(ASYNC_RETRIES):
                self._audits.append((self._clock.now + ASYNC_RETRIES[tries], tries + 1))
            else:
                # Its dead letters are those of the function `diagnose`.
                self._outcome.dead_letters += 1
        if self._wire.sent.pop("sqs", 0):
            for body in self._deployment.received():
                self._put("diagnose", body)
        self._deliver("diagnose", diagnose.handler)
        self._deliver("recheck", recheck.handler, json.dumps(_CLOCK_EVENT))

    def _invoke_audit(self) -> bool:
        try:
            self._call("audit_log", audit_log.handler, self._audit)
        except Died:
            return False
        except Exception as error:  # noqa: BLE001 -- what it raises, Lambda tries again
            if self._wire.struck_at is None:
                self._outcome.crashes.append(f"audit_log: {type(error).__name__}: {error}")
            return False
        return True

    def _deliver(self, function: str, handler: Callable[..., Any], *more: str) -> None:
        """Hand a function its visible messages, and what is due to it every minute."""
        now = self._clock.now
        visible = [each for each in self._queues[function] if each.visible_at <= now]
        if not visible and not more:
            return
        for message in visible:
            message.visible_at = now + VISIBILITY
            message.receives += 1
        records = [(each.id, each.body) for each in visible] + [("tick", each) for each in more]
        event = {"Records": [{"messageId": each, "body": body} for each, body in records]}
        failed = {each.id for each in visible}
        try:
            answer = self._call(function, handler, event)
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        except Died:
            pass
        except Exception as error:  # noqa: BLE001 -- any is a crash
            self._outcome.crashes.append(f"{function}: {type(error).__name__}: {error}")
        for message in visible:
            if message.id not in failed:
                self._queues[function].remove(message)
            elif message.receives >= RECEIVES:
                self._queues[function].remove(message)
                self._outcome.dead_letters += 1

    def _call(self, function: str, handler: Callable[..., Any], event: dict[str, Any]) -> Any:  # noqa: ANN401 -- JSON
        context = _Context(function, self._clock, self._clock.now + SECONDS[function])
        self._wire.invoke(SECONDS[function])
        self._function = function
        log = io.StringIO()
        try:
            with redirect_stdout(log):
                return handler(event, context)
        except Died:
            self._deployment.forget()
            raise
        finally:
            self._outcome.slow = max(self._outcome.slow, self._wire.read_seconds)
            for metric in ("DiagnosesFailed", "LooksFailed"):
                if f'"{metric}":[' in log.getvalue().replace(" ", ""):
                    self._outcome.crashes.append(f"{function}: {metric}")
            self.log = log.getvalue()
            if self._wire.sent.pop("sns", 0):
                for each in self._deployment.take():
                    self._hear(each)

    def _hear(self, document: dict[str, Any]) -> None:
        at = self._clock.now - self._began
        findings = document.get("findings") or [document.get("finding")]
        self._outcome.told += [Told(document["edge"], each["id"], at) for each in findings if each]

    def _next_due(self) -> float | None:
        """Return when something is due next, or None if nothing is and nothing will be."""
        times = [each.visible_at for queue in self._queues.values() for each in queue]
        times += [at for at, _ in self._audits]
        times += [float(each[LOOK_AT]["N"]) for each in self._deployment.items() if QUEUE in each and LOOK_AT in each]
        if self._wire.phase == BROKEN:
            times.append(self._began + MEND_AT)
        return min(times, default=None)

    def _finish(self) -> None:
        self._outcome.hub = {
            each: workflow_of(finding) for each, finding in stored_findings(self._deployment.estate.demo).items()
        }
        self._outcome.problems = self._count_problems()
        self._outcome.open_findings = sorted(each["id"]["S"] for each in self._deployment.items() if QUEUE in each)
