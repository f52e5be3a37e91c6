"""Runs the deployed handlers in this process as Lambda runs them, by an emulated clock.

Each invocation has a clock of its own, and the one that is furthest behind goes on. So ten invocations side by side
take as long as the longest of them. What a call to AWS takes is counted, not measured:

- a read of AWS takes a tenth of a second, and one of the findings table a hundredth. That is more than they take in one
  region, and stands for the work of the function's processor, too.
- Calls of threads that work side by side share their time: four diagnoses or rechecks, eight writes of the table.
- AWS allows a hundred calls of an action at once, and twenty a second, as EC2 does: or what `limit_of` says
  (bench/limits.py). A call that meets the limit waits for as long as the SDK tries again, and then fails.
- With `environments`, each execution environment has clients of its own (bench/environments.py).
"""
# ruff: noqa: ANN401, SLF001 -- botocore's and Lambda's own objects

from __future__ import annotations

import contextvars
import json
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from botocore import useragent
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from bench.environments import Environment, Environments, note_account, place_of
from bench.limits import Bucket, Limit, any_limit
from bench.table_units import TableUnits
from bench.timeline import Timeline
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.facts.failures import Failures
from pull_responder.handlers import connection, diagnose, recheck
from pull_responder.responder.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_READ_SECONDS: Final = 0.1
_TABLE_SECONDS: Final = 0.01
# How many threads of a pool work side by side, by the pool's name.
_SIDE_BY_SIDE: Final = {"diagnose": 4, "recheck": 4, "write": 8}
# Standard mode makes three attempts, and waits up to a second and then up to two (botocore, retries/standard.py).
_PATIENCE: Final = 3.0
_CLEAN: Final = "sanitize_user_agent_string_component"

# The defaults of cdk.json and infra (infra/finding_function.py).
_TIMEOUT: Final = 120.0
_WINDOW: Final = 5.0
_VISIBILITY: Final = 6 * _TIMEOUT + _WINDOW
_MINUTE: Final = 60
_HOUR: Final = timedelta(hours=1)
_BATCH: Final = {"diagnose": 2_000, "recheck": 100}
_CONCURRENCY: Final = {"diagnose": 10, "recheck": 5}
_HANDLERS: Final[dict[str, Callable[[Any, Any], Any]]] = {"diagnose": diagnose.handler, "recheck": recheck.handler}
TICK: Final = json.dumps(
    {"source": "aws.events", "detail-type": "Scheduled Event", "account": ACCOUNT, "region": REGION, "detail": {}}
)


@dataclass(frozen=True)
class _Invocation:
    """An invocation of a function, and Lambda's context of it."""

    name: str
    function_name: str
    timeline: Timeline
    deadline: float
    memory_limit_in_mb: int = 512
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"
    thread: list[int] = field(default_factory=list)
    environment: Environment = field(default_factory=Environment)
    processor: list[float] = field(default_factory=list)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self.deadline - self.timeline.now(self.name)) * 1000))

    def now(self) -> float:
        if threading.get_ident() in self.thread:
            self.timeline.take_turn(self.name)
        return self.timeline.now(self.name)

    def wait(self, seconds: float) -> None:
        self.timeline.pass_time(self.name, seconds)


_INVOCATION: contextvars.ContextVar[_Invocation | None] = contextvars.ContextVar("invocation", default=None)
_SHARE: contextvars.ContextVar[int] = contextvars.ContextVar("share", default=1)


class _Log(StringIO):
    """What the functions write: counted, not kept."""

    bytes = 0

    def write(self, text: str) -> int:
        self.bytes += len(text.encode())
        return len(text)


@dataclass
class _Message:
    id: str
    body: str
    visible_at: float
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Ran:
    """An invocation that is over: when it began and how long it took, in seconds, and how many messages it had.

    `processor` are the seconds that its threads took of this machine's processors.
    """

    function: str
    at: float
    seconds: float
    messages: int
    processor: float


