"""One invocation of a function: its settings, clients, clock, logger and metrics."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from aws_lambda_powertools.metrics import MetricUnit, single_metric

from pull_responder.findings.store import Store
from pull_responder.model.unread import Unread
from pull_responder.publish.backoff import jitter, longest_wait
from pull_responder.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aws_lambda_powertools import Logger, Metrics

    from pull_responder.facts.aws import Aws
    from pull_responder.settings import Settings

_COUNTING: Final = threading.Lock()
_CORRELATION: Final = "correlation_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An invocation of a function.

    - `remaining`: returns the seconds that this run has for what it begins and waits for.
    - `until_stopped`: returns the seconds until Lambda stops the function; None if those are the same.
    - `now`: returns the time in seconds since 1970.
    - `wait`: sleeps for a number of seconds.
    - `name`: unique to this run.
    """

    settings: Settings
    aws: Aws
    store: Store
    remaining: Callable[[], float]
    logger: Logger
    metrics: Metrics
    now: Callable[[], float] = time.time
    wait: Callable[[float], None] = time.sleep
    name: str = field(default_factory=lambda: uuid4().hex)
    until_stopped: Callable[[], float] | None = None

    def within(self, seconds: float) -> Run:
        """Return this run, ending `seconds` from now at the latest: what it begins and waits for keeps to that.

        What it has begun may still be under way then, until Lambda stops the function: see `lifetime`.
        """
        beyond = max(0.0, self.remaining() - seconds)
        return replace(self, remaining=lambda: self.remaining() - beyond, until_stopped=self.lifetime)

    def lifetime(self) -> float:
        """Return the seconds after which this run is surely over. So long, what it claims and leases is its own."""
        return (self.until_stopped or self.remaining)()

    def count(self, name: str, number: int = 1) -> None:
        """Add to one of the function's metrics."""
        if number:
            # Threads count, too, and Powertools adds to what it keeps without a lock.
            with _COUNTING:
                self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)

    def count_by(self, name: str, dimensions: Mapping[str, str]) -> None:
        """Add one to one of the function's metrics, and to that of each dimension by itself."""
        self.count(name)
        for dimension, value in dimensions.items():
            self.gauge(name, 1, **{dimension: value})

    def count_calls(self) -> None:
        """Count the calls to AWS since this was asked last, and those that AWS throttled."""
        calls, throttled = self.aws.take_calls()
        self.count("Calls", calls)
        self.count("CallsThrottled", throttled)

    def measure(self, name: str, seconds: float) -> None:
        """Write a metric in seconds."""
        with _COUNTING:
            self.metrics.add_metric(name=name, unit=MetricUnit.Seconds, value=max(0.0, seconds))

    @contextmanager
    def about(self, correlation_id: str) -> Iterator[None]:
        """Let each line that this thread logs meanwhile carry the id of what it is about, as `correlation_id`.

        From an event to its notification that is the id of the problem.
        """
        before = self.logger.thread_safe_get_current_keys().get(_CORRELATION)
        self.logger.thread_safe_append_keys(**{_CORRELATION: correlation_id})
        try:
            yield
        finally:
            if before is None:
                self.logger.thread_safe_remove_keys([_CORRELATION])
            else:
                self.logger.thread_safe_append_keys(**{_CORRELATION: before})

    def gauge(self, name: str, value: float, **dimensions: str) -> None:
        """Write a metric that counts even when it is 0, with dimensions beside the function's own."""
        if not dimensions:
            with _COUNTING:
                self.metrics.add_metric(name=name, unit=MetricUnit.Count, value=value)
            return
        ours = {"service": self.metrics.service or "", **dimensions}
        with single_metric(
            name=name, unit=MetricUnit.Count, value=value, namespace=self.metrics.namespace, default_dimensions=ours
        ):
            pass

    def let_others(self, attempt: int) -> None:
        """Wait a random moment, longer with each attempt, before a retry of a write that another run made first."""
        self.wait(jitter(longest_wait(attempt, first=0.01, most=1.0)))


def store_of(aws: Aws, settings: Settings) -> Store:
    """Return the findings table that the settings name, in our own account and region. Raises SettingError."""
    if not settings.table_name:
        raise SettingError("TABLE_NAME is not set: Pull Responder needs a table for its findings")
    client = aws.client("dynamodb", account=None, region=aws.region or "")
    if isinstance(client, Unread):
        raise SettingError(f"TABLE_NAME is {settings.table_name!r}, and there is no client for it: {client.reason}")
    return Store(client, settings.table_name, settings)
