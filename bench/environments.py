"""The execution environments of the emulated functions: each has clients of its own, as on Lambda.

The deployed code decides which members' credentials and clients it keeps. Only the making of a client is replaced: all
environments share those that call the emulated AWS, and a new one costs its environment the time that it takes on
Lambda. `seconds_for_clients` measures that on this machine; with less memory, a function has less of a processor.
"""
# ruff: noqa: ANN401, SLF001 -- botocore's own objects

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

import boto3

from bench.limits import MEGABYTES_OF_A_PROCESSOR
from pull_responder.facts.answers import check_answer
from pull_responder.facts.aws import Aws
from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The default of memorySize in cdk.json.
MEMORY: Final[int] = json.loads((Path(__file__).parents[1] / "cdk.json").read_text())["context"]["pullResponder"][
    "memorySize"
]
# What a diagnosis of a denied pull reads in a member.
SERVICES: Final = ("iam", "ec2", "eks", "ecr", "kms", "cloudtrail")
_OURS: Final = Arn.parse("arn:aws:lambda:us-east-1:123456789012:function:bench")
_MEASURED: Final = 4
_ACCOUNTS_IN_A_PROCESS: Final = 40
# Whose each key is that STS gave out.
_ACCOUNTS: Final[dict[str, str]] = {}


@dataclass
class Environment:
    """One execution environment: what it keeps between its runs. Each has at most one run at a time."""

    aws: Any = None


@dataclass
class Environments:
    """All environments of a deployment.

    - `seconds`: what it takes of a processor to make a member's client of a service.
    - `spend`: lets the seconds pass that a run spends.
    - `clients`: how many were made for members, by service.
    """

    seconds: dict[str, float]
    spend: Callable[[float], None] = lambda _: None
    clients: Counter[str] = field(default_factory=Counter)
    _idle: dict[str, list[Environment]] = field(default_factory=dict)
    _made: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, function: str) -> Environment:
        """Return the environment that had the latest run, or a new one if none is free."""
        idle = self._idle.setdefault(function, [])
        return idle.pop() if idle else Environment()

    def give_back(self, function: str, environment: Environment) -> None:
        """Take an environment back after its run."""
        self._idle[function].append(environment)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Have all sessions share the clients of this process."""
        real = boto3.session.Session
        with patch.object(boto3.session, "Session", lambda **given: _Session(self, real(**given))):
            yield

    def client(self, session: Any, service: str, keys: str | None, given: Any) -> Any:
        """Return a client, made for this process if it has none yet for the account and region."""
        key = (_ACCOUNTS[keys] if keys else "", service, given["region_name"])
        with self._lock:
            if key not in self._made:
                self._made[key] = session.client(service, **given)
                self._made[key].meta.events.register("after-call", check_answer)
            if keys:
                self.clients[service] += 1
        if keys:
            self.spend(self.seconds.get(service, 0.0) * MEGABYTES_OF_A_PROCESSOR / MEMORY)
        return _Client(self._made[key])


class _Session:
    """Stands in for boto3's session."""

    def __init__(self, environments: Environments, session: Any) -> None:
        self._environments, self._session = environments, session

    def client(self, service: str, **given: Any) -> Any:
        return self._environments.client(self._session, service, given.get("aws_access_key_id"), given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


class _NoEvents:
    @staticmethod
    def register(*_: Any) -> None:
        """Do nothing: what one environment registers with a client is registered with the shared one already."""


class _Meta:
    """What a shared client knows of itself."""

    events = _NoEvents

    def __init__(self, meta: Any) -> None:
        self._meta = meta

    def __getattr__(self, name: str) -> Any:
        return getattr(self._meta, name)


class _Client:
    """A client that is shared."""

    def __init__(self, client: Any) -> None:
        self._client, self.meta = client, _Meta(client.meta)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def note_account(access_key: str, account: str) -> None:
    """Remember whose a key is that STS gave out."""
    _ACCOUNTS[access_key] = account


def place_of(client: Any, own: str, home: str) -> str:
    """Return the account that a client calls as, with the region if that is not `home`: limits are for both."""
    key: str = client._request_signer._credentials.access_key
    account, region = _ACCOUNTS.get(key, own), client.meta.region_name
    return account if region == home else f"{account} {region}"


def _members(number: int) -> Iterator[Callable[[str], Any]]:
    """Yield for each of `number` accounts what makes its clients, by the deployed code."""
    until = datetime.now(UTC) + timedelta(hours=1)

    class Sts:
        def assume_role(self, **given: Any) -> Any:
            keys = {"AccessKeyId": given["RoleArn"], "SecretAccessKey": "s", "SessionToken": "t", "Expiration": until}
            return {"Credentials": keys}

    session = boto3.session.Session("A", "s", region_name="us-east-1")
    aws = Aws(session, member_role="PullResponderReadOnly", identity=_OURS)
    # What our own account is asked about is loaded before any member is.
    for service in SERVICES:
        aws.client(service, account=None, region="us-east-1")
    with patch.object(Aws, "_sts", lambda *_: Sts()):
        for each in range(number):
            account = f"{100_000_000_000 + each}"
            aws.reach(account, region="us-east-1")
            # mypy cannot infer a lambda with a default value.
            yield lambda service, account=account: aws.client(service, account=account, region="us-east-1")  # type: ignore[misc]  # mypy cannot infer it


def seconds_for_clients() -> dict[str, float]:
    """Return the seconds of this processor that a new member's clients take, by service: the least of several."""
    least: dict[str, float] = {}
    for make in _members(_MEASURED):
        for service in SERVICES:
            before = time.process_time()
            make(service)
            took = time.process_time() - before
            least[service] = min(took, least.get(service, took))
    return least


def megabytes_of_members() -> float:
    """Return the most memory of a process that has read in many members, one after the other."""
    code = f"from bench.environments import print_memory; print_memory({_ACCOUNTS_IN_A_PROCESS})"
    ran = subprocess.run(  # noqa: S603 -- this Python, with the program above
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    return float(ran.stdout)


def print_memory(accounts: int) -> None:
    """Make the clients of so many members, and print the most megabytes that this process had."""
    for make in _members(accounts):
        for service in SERVICES:
            make(service)
    sys.stdout.write(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))
