"""How facts are read: only when needed, each at most once, several in parallel, and never past the deadline."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

from pull_responder.facts.aws import Aws, describe_failure
from pull_responder.facts.gaps import Gaps, add_gaps, note_gaps
from pull_responder.model.reason import IN_TERMINAL, Reason, Refusal, steps_of
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

T = TypeVar("T")
A = TypeVar("A")

_PARALLEL_READS: Final = 20
# A read that starts with less time than this could not be told from one that hangs.
_SECONDS_FOR_A_READ: Final = 2.0


class Reader:
    """The reads of one or several diagnoses. What could not be read is noted (facts/gaps.py).

    - `remaining` returns the seconds left before the answer is due.
    - `is_later_look` says that a finding is known and looked at again, which needs no more than whether it is so still.

    A fact that several checks need is read once: the first thread reads, the others wait for it.
    """

    def __init__(
        self, aws: Aws, *, remaining: Callable[[], float] = lambda: float("inf"), is_later_look: bool = False
    ) -> None:
        self.aws = aws
        self.is_later_look = is_later_look
        self.remaining = remaining
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}
        # What hung is not asked again by this reader, so that it costs its time-outs once and not once a problem.
        self._hanging: dict[Hashable, Unread] = {}
        self.calls = 0

    @property
    def partition(self) -> str:
        """The partition that everything is read in: our own, or "aws" while that is not known."""
        identity = self.aws.identity()
        return "aws" if isinstance(identity, Unread) else identity.partition

    def also_known_as(self, account: str | None) -> str | None:
        """Return the other name of an account. Only our own has two: its id, once that is known, and None."""
        own = self.aws.identity() if self.aws.knows_identity else None
        if own is None or isinstance(own, Unread) or account not in (None, own.account):
            return account
        return own.account if account is None else None

    def once(self, key: Hashable, read: Callable[[], T], *, alias: Hashable = None) -> T:
        """Return the result of `read`. It runs only the first time that `key` or its `alias` is asked for."""
        with self._lock:
            answer = self._answers.get(key) or self._answers.get(alias)
            first = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
        if first:
            try:
                with note_gaps() as gaps:
                    read_now = read()
                answer.set_result((read_now, gaps))
            except BaseException as error:
                answer.set_exception(error)
                raise
        result: tuple[T, Gaps] = answer.result()
        add_gaps(result[1])
        return result[0]

    def each(self, read: Callable[[A], T], arguments: Sequence[A]) -> list[T]:
        """Return the result of `read` for every argument, in order. The reads run in parallel."""
        if len(arguments) < 2:  # noqa: PLR2004 -- one read needs no thread of its own
            return [read(argument) for argument in arguments]
        # One pool for each call: a shared pool could wait for itself, because some reads contain parallel reads.
        with ThreadPoolExecutor(min(len(arguments), _PARALLEL_READS), thread_name_prefix="read") as pool:
            started = [pool.submit(copy_context().run, read, argument) for argument in arguments]
            return [each.result() for each in started]

    def start(self, reads: Sequence[Callable[[], object]]) -> None:
        """Start reads that are known to be needed, without waiting. Later requests for these facts wait for them.

        What could not be read is noted by these requests.
        """
        pool = ThreadPoolExecutor(max(len(reads), 1), thread_name_prefix="ahead")
        for read in reads:
            pool.submit(read)
        pool.shutdown(wait=False)

    def call(
        self,
        permission: str,
        *,
        account: str | None,
        region: str,
        request: Callable[[Any], T],
        absent: frozenset[str] = frozenset(),
    ) -> T | Unread | None:
        """Make one read.

        - `permission` is the IAM action. Its prefix is also boto3's name of the service.
        - `request` makes the call with the client that it gets.
        - `absent` are the error codes that mean that the thing does not exist: the result is None.

        Any other failure is Unread.
        """
        if self.remaining() < _SECONDS_FOR_A_READ:
            add_gaps(Gaps(out_of_time=True, is_incomplete=True))
            return Unread(Reason(f"{permission} was not called: no time was left", IN_TERMINAL))
        if account is not None and not self.aws.knows_identity:
            # Our identity is read in parallel to the first reads, not before them: nearly always the account is our
            # own.
            asks: list[Callable[[], Any]] = [
                lambda: self.aws.identity(region),
                lambda: self._ask(permission, None, region, request, absent),
            ]
            identity, answer = self.each(lambda ask: ask(), asks)
            if not isinstance(identity, Unread) and identity.account == account:
                return self._note(cast("T | Unread | None", answer))
        return self._note(self._ask(permission, account, region, request, absent))

    def _note(self, answer: A) -> A:
        """Return an answer. That something was not read is noted."""
        if isinstance(answer, Unread):
            add_gaps(Gaps(is_incomplete=True))
        return answer

    def _ask(
        self,
        permission: str,
        account: str | None,
        region: str,
        request: Callable[[Any], T],
        absent: frozenset[str],
    ) -> T | Unread | None:
        if hung := self._hanging.get((permission, account, region)):
            return hung
        service = permission.split(":", maxsplit=1)[0]
        client = self.aws.client(service, account=account, region=region)
        if isinstance(client, Unread):
            return client
        with self._lock:
            self.calls += 1
        try:
            return self.aws.ask(service, region, lambda: request(client))
        except ClientError as error:
            is_absent = error.response.get("Error", {}).get("Code") in absent
            return None if is_absent else self._with_account(describe_failure(permission, error), account)
        except (ConnectTimeoutError, ReadTimeoutError) as error:
            return self._hanging.setdefault((permission, account, region), describe_failure(permission, error))
        except BotoCoreError as error:
            return describe_failure(permission, error)

    def _with_account(self, unread: Unread, account: str | None) -> Unread:
        """Return what was refused in another account with that account and role, where AWS's answer names none."""
        if account is None or self.also_known_as(account) != account:
            return unread
        role = self.aws.member_role
        steps = (
            replace(step, account=account, role=role) if isinstance(step, Refusal) and not step.account else step
            for step in steps_of(unread.reason)
        )
        named = account in unread.reason
        text = str(unread.reason) if named else f"{unread.reason} (role {role} in account {account})"
        return Unread(Reason(text, *steps))
