"""The functions, run as they are deployed: each in a process of its own, with its role's credentials.

As in Lambda, the process of a function stays for its next invocation.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from pull_responder.demo.estate import TABLE
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.model.verdict import Severity
from pull_responder.settings import MEMBER_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.demo.estate import DemoEstate

_SECONDS: Final = 120


class DidNotAnswerError(Exception):
    """A process of ours ended without an answer. The message is one line, with the last line that the process wrote."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The answer of `handler`, and the log that it wrote."""

    handler: str
    answer: Mapping[str, Any]
    log: str

    @property
    def has_failures(self) -> bool:
        """Whether the handler returned messages to be tried again."""
        return self.answer != {"batchItemFailures": []}


class _ExecutionEnvironment:
    """The process that a function runs in. The first invocation starts it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- `stop` closes it

    def invoke(self, request: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
        """Return the runtime's answer to `request`. Raises DidNotAnswerError, which names the handler."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pull_responder.demo.runtime"],
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
            )
        process, handler = self._process, request["handler"]
        assert process.stdin  # noqa: S101 -- a pipe, as it was asked for
        assert process.stdout  # noqa: S101 -- a pipe, as it was asked for
        late = threading.Event()

        def give_up() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(_SECONDS, give_up)
        timer.start()
        try:
            process.stdin.write(f"{json.dumps(request)}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if late.is_set():
            raise DidNotAnswerError(f"{handler} did not answer within {_SECONDS} seconds")
        if not line:
            status = process.wait()
            self._errors.seek(0)
            last = self._errors.read().strip().splitlines()[-1:] or ["it wrote nothing"]
            raise DidNotAnswerError(f"{handler} ended with exit status {status}: {last[0]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._errors.close()


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function: its name and its environment. `stop` ends its process."""

    name: str
    environment: Mapping[str, str]
    _running: _ExecutionEnvironment = field(default_factory=_ExecutionEnvironment, repr=False, compare=False)

    @property
    def handler(self) -> str:
        """Its handler, in the form that a template names it."""
        return f"pull_responder.handlers.{self.name}.handler"

    def invoke(self, events: Iterable[Mapping[str, Any]]) -> Invocation:
        """Give `events` to the handler as one batch from its queue. Raises DidNotAnswerError."""
        request = {
            "handler": self.handler,
            "function_arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:pull-responder-{self.name}",
            "event": self._sqs_batch(json.dumps(event) for event in events),
        }
        answered = self._running.invoke(request, self.environment)
        return Invocation(self.handler, answered["answer"], answered["log"])

    def stop(self) -> None:
        """End the function's process, if it runs."""
        self._running.stop()

    def _sqs_batch(self, bodies: Iterable[str]) -> dict[str, Any]:
        """Wrap message bodies as Lambda does: Lambda Developer Guide, "Using Lambda with Amazon SQS"."""
        return {
            "Records": [
                {
                    "messageId": str(uuid4()),
                    "receiptHandle": "AQEBdemo",
                    "body": body,
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "messageAttributes": {},
                    "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
                    "eventSource": "aws:sqs",
                    "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:pull-responder-{self.name}",
                    "awsRegion": REGION,
                }
                for body in bodies
            ]
        }


def deploy(estate: DemoEstate, name: str) -> Function:
    """Return the function `name` in `estate`, with the stack's default settings, except that the hold-down is zero.

    The hold-down is the time before people are notified that a finding is resolved.
    """
    sts = estate.aws.client("sts")
    role = estate.function_roles[name]
    credentials = sts.assume_role(RoleArn=role, RoleSessionName=f"pull-responder-{name}")["Credentials"]
    return Function(
        name,
        {
            **estate.aws.environment,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "HOLD_DOWN_MINUTES": "0",
            "KNOWN_PRINCIPALS": "[]",
            "NOTIFY_MINIMUM_SEVERITY": Severity.LOW.value,
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "PULL_RESPONDER_MEMBER_ROLE": MEMBER_ROLE,
            "SECURITY_HUB_ENABLED": "true",
            "TABLE_NAME": TABLE,
            "TOPIC_ARN": estate.topic_arn,
        },
    )
