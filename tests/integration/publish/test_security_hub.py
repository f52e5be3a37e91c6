"""Findings into an emulated Security Hub, and what is made of its refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from pull_responder.publish.security_hub import ImportOutcome, Rejection, import_findings, to_asff
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

REGION: Final = "eu-west-1"
NOW: Final = datetime(2026, 5, 4, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecurityHubClient]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("securityhub", region_name=REGION)


def asff(name: str) -> AwsSecurityFindingTypeDef:
    finding = replace(FINDING, id=name)
    return to_asff(finding, account="123456789012", region=REGION, partition="aws", now=NOW)


def stored(hub: SecurityHubClient) -> list[str]:
    pages = hub.get_paginator("get_findings").paginate()
    return [finding["Id"] for page in pages for finding in page["Findings"]]


def test_security_hub_stores_the_finding_as_sent(hub: SecurityHubClient) -> None:
    sent = asff(FINDING.id)

    outcome = import_findings(hub, [sent])

    assert outcome == ImportOutcome(imported=1)
    [kept] = hub.get_findings()["Findings"]
    assert {name: kept.get(name) for name in sent} == sent


def test_more_findings_than_a_call_takes_are_sent_in_several(hub: SecurityHubClient) -> None:
    calls: list[int] = []
    hub.meta.events.register(
        "before-parameter-build.securityhub.BatchImportFindings",
        lambda params, **_: calls.append(len(params["Findings"])),
    )
    names = [f"finding-{number:03}" for number in range(205)]

    outcome = import_findings(hub, [asff(name) for name in names])

    assert outcome == ImportOutcome(imported=205)
    assert calls == [100, 100, 5]
    assert sorted(stored(hub)) == names


def test_a_call_stays_under_6_mb(hub: SecurityHubClient) -> None:
    sizes: list[int] = []
    hub.meta.events.register(
        "before-call.securityhub.BatchImportFindings", lambda params, **_: sizes.append(len(params["body"]))
    )
    evidence = tuple("🐳" * 2_048 for _ in range(12))
    big = to_asff(replace(FINDING, evidence=evidence), account="123456789012", region=REGION, partition="aws", now=NOW)

    outcome = import_findings(hub, [{**big, "Id": f"finding-{number}"} for number in range(30)])

    assert outcome == ImportOutcome(imported=30)
    assert len(sizes) == 2
    assert max(sizes) <= 6_000_000


def test_nothing_to_import_calls_nobody(hub: SecurityHubClient) -> None:
    with Stubber(hub) as nobody:
        assert import_findings(hub, []) == ImportOutcome()
        nobody.assert_no_pending_responses()


def test_a_rejected_finding_is_named_and_the_others_arrive(hub: SecurityHubClient) -> None:
    broken: AwsSecurityFindingTypeDef = {**asff("broken"), "Resources": []}

    outcome = import_findings(hub, [asff("first"), broken, asff("last")])

    assert outcome.imported == 2
    assert [(each.finding_id, each.code, each.retryable) for each in outcome.rejections] == [
        ("broken", "InvalidInput", False)
    ]
    assert "at least one resource" in outcome.rejections[0].reason
    assert stored(hub) == ["first", "last"]


def test_a_rejection_that_passes_is_worth_another_try(hub: SecurityHubClient) -> None:
    # Moto rejects for one reason only.
    with Stubber(hub) as refusing:
        refusing.add_response(
            "batch_import_findings",
            {
                "FailedCount": 2,
                "SuccessCount": 0,
                "FailedFindings": [
                    {"Id": "one", "ErrorCode": "InternalFailure", "ErrorMessage": "try\nagain\x1b[0m"},
                    {"Id": "two", "ErrorCode": "InvalidInput", "ErrorMessage": "no such field"},
                ],
            },
        )
        outcome = import_findings(hub, [asff("one"), asff("two")])

    assert outcome == ImportOutcome(
        imported=0,
        rejections=(
            Rejection("one", "InternalFailure", "try again", retryable=True),
            Rejection("two", "InvalidInput", "no such field", retryable=False),
        ),
    )
    assert outcome.retryable == ("one",)


def test_without_the_permission_nothing_is_raised_or_retried(hub: SecurityHubClient) -> None:
    boto3.client("iam").create_user(UserName="nobody")
    key = boto3.client("iam").create_access_key(UserName="nobody")["AccessKey"]
    client = boto3.client(
        "securityhub",
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )

    enforced = set_initial_no_auth_action_count(0)(import_findings)
    outcome = enforced(client, [asff("one")])

    assert [(each.finding_id, each.retryable) for each in outcome.rejections] == [("one", False)]
    # Moto answers in XML, where the code cannot be found.
    assert "not authorized to perform: securityhub:BatchImportFindings" in outcome.rejections[0].reason
    assert stored(hub) == []


@pytest.mark.parametrize(
    ("code", "status", "retryable"),
    [
        # "Account … is not subscribed to AWS Security Hub": it is off in this region.
        ("InvalidAccessException", 401, False),
        ("AccessDeniedException", 403, False),
        ("ValidationException", 400, False),
        ("InvalidInputException", 400, False),
        ("LimitExceededException", 429, True),
        ("TooManyRequestsException", 429, True),
        ("ThrottlingException", 400, True),
        ("InternalException", 500, True),
        ("ServiceUnavailableException", 503, True),
        ("SomethingNew", 502, True),
    ],
)
def test_a_refused_call_says_whether_another_try_can_help(
    hub: SecurityHubClient, code: str, status: int, *, retryable: bool
) -> None:
    # Moto's Security Hub is always on, and never busy.
    with Stubber(hub) as refusing:
        refusing.add_client_error("batch_import_findings", code, "no, not\nnow", http_status_code=status)
        outcome = import_findings(hub, [asff("one")])

    assert outcome == ImportOutcome(0, (Rejection("one", code, "no, not now", retryable=retryable),))


def test_one_malformed_finding_does_not_keep_the_call_from_the_others(hub: SecurityHubClient) -> None:
    # Moto judges findings one by one and never refuses a call.
    one, two, three = asff("one"), asff("two"), asff("three")
    answer = {"FailedCount": 0, "SuccessCount": 1, "FailedFindings": []}
    with Stubber(hub) as refusing:
        refusing.add_client_error(
            "batch_import_findings", "InvalidInputException", expected_params={"Findings": [one, two, three]}
        )
        refusing.add_response("batch_import_findings", answer, {"Findings": [one]})
        refusing.add_client_error(
            "batch_import_findings", "InvalidInputException", expected_params={"Findings": [two, three]}
        )
        refusing.add_client_error("batch_import_findings", "InvalidInputException", expected_params={"Findings": [two]})
        refusing.add_response("batch_import_findings", answer, {"Findings": [three]})
        outcome = import_findings(hub, [one, two, three])
        refusing.assert_no_pending_responses()

    assert outcome.imported == 2
    assert [(each.finding_id, each.retryable) for each in outcome.rejections] == [("two", False)]


def test_a_region_without_an_endpoint_raises_nothing() -> None:
    client = boto3.client(
        "securityhub",
        region_name=REGION,
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )

    outcome = import_findings(client, [asff("one"), asff("two")])

    assert [(each.finding_id, each.code, each.retryable) for each in outcome.rejections] == [
        ("one", "EndpointConnectionError", True),
        ("two", "EndpointConnectionError", True),
    ]
