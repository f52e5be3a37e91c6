"""A terminal tells who reads from AWS in words of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console

from pull_responder.checks import role_lacks_pull_permissions
from pull_responder.cli.answered import Answered
from pull_responder.cli.as_json import diagnosis_object
from pull_responder.cli.own_words import in_own_words
from pull_responder.cli.undecided import next_line, show_undecided
from pull_responder.diagnosis import Diagnosis, Undecided
from pull_responder.facts.aws import describe_failure
from pull_responder.model.reason import Reason, Refusal
from pull_responder.next_steps import next_step
from pull_responder.pulls.puller import Puller
from tests.unit.publish.examples import PULL

CHECK = role_lacks_pull_permissions.CHECK


def answered(reason: str) -> Diagnosis:
    step = next_step(CHECK, reason, PULL)
    diagnosis = Diagnosis(
        PULL, Puller(for_eks=True, because="it is a node"), inconclusive=(Undecided(CHECK.id, reason, step),)
    )
    (answer,) = in_own_words([Answered(diagnosis, None)])
    assert isinstance(answer, Answered)
    return answer.diagnosis


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (
            ClientError({"Error": {"Code": "ValidationException", "Message": "x"}}, "x"),
            "Call iam:GetRole with your credentials, and look at what AWS answers.",
        ),
        (
            NoCredentialsError(),
            "Renew your credentials, and see that `aws sts get-caller-identity` works.",
        ),
        (
            EndpointConnectionError(endpoint_url="https://iam"),
            "See that this machine can reach AWS's API in that region: iam:GetRole got no answer.",
        ),
    ],
)
def test_a_failed_call_in_the_words_of_a_terminal(error: ClientError | BotoCoreError, step: str) -> None:
    reason = describe_failure("iam:GetRole", error).reason
    found = answered(reason)
    assert diagnosis_object(found)["inconclusive"][0] == {"cause": CHECK.id, "reason": reason, "next": step}
    assert "Pull Responder" not in next_line(found.inconclusive)


def test_what_to_grant_in_the_words_of_a_terminal() -> None:
    denied = Refusal("iam:GetRole", denied_by="service control policy")
    found = answered(Reason("iam:GetRole failed", denied))
    step = "Exempt the role or user of your credentials from the service control policy that denies iam:GetRole."
    assert found.inconclusive[0].next == step
    # Text makes the sentence anew, for all reasons at once.
    console = Console(width=200)
    with console.capture() as captured:
        show_undecided(console, found.inconclusive, ())
    assert step in captured.get()
    assert "Pull Responder" not in captured.get()


def test_nothing_else_is_changed() -> None:
    found = answered(Reason("Pull Responder's table was not read", "Look at it."))
    assert replace(found.inconclusive[0], next="").reason == "Pull Responder's table was not read"
    assert found.inconclusive[0].next == "Look at it."