@dataclass
class Deployment:
    """The functions, their queues, and what people get. Times are in seconds since 1970.

    - `diagnosed`: when each problem was diagnosed first.
    - `told`: when something was published, and its JSON document.
    - `calls`: how often each operation was called.
    - `throttled`: how many calls failed because AWS allows no more.
    - `late`: how many invocations took longer than Lambda allows.
    - `seconds`: how often each action of AWS was called in which second, the findings table left out.
    - `by_account`: the same, for each account and region by itself; `refused`: how many of these AWS did not allow.
    - `ran`: all invocations that are over; `logged`: the bytes that they wrote.
    - `imported`: how many findings Security Hub was sent.
    - `answers`: by operation what AWS answers where the emulated AWS cannot; an error is raised.
    - `feed`: if not None, returns for each second the messages that come for `diagnose`.
    - `most_waiting`: the most messages that a queue held, those that runs had taken included.
    - `units`: if not None, gets all calls to the findings table.
    """

    start: float
    limit_of: Callable[[str, str], Limit] = any_limit
    environments: Environments | None = None
    units: TableUnits | None = None
    feed: Callable[[float], Sequence[str]] | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    diagnosed: dict[str, float] = field(default_factory=dict)
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    invocations: int = 0
    late: int = 0
    throttled: int = 0
    imported: int = 0
    most_waiting: int = 0

    def __post_init__(self) -> None:
        self.now = self.start
        self._timeline = Timeline()
        self._queues: dict[str, list[_Message]] = {name: [] for name in _HANDLERS}
        self._running: dict[str, set[str]] = {name: set() for name in _HANDLERS}
        self._buckets: dict[tuple[str, str, str], Bucket] = {}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._failed: list[BaseException] = []
        self._number = 0
        self.seconds: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self.by_account: dict[tuple[str, str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self.refused: dict[tuple[str, str, str], int] = defaultdict(int)
        self.ran: list[Ran] = []
        self._log = _Log()
        if self.environments:
            self.environments.spend = self._spend

    @property
    def logged(self) -> int:
        """How many bytes the functions wrote to their logs, metrics included."""
        return self._log.bytes

    def measure_from_here(self) -> None:
        """Forget what was counted so far, but for what was told and diagnosed. What AWS still allows stays as it is."""
        for bucket in self._buckets.values():
            bucket.lowest = 1.0
        for counted in (self.seconds, self.by_account, self.refused, self.calls, self.ran):
            counted.clear()
        self._log.bytes = self.imported = self.most_waiting = self.throttled = 0
        if self.units:
            self.units.forget()
        if self.environments:
            self.environments.clients.clear()

    def left(self, service: str, operation: str) -> float:
        """Return the least part that was ever left of what AWS allows an account at once of an operation."""
        named = (operation, "") if self.limit_of(service, operation).shared else (operation,)
        return min(
            (each.lowest for key, each in self._buckets.items() if key[1] == service and key[2] in named), default=1.0
        )

    def put(self, function: str, *bodies: str, batch: int = 0) -> None:
        """Put messages into a function's queue now. Those of different `batch` are not handed over together."""
        for body in bodies:
            self._number += 1
            self._queues[function].append(_Message(str(self._number), body, self.now, batch))

    def play(self, *, minutes: float) -> None:
        """Let time pass: messages are delivered, and `recheck` runs every minute."""
        with self._deployed(), redirect_stdout(self._log):
            self._timeline.enter("", self.now)
            until = self.now + minutes * _MINUTE
            while self.now < until:
                self._timeline.pass_time("", 1)
                self._timeline.take_turn("")
                self.now += 1
                if (self.now - self.start) % _MINUTE == 0:
                    self.put("recheck", TICK)
                if self.feed:
                    self.put("diagnose", *self.feed(self.now))
                for function in _HANDLERS:
                    self.most_waiting = max(self.most_waiting, len(self._queues[function]))
                    self._deliver(function)
                if self._failed:
                    break
            self._timeline.leave("")
            for thread in self._threads:
                thread.join()
        for error in self._failed:
            raise error

    def _deliver(self, function: str) -> None:
        queue = self._queues[function]
        while len(self._running[function]) < _CONCURRENCY[function]:
            visible = [each for each in queue if each.visible_at <= self.now]
            visible = [each for each in visible if each.batch == visible[0].batch][: _BATCH[function]]
            is_full = len(visible) == _BATCH[function]
            if not visible or not (is_full or visible[0].visible_at <= self.now - _WINDOW):
                return
            for message in visible:
                message.visible_at = self.now + _VISIBILITY
            self._invoke(function, visible)

    def _invoke(self, function: str, messages: list[_Message]) -> None:
        self.invocations += 1
        invocation = _Invocation(
            f"{self.invocations:06} {function}",
            function,
            self._timeline,
            deadline=self.now + _TIMEOUT,
            environment=self.environments.take(function) if self.environments else Environment(),
        )
        self._timeline.enter(invocation.name, self.now)
        self._running[function].add(invocation.name)
        thread = threading.Thread(target=self._run, args=(function, invocation, messages))
        self._threads.append(thread)
        thread.start()

    def _run(self, function: str, invocation: _Invocation, messages: list[_Message]) -> None:
        _INVOCATION.set(invocation)
        invocation.thread.append(threading.get_ident())
        began = self._timeline.now(invocation.name)
        try:
            self._timeline.take_turn(invocation.name)
            event = {"Records": [{"messageId": each.id, "body": each.body} for each in messages]}
            answer = _HANDLERS[function](event, invocation)
            failed = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            done = {each.id for each in messages} - failed
            self._queues[function][:] = [each for each in self._queues[function] if each.id not in done]
            self.late += invocation.get_remaining_time_in_millis() == 0
        except BaseException as error:  # noqa: BLE001 -- raised by `play`
            self._failed.append(error)
        finally:
            self._running[function].discard(invocation.name)
            seconds = self._timeline.now(invocation.name) - began
            processor = time.thread_time() + sum(invocation.processor)
            self.ran.append(Ran(function, began, seconds, len(messages), processor))
            if self.environments:
                self.environments.give_back(function, invocation.environment)
            self._timeline.leave(invocation.name)

    @contextmanager
    def _deployed(self) -> Iterator[None]:
        """Have the handlers use the emulated time, and the SDK count what it calls."""
        made, call, submit, record = (
            connection.run_of,
            BaseClient._make_api_call,  # type: ignore[attr-defined]  # not in the stubs
            ThreadPoolExecutor.submit,
            Recorder.record,
        )

        def run_of(*given: Any, **more: Any) -> Any:
            invocation = _INVOCATION.get()
            assert invocation is not None  # noqa: S101 -- the handlers run here only
            return replace(made(*given, **more), now=invocation.now, wait=invocation.wait)

        def make_call(client: Any, operation: str, arguments: Any) -> Any:
            invocation = _INVOCATION.get()
            if not invocation:
                return call(client, operation, arguments)
            service = client.meta.service_model.service_name
            self._count(invocation, place_of(client, ACCOUNT, REGION), service, operation)
            try:
                answer = self._answer(operation) or call(client, operation, arguments)
            except ClientError:
                self._note(invocation, service, operation, arguments, None)
                raise
            self._note(invocation, service, operation, arguments, answer)
            return answer

        def submit_here(pool: Any, *given: Any, **more: Any) -> Any:
            context = contextvars.copy_context()
            side_by_side = _SIDE_BY_SIDE.get(pool._thread_name_prefix)
            if side_by_side:
                context.run(_SHARE.set, side_by_side)
            return submit(pool, context.run, _clocked, *given, **more)

        def connect(settings: Any, function_arn: str) -> Any:
            invocation = _INVOCATION.get()
            assert invocation is not None  # noqa: S101 -- the handlers run here only
            if invocation.environment.aws is None:
                connection.disconnect()
                invocation.environment.aws = aws = connect_anew(settings, function_arn)
                aws.now = _now
                aws._failures = Failures(_now)
            return invocation.environment.aws

        def record_here(recorder: Any, problem_id: str, diagnosis: Any, **more: Any) -> Any:
            self.diagnosed.setdefault(problem_id, recorder.run.now())
            return record(recorder, problem_id, diagnosis, **more)

        connection.disconnect()
        connect_anew = connection.connect
        with (
            self.environments.shared() if self.environments else nullcontext(),
            patch.object(diagnose, "connect", connect if self.environments else connect_anew),
            patch.object(recheck, "connect", connect if self.environments else connect_anew),
            _log_to(self._log),
            patch.object(diagnose, "run_of", run_of),
            patch.object(recheck, "run_of", run_of),
            patch.object(diagnose, "freeze_objects", lambda: None),
            patch.object(BaseClient, "_make_api_call", make_call),
            patch.object(ThreadPoolExecutor, "submit", submit_here),
            patch.object(Recorder, "record", record_here),
            # A pure function, called for each word of each request's user agent, letter by letter.
            patch.object(useragent, _CLEAN, cache(getattr(useragent, _CLEAN))),
        ):
            yield
        connection.disconnect()

    def _answer(self, operation: str) -> Any:
        answer = self.answers.get(operation)
        if isinstance(answer, ClientError):
            raise answer
        return answer

    def _note(self, invocation: _Invocation, service: str, operation: str, arguments: Any, answer: Any) -> None:
        """Note what a call came to. `answer` is None if AWS refused it."""
        now = self._timeline.now(invocation.name)
        if self.units and service == "dynamodb":
            with self._lock:
                self.units.note(operation, arguments, answer, now)
        elif operation == "AssumeRole" and answer:
            note_account(answer["Credentials"]["AccessKeyId"], arguments["RoleArn"].split(":")[4])
            answer["Credentials"]["Expiration"] = _as_time(now) + _HOUR
        elif operation == "Publish" and answer:
            self.told.append((now, json.loads(json.loads(arguments["Message"])["default"])))
        elif operation == "BatchImportFindings" and answer:
            self.imported += len(arguments["Findings"])

    def _spend(self, seconds: float) -> None:
        """Let the time pass that the processor of an invocation takes."""
        if invocation := _INVOCATION.get():
            self._timeline.pass_time(invocation.name, seconds)

    def _count(self, invocation: _Invocation, account: str, service: str, operation: str) -> None:
        """Let the time of a call pass. Raises ClientError if AWS allows no more."""
        share = _SHARE.get()
        with self._lock:
            self.calls[operation] += 1
            now = self._timeline.now(invocation.name)
            if service == "dynamodb":
                self._timeline.pass_time(invocation.name, _TABLE_SECONDS / share)
                return
            self.seconds[service, operation][int(now)] += 1
            self.by_account[account, service, operation][int(now)] += 1
            limit = self.limit_of(service, operation)
            key = (account, service, "" if limit.shared else operation)
            waited = self._buckets.setdefault(key, Bucket(limit)).wait(now, patience=_PATIENCE)
            seconds = _PATIENCE if waited is None else waited
            self._timeline.pass_time(invocation.name, (_READ_SECONDS + seconds) / share)
            self.throttled += waited is None
            self.refused[account, service, operation] += waited is None
        if waited is None:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, operation)


@contextmanager
def _log_to(log: _Log) -> Iterator[None]:
    """Have the functions write their logs to `log`."""
    every: list[Any] = [each for logger in (diagnose.logger, recheck.logger) for each in logger.handlers]
    handlers = {id(each): each for each in every}.values()
    streams = [(each, each.setStream(log)) for each in handlers]
    try:
        yield
    finally:
        for each, stream in streams:
            each.setStream(stream)


def _as_time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _now() -> datetime:
    """Return the time of the invocation that asks."""
    invocation = _INVOCATION.get()
    return _as_time(invocation.timeline.now(invocation.name)) if invocation else datetime.now(UTC)


def _clocked(work: Callable[..., Any], *given: Any, **more: Any) -> Any:
    """Do some work of an invocation in a thread of a pool, and add the time of the processor that it takes."""
    before = time.thread_time()
    try:
        return work(*given, **more)
    finally:
        if invocation := _INVOCATION.get():
            invocation.processor.append(time.thread_time() - before)
