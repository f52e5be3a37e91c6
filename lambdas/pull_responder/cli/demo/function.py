"""The function `diagnose`, run as it is deployed: its handler, its role's credentials and its environment."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from pull_responder.cli.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.model.verdict import Severity
from pull_responder.settings import MEMBER_ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.cli.demo.estate import Estate

HANDLER: Final = "pull_responder.handlers.diagnose.handler"
_ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:pull-responder-diagnose"
_QUEUE_ARN: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:pull-responder-events"
_SECONDS: Final = 120
_RUNTIME: Final = (sys.executable, "-m", "pull_responder.cli.demo.runtime")
_TERMINAL: Final = (sys.executable, "-c", "from pull_responder.cli.main import main; main()")
# Exit statuses of `diagnose` with which it has printed its answer: nothing found, something found, not decided.
_ANSWERED: Final = (0, 1, 3)


class DidNotAnswerError(Exception):
    """A process of ours ended without an answer; the message is one line with the last that it wrote."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the handler answered, and the log that it wrote."""

    answer: Mapping[str, Any]
    log: str

    @property
    def failed(self) -> bool:
        """Whether a message is to be tried again."""
        return self.answer != {"batchItemFailures": []}


@dataclass(frozen=True, slots=True)
class Function:
    """The function with the environment that it runs in."""

    environment: Mapping[str, str]

    def invoke(self, *events: Mapping[str, Any]) -> Invocation:
        """Hand `events` to the handler as one batch from its queue. Raises DidNotAnswerError."""
        request = {"handler": HANDLER, "function_arn": _ARN, "event": _sqs_batch([json.dumps(each) for each in events])}
        done = self._run(HANDLER, _RUNTIME, request, answered=(0,))
        return Invocation(json.loads(done.stdout), done.stderr)

    def diagnose(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Ask `pull-responder diagnose` about `event`, and return what it prints. Raises DidNotAnswerError."""
        terminal = (*_TERMINAL, "diagnose", "--event", "-", "--format", "json")
        done = self._run("pull-responder diagnose", terminal, event, answered=_ANSWERED)
        diagnosis: dict[str, Any] = json.loads(done.stdout)
        return diagnosis

    def _run(
        self, name: str, command: Sequence[str], given: object, *, answered: Sequence[int]
    ) -> subprocess.CompletedProcess[str]:
        try:
            done = subprocess.run(  # noqa: S603 -- this interpreter, with our own modules
                command,
                input=json.dumps(given),
                env=dict(self.environment),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise DidNotAnswerError(f"{name} did not answer within {_SECONDS} seconds") from late
        if done.returncode not in answered:
            last = done.stderr.strip().splitlines()[-1:] or ["it wrote nothing"]
            raise DidNotAnswerError(f"{name} ended with exit status {done.returncode}: {last[0]}")
        return done


def deploy(estate: Estate) -> Function:
    """Return the function in `estate`, with the settings that the stack gives it by default."""
    sts = estate.aws.client("sts")
    session = sts.assume_role(RoleArn=estate.function_role_arn, RoleSessionName="pull-responder-diagnose")
    credentials = session["Credentials"]
    return Function(
        {
            **estate.aws.environment,
            "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
            "AWS_SESSION_TOKEN": credentials["SessionToken"],
            "KNOWN_PRINCIPALS": "[]",
            "NOTIFY_MINIMUM_SEVERITY": Severity.LOW.value,
            "POWERTOOLS_LOG_LEVEL": "INFO",
            "PULL_RESPONDER_MEMBER_ROLE": MEMBER_ROLE,
            "SECURITY_HUB_ENABLED": "true",
            "TOPIC_ARN": estate.topic_arn,
        }
    )


def _sqs_batch(bodies: Sequence[str]) -> dict[str, Any]:
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
                "eventSourceARN": _QUEUE_ARN,
                "awsRegion": REGION,
            }
            for body in bodies
        ]
    }
