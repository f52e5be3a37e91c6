"""The wire between the SDK and the emulated AWS, on which faults happen.

The functions' clients send what they send through `Wire.carry`, a handler of botocore's event `before-send`. So the
SDK's own retries and parsers run for real; the clients are kept from run to run. What AWS answered to a read is kept
and answered again to the same read in the same phase of the estate, byte by byte.
"""
# ruff: noqa: ANN401 -- botocore's own objects, which have no types

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import botocore.client
import botocore.endpoint
from botocore.credentials import Credentials
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from botocore.retries.quota import RetryQuota
from botocore.useragent import UserAgentString

from tests.faults.answer import answer
from tests.faults.error_answers import refusal
from tests.faults.fault import REMEMBERING, SECONDS, Call, Fault, Kind, Span
from tests.faults.near_table import leave_unsigned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.awsrequest import AWSResponse

    from tests.faults.clock import Clock
    from tests.faults.near_table import NearTable

_AGENT: Final = "pull-responder"
_GARBAGE: Final = b"<html><body>It works!</body></html>"
# Real seconds that a hanging call leaves to threads that make theirs at the same time.
_SIDE_BY_SIDE: Final = 0.003
CREDENTIALS_KEPT: Final = 1_800
"""Real seconds for which the emulated AWS's credentials are used. They last for an hour of the real clock."""
_KEY: Final = re.compile(rb"<AccessKeyId>(.*?)</AccessKeyId>")
_EXPIRATION: Final = re.compile(rb"<Expiration>.*?</Expiration>")
_ROLE: Final = re.compile(r"RoleArn=[^&]*")
_init_quota = RetryQuota.__init__
_CREDENTIAL: Final = re.compile(r"Credential=([^/]*)/")


class Died(BaseException):
    """The function was stopped at this point."""


