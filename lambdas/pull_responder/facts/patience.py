"""How long a terminal waits for AWS, and how far its reads have come.

The SDK tries a call three times, and each try may hang for seconds. A call is made in a thread of its own, so that
whoever asked can leave it when the time is out. The deployed functions have Lambda's deadline, and do not use this.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError, Future, InvalidStateError
from contextvars import copy_context
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class NoTimeLeftError(BotoCoreError):
    """A call got no answer before the time was out, or was not made any more."""

    fmt = "no answer within {seconds:g} seconds"


class Patience:
    """The time of one command, in seconds. `clock` returns seconds that only grow.

    - `started` and `ended` count the calls: all that were wanted, and those that AWS answered, or the SDK gave up.
    - `answered` and `silent` are the places that answered, and those that did not in time: a service and a region.
      `left_out` are those that were to be asked after that.

    Safe to use from several threads.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.started = self.ended = 0
        self.answered: set[tuple[str, str]] = set()
        self.silent: set[tuple[str, str]] = set()
        self.left_out: set[tuple[str, str]] = set()
        self._clock = clock
        self._until = clock() + seconds
        self._lock = threading.Lock()
        self._waiting: set[Future[object]] = set()

    @property
    def is_out(self) -> bool:
        """Whether something was left unread because the time is out."""
        return bool(self.silent or self.left_out)

    def begin(self) -> None:
        """Let the time begin now."""
        self._until = self._clock() + self.seconds

    def end(self) -> None:
        """Let the time be out now, for those that wait already, too."""
        with self._lock:
            self._until = self._clock()
            for each in self._waiting:
                each.cancel()

    def ask(self, service: str, region: str, request: Callable[[], T]) -> T:
        """Return the result of `request`, a call of the service in this region.

        Raises what it raises, and NoTimeLeftError if it does not end in time.
        """
        answer: Future[T] = Future()
        with self._lock:
            self.started += 1
            left = self._until - self._clock()
            if left > 0:
                self._waiting.add(answer)  # type: ignore[arg-type]  # to be cancelled, whatever it holds
        try:
            if left > 0:
                context = copy_context()
                threading.Thread(target=context.run, args=(_run, request, answer), daemon=True, name="ask").start()
                return self._result(answer, service, region, left)
        except (CancelledError, TimeoutError):
            pass
        finally:
            with self._lock:
                self._waiting.discard(answer)
        with self._lock:
            (self.silent if left > 0 else self.left_out).add((service, region))
        raise NoTimeLeftError(seconds=self.seconds)

    def _result(self, answer: Future[T], service: str, region: str, left: float) -> T:
        error = answer.exception(left)
        with self._lock:
            self.ended += 1
            if error is None or hasattr(error, "response"):  # a ClientError is an answer, too
                self.answered.add((service, region))
        if error is not None:
            raise error
        return answer.result()


def _run(request: Callable[[], T], answer: Future[T]) -> None:
    """Make the call, and put what comes of it into `answer`, if anybody still waits for it."""
    try:
        try:
            result = request()
        except BaseException as error:  # noqa: BLE001 -- it is raised where the call is waited for
            answer.set_exception(error)
        else:
            answer.set_result(result)
    except InvalidStateError:
        pass


def places(named: Iterable[tuple[str, str]]) -> str:
    """Return services and regions in words: "ec2, ecr in eu-west-1, iam in us-east-1"."""
    by_region: dict[str, list[str]] = {}
    for service, region in sorted(named):
        by_region.setdefault(region, []).append(service)
    return ", ".join(f"{', '.join(services)} in {region}" for region, services in sorted(by_region.items()))
