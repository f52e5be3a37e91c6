"""The functions, run as they are deployed: each in a process of its own, with its role's credentials."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from pull_responder.demo.estate import TABLE
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.model.verdict import Severity
from pull_responder.settings import MEMBER_ROLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.demo.estate import Estate

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


@dataclass(frozen=True, slots=True)
class Function:
    """A deployed function: its name and its environment."""

    name: str
    environment: Mapping[str, str]

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
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pull_responder.demo.runtime"],
                input=json.dumps(request),
                env=dict(self.environment),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise DidNotAnswerError(f"{self.handler} did not answer within {_SECONDS} seconds") from late
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["it wrote nothing"]
            raise DidNotAnswerError(f"{self.handler} ended with exit status {done.returncode}: {last[0]}")
        return Invocation(self.handler, json.loads(done.stdout), done.stderr)

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


def deploy(estate: Estate, name: str) -> Function:
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
