"""Runs the deployed handlers in this process as Lambda runs them, by an emulated clock.

Each invocation has a clock of its own, and the one that is furthest behind goes on. So ten invocations side by side
take as long as the longest of them. What a call to AWS takes is counted, not measured:

- a read of AWS takes a tenth of a second, and one of the findings table a hundredth. That is more than they take in one
  region, and stands for the work of the function's processor, too.
- Calls of threads that work side by side share their time: four diagnoses or rechecks, eight writes of the table.
- AWS allows a hundred calls of an action at once, and twenty a second. That is what EC2 documents for DescribeInstances
  (EC2 Developer Guide, "Request throttling for the Amazon EC2 API"). IAM, EKS and ECR document no number for what is
  read here. A call that meets the limit waits for as long as the SDK tries again, and then fails.
"""
# ruff: noqa: ANN401, SLF001 -- botocore's and Lambda's own objects

from __future__ import annotations

import contextvars
import json
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from botocore import useragent
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from bench.timeline import Timeline
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.handlers import connection, diagnose, recheck
from pull_responder.responder.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_READ_SECONDS: Final = 0.1
_TABLE_SECONDS: Final = 0.01
# How many threads of a pool work side by side, by the pool's name.
_SIDE_BY_SIDE: Final = {"diagnose": 4, "recheck": 4, "write": 8}
_BURST: Final = 100.0
_A_SECOND: Final = 20.0
# Standard mode makes three attempts, and waits up to a second and then up to two (botocore, retries/standard.py).
_PATIENCE: Final = 3.0
_CLEAN: Final = "sanitize_user_agent_string_component"

# The defaults of cdk.json and infra (infra/finding_function.py).
_TIMEOUT: Final = 120.0
_WINDOW: Final = 5.0
_VISIBILITY: Final = 6 * _TIMEOUT + _WINDOW
_MINUTE: Final = 60
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


@dataclass
class _Bucket:
    """Calls of one action that AWS allows."""

    tokens: float = _BURST
    at: float = 0.0

    def wait(self, now: float) -> float | None:
        """Take a token. Return the seconds until there is one, None if that is longer than the SDK waits."""
        if now > self.at:
            self.tokens, self.at = min(_BURST, self.tokens + (now - self.at) * _A_SECOND), now
        seconds = max(0.0, (1 - self.tokens) / _A_SECOND)
        if seconds > _PATIENCE:
            return None
        self.tokens -= 1
        return seconds


@dataclass
class _Message:
    id: str
    body: str
    visible_at: float
    batch: int = 0


@dataclass
class Deployment:
    """The functions, their queues, and what people get. Times are in seconds since 1970.

    - `diagnosed`: when each problem was diagnosed first.
    - `told`: when something was published, and its JSON document.
    - `calls`: how often each operation was called.
    - `throttled`: how many calls failed because AWS allows no more.
    - `late`: how many invocations took longer than Lambda allows.
    - `seconds`: how often each action of AWS was called in which second, the findings table left out.
    """

    start: float
    diagnosed: dict[str, float] = field(default_factory=dict)
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    invocations: int = 0
    late: int = 0
    throttled: int = 0

    def __post_init__(self) -> None:
        self.now = self.start
        self._timeline = Timeline()
        self._queues: dict[str, list[_Message]] = {name: [] for name in _HANDLERS}
        self._running: dict[str, set[str]] = {name: set() for name in _HANDLERS}
        self._buckets: dict[tuple[str, str], _Bucket] = defaultdict(_Bucket)
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._failed: list[BaseException] = []
        self._number = 0
        self.seconds: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))

    def put(self, function: str, *bodies: str, batch: int = 0) -> None:
        """Put messages into a function's queue now. Those of different `batch` are not handed over together."""
        for body in bodies:
            self._number += 1
            self._queues[function].append(_Message(str(self._number), body, self.now, batch))

    def play(self, *, minutes: float) -> None:
        """Let time pass: messages are delivered, and `recheck` runs every minute."""
        with self._deployed(), redirect_stdout(StringIO()):
            self._timeline.enter("", self.now)
            until = self.now + minutes * _MINUTE
            while self.now < until:
                self._timeline.pass_time("", 1)
                self._timeline.take_turn("")
                self.now += 1
                if (self.now - self.start) % _MINUTE == 0:
                    self.put("recheck", TICK)
                for function in _HANDLERS:
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
            f"{self.invocations:06} {function}", function, self._timeline, deadline=self.now + _TIMEOUT
        )
        self._timeline.enter(invocation.name, self.now)
        self._running[function].add(invocation.name)
        thread = threading.Thread(target=self._run, args=(function, invocation, messages))
        self._threads.append(thread)
        thread.start()

    def _run(self, function: str, invocation: _Invocation, messages: list[_Message]) -> None:
        _INVOCATION.set(invocation)
        invocation.thread.append(threading.get_ident())
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
            if invocation:
                self._count(invocation, client.meta.service_model.service_name, operation)
            answer = call(client, operation, arguments)
            if invocation and operation == "Publish":
                at = self._timeline.now(invocation.name)
                self.told.append((at, json.loads(json.loads(arguments["Message"])["default"])))
            return answer

        def submit_here(pool: Any, *given: Any, **more: Any) -> Any:
            context = contextvars.copy_context()
            side_by_side = _SIDE_BY_SIDE.get(pool._thread_name_prefix)
            if side_by_side:
                context.run(_SHARE.set, side_by_side)
            return submit(pool, context.run, *given, **more)

        def record_here(recorder: Any, problem_id: str, diagnosis: Any) -> Any:
            self.diagnosed.setdefault(problem_id, recorder.run.now())
            return record(recorder, problem_id, diagnosis)

        connection.disconnect()
        with (
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

    def _count(self, invocation: _Invocation, service: str, operation: str) -> None:
        """Let the time of a call pass. Raises ClientError if AWS allows no more."""
        share = _SHARE.get()
        with self._lock:
            self.calls[operation] += 1
            now = self._timeline.now(invocation.name)
            if service == "dynamodb":
                self._timeline.pass_time(invocation.name, _TABLE_SECONDS / share)
                return
            self.seconds[service, operation][int(now)] += 1
            waited = self._buckets[service, operation].wait(now)
            seconds = _PATIENCE if waited is None else waited
            self._timeline.pass_time(invocation.name, (_READ_SECONDS + seconds) / share)
            self.throttled += waited is None
        if waited is None:
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, operation)