class Wire:
    """The wire of one campaign. `phase` and `change_to` say what state the estate is in, and bring it into one."""

    def __init__(self, clock: Clock, table: NearTable, change_to: Callable[[str], None]) -> None:
        self.clock = clock
        self._table = table
        self.phase = ""
        self._change_to = change_to
        self.on_strike: Callable[[], None] = lambda: None
        self._http = URLLib3Session(max_pool_connections=32)
        self._kept: dict[Any, tuple[int, list[tuple[str, str]], bytes, float]] = {}
        self._keys: dict[str, str] = {}
        self._lock = threading.RLock()
        self._quotas: list[Any] = []
        self.begin(None)

    def begin(self, fault: Fault | None) -> None:
        """Begin a run with `fault`, or with none."""
        self.fault = fault
        self.calls: list[Call] = []
        self.struck_at: float | None = None
        self.ends_at = float("inf")
        self.dead = False
        self.deadline = float("inf")
        self.read_seconds = 0.0
        self.sent: Counter[str] = Counter()
        self._numbers: Counter[tuple[str, str]] = Counter()
        self._known: dict[str, Call] = {}

    def invoke(self, seconds: float) -> None:
        """Begin an invocation that Lambda stops after `seconds`."""
        self.dead, self.deadline, self.read_seconds = False, self.clock.now + seconds, 0.0

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Have all clients of the functions use this wire, and the SDK wait by the emulated clock."""
        create = botocore.client.ClientCreator.create_client
        kept: dict[Any, Any] = {}

        def create_client(creator: Any, **given: Any) -> Any:
            config, keys = given["client_config"], given["credentials"]
            if _AGENT not in str(config and config.user_agent_extra) or not isinstance(keys, Credentials):
                return create(creator, **given)
            options = tuple(sorted((name, str(value)) for name, value in vars(config).items()))
            of_whom = keys.access_key, keys.secret_key, keys.token
            key = given["service_name"], given["region_name"], given["endpoint_url"], of_whom, options
            client = kept.get(key)
            if client is None:
                client = kept[key] = create(creator, **given)
                if given["service_name"] == "dynamodb":
                    leave_unsigned(client)
                events: Any = client.meta.events
                events.register("before-send", lambda **event: self.carry(client, **event))
                # Each process that gets the client registers the same for itself.
                events.register = cache(events.register)
            return client

        def note_quota(quota: RetryQuota, *given: Any, **more: Any) -> None:
            _init_quota(quota, *given, **more)
            self._quotas.append(quota)

        with (
            patch.object(botocore.client.ClientCreator, "create_client", create_client),
            patch.object(botocore.endpoint, "time", _Sleeper(self)),
            patch.object(RetryQuota, "__init__", note_quota),
            # Written anew for each request, and read by nobody here.
            patch.object(UserAgentString, "to_string", lambda _: _AGENT),
        ):
            yield

    def forget(self) -> None:
        """Have the kept clients be as new: each has a quota of retries, which failures use up."""
        for each in self._quotas:
            each.release(RetryQuota.INITIAL_CAPACITY)

    def carry(self, client: Any, *, request: Any, event_name: str, **_: Any) -> AWSResponse:
        """Send a request, or let it fail."""
        operation = event_name.rpartition(".")[2]
        service = client.meta.service_model.service_name
        began = self.clock.now
        with self._lock:
            if self.dead or self.clock.now >= self.deadline:
                self.dead = True
                raise Died
            call = self._call(service, operation, str(request.headers["amz-sdk-invocation-id"]))
            strikes = self._strikes(call)
            if strikes and self.fault and self.fault.span is Span.ONCE:
                self.ends_at = self.clock.now
        if not strikes or self.fault is None:
            return self._send(service, operation, request)
        return self._fail(client, self.fault, call, request, began)

    def sleep(self, seconds: float) -> None:
        """Wait before a retry of the SDK."""
        self._pass(self.clock.now + seconds)

    def _pass(self, then: float, *, is_read: bool = False) -> None:
        time.sleep(_SIDE_BY_SIDE)
        passed = self.clock.pass_until(then)
        if is_read:
            self.read_seconds += passed

    def _call(self, service: str, operation: str, invocation: str) -> Call:
        call = self._known.get(invocation)
        if call is None:
            self._numbers[service, operation] += 1
            call = self._known[invocation] = Call(service, operation, self._numbers[service, operation])
            self.calls.append(call)
        return call

    def _strikes(self, call: Call) -> bool:
        """Return whether the fault is at work for this call. It begins at its own."""
        fault = self.fault
        if fault is None:
            return False
        if call == fault.call and self.struck_at is None:
            self.struck_at = self.clock.now
            self.ends_at = self.clock.now + SECONDS[fault.span]
            self.on_strike()
        if self.struck_at is None:
            return False
        if fault.kind.kills or fault.span is Span.ONCE:
            return call == fault.call
        return (call.service, call.operation) == (fault.call.service, fault.call.operation) and (
            self.clock.now < self.ends_at
        )

    def _fail(self, client: Any, fault: Fault, call: Call, request: Any, began: float) -> AWSResponse:
        kind = fault.kind
        if kind in (Kind.ACCESS_DENIED, Kind.THROTTLING, Kind.HTTP_500):
            return answer(request.url, *refusal(client.meta.service_model, kind))
        if kind is Kind.HANG:
            self._pass(began + client.meta.config.read_timeout, is_read=call.is_read)
            self.ends_at = max(self.ends_at, self.clock.now) if fault.span is Span.ONCE else self.ends_at
            raise ReadTimeoutError(endpoint_url=request.url)
        if kind is Kind.KILL_BEFORE:
            self.dead = True
            raise Died
        got = self._send(call.service, call.operation, request)
        if kind is Kind.KILL_AFTER:
            self.dead = True
            raise Died
        if kind is Kind.CUT:
            raise ConnectionClosedError(endpoint_url=request.url)
        body = got.content
        broken = {Kind.GARBAGE: _GARBAGE, Kind.TRUNCATED: body[: len(body) // 2], Kind.EMPTY: b""}[kind]
        return answer(request.url, 200, list(got.headers.items()), broken)

    def _send(self, service: str, operation: str, request: Any) -> AWSResponse:
        self.sent[service] += 1
        if service == "dynamodb":
            return self._table.send(request)
        if service in REMEMBERING:
            # On a kept connection, the emulator's answer waits 40 ms for an acknowledgement of its first packet.
            request.headers["Connection"] = "close"
            return self._http.send(request)
        key = (self.phase, service, operation, request.url, _text(request.body), self._sender(request))
        kept = self._kept.get(key)
        if kept is None or (operation == "AssumeRole" and time.monotonic() - kept[3] > CREDENTIALS_KEPT):
            with self._lock:
                self._change_to(self.phase)
            got = self._http.send(request)
            kept = got.status_code, list(got.headers.items()), got.content, time.monotonic()
            self._kept[key] = kept
            if operation == "AssumeRole" and (found := _KEY.search(kept[2])):
                self._keys[found[1].decode()] = "".join(_ROLE.findall(_text(request.body)))
        status, headers, body, _ = kept
        if operation == "AssumeRole":
            # These credentials last for an hour of the emulated clock.
            until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock.now + 3600))
            body = _EXPIRATION.sub(f"<Expiration>{until}</Expiration>".encode(), body)
        return answer(request.url, status, headers, body)

    def _sender(self, request: Any) -> str:
        """Return whose credentials signed a request: ours, or those of an assumed role."""
        found = _CREDENTIAL.search(_text(request.headers.get("Authorization", "")))
        return self._keys.get(found[1], "own") if found else "own"


class _Sleeper:
    """Stands in for the module `time` in botocore's endpoint."""

    def __init__(self, wire: Wire) -> None:
        self.sleep = wire.sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _text(given: Any) -> str:
    return given.decode("utf-8", "replace") if isinstance(given, bytes | bytearray) else str(given or "")
