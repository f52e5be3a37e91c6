"""The doctor, run as from a terminal against a stack on the emulated AWS, and the commands that it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.cli.main import main
from pull_responder.handlers import diagnose
from pull_responder.handlers.connection import disconnect, run_of
from tests import aws_cli
from tests.integration.doctor.estate import REGION, STACK, deploy
from tests.integration.doctor.examined import FUNCTION, Examined
from tests.integration.handlers.test_diagnose import Context, batch, failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from pull_responder.responder.run import Run
    from tests.integration.doctor.examined import Deliver


@dataclass(frozen=True, slots=True)
class Report:
    """What the doctor printed."""

    status: object
    out: str
    err: str

    @property
    def results(self) -> list[dict[str, Any]]:
        """What it says, with --format json."""
        return [json.loads(line) for line in self.out.splitlines()]

    def about(self, check: str, subject: str = "") -> dict[str, Any]:
        """Return the one result of a check whose subject contains `subject`."""
        found = [each for each in self.results if each["check"] == check and subject in each["subject"]]
        assert len(found) == 1, [(each["check"], each["subject"]) for each in self.results]
        return found[0]

    def states(self) -> dict[str, set[str]]:
        """Return the subjects by their state."""
        states: dict[str, set[str]] = {}
        for each in self.results:
            states.setdefault(each["state"], set()).add(f"{each['check']}: {each['subject']}")
        return states


class Doctor:
    """The command `pull-responder doctor`, and a shell for the commands that it prints."""

    def __init__(self, aws: EmulatedAws, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.aws = aws
        self._patch = patch
        self._capture = capture

    def client(self, service: str) -> Any:  # noqa: ANN401 -- the client's type follows from `service`
        """Return a client of the patient's region."""
        return self.aws.client(service, region=REGION)

    def physical(self, logical_id: str) -> str:
        """Return the physical id of a resource of the patient."""
        found = self.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId=logical_id)
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Report:
        """Run the command. Without arguments it looks at the patient and prints JSON."""
        for key, value in {**self.aws.environment, **(environment or {})}.items():
            self._patch.setenv(key, value)
        given = arguments or ("--stack", STACK, "--region", REGION, "-o", "json")
        self._patch.setattr(sys, "argv", ["pull-responder", "doctor", *given])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Report(ended.value.code, *self._capture.readouterr())

    def run(self, commands: Iterable[str]) -> None:
        """Run printed commands, each in a shell of its own."""
        environment = {**self.aws.environment, "PATH": f"{aws_cli.folder()}:{os.environ['PATH']}"}
        environment.pop("AWS_DEFAULT_REGION")
        environment.pop("AWS_REGION")
        for command in commands:
            # The AWS CLI 1 asks the real SQS, whatever AWS_ENDPOINT_URL says.
            there = (
                f" --endpoint-url {self.aws.environment['AWS_ENDPOINT_URL']}" if command.startswith("aws sqs ") else ""
            )
            ended = subprocess.run(  # noqa: S602 -- what people paste into a shell
                command + there, shell=True, env=environment, capture_output=True, text=True, check=False
            )
            assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"

    def reads(self, commands: Iterable[str]) -> None:
        """Assert that the AWS CLI understands commands that the emulated AWS does not: it checks what it is given."""
        assert commands
        self.run(f"{command} --generate-cli-skeleton output" for command in commands)

    def mends(self, check: str, subject: str, *, found: str, meaning: str) -> None:
        """Assert that a thing is broken, what is said of it, and that the printed commands alone mend it."""
        report = self()
        broken = report.about(check, subject)
        assert (broken["state"], report.status) == ("broken", 1), broken
        assert found in broken["found"]
        assert meaning in broken["meaning"]
        assert broken["commands"]
        self.run(broken["commands"])
        mended = self().about(check, subject)
        assert mended["state"] == "works", mended


@pytest.fixture(scope="session")
def patient(aws: EmulatedAws) -> EmulatedAws:
    """The emulated AWS with the stack."""
    deploy(aws)
    return aws


@pytest.fixture
def doctor(patient: EmulatedAws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(patient, monkeypatch, capsys)


@pytest.fixture
def examined(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> Examined:
    return Examined(doctor, monkeypatch)


@pytest.fixture
def deliver(examined: Examined, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deliver]:
    """Hand events to the function `diagnose`, whose clock is the test's. Returns the ids of messages that failed."""
    for key, value in examined.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("TABLE_NAME", examined.name)
    monkeypatch.setenv("TOPIC_ARN", examined.topic)
    monkeypatch.setenv("CANARY_ROLE_ARN", examined.role_arn)
    monkeypatch.setenv("PULL_RESPONDER_ROLE_ARNS", json.dumps([examined.role_arn]))

    def at_our_time(*given: Any, **named: Any) -> Run:  # noqa: ANN401 -- those of run_of
        return replace(run_of(*given, **named), now=examined.clock)

    monkeypatch.setattr(diagnose, "run_of", at_our_time)
    disconnect()
    diagnose.metrics.clear_metrics()
    yield lambda *events: failed(diagnose.handler(batch(*events), Context(invoked_function_arn=FUNCTION)))
    disconnect()
