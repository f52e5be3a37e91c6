"""Findings into an emulated Security Hub, and what is made of its refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto.core import set_initial_no_auth_action_count

from pull_responder.findings.finding import Finding
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Severity
from pull_responder.publish.security_hub import ImportOutcome, Rejection, import_findings, to_asff
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

    from tests.integration.publish.conftest import Clock

REGION: Final = "eu-west-1"
NOW: Final = datetime(2026, 5, 4, 10, 12, 0, tzinfo=UTC)


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
    # The emulated Security Hub is never busy.
    with Stubber(hub) as refusing:
        refusing.add_client_error("batch_import_findings", code, "no, not\nnow", http_status_code=status)
        outcome = import_findings(hub, [asff("one")])

    assert outcome.imported == 0
    assert outcome.rejections == (Rejection("one", code, "no, not now", retryable=retryable),)
    assert bool(outcome.unavailable) is (code == "InvalidAccessException")


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
    assert outcome.unavailable.startswith("EndpointConnectionError: Could not connect to the endpoint URL")


def test_where_nothing_answers_nothing_is_waited_for(hub: SecurityHubClient, clock: Clock) -> None:
    calls: list[object] = []

    def lose(request: object, **_: object) -> None:
        calls.append(request)
        raise EndpointConnectionError(endpoint_url="https://securityhub.nowhere.amazonaws.com/")

    hub.meta.events.register("before-call.securityhub.BatchImportFindings", lambda params, **_: lose(params))
    names = [f"finding-{number:03}" for number in range(205)]

    outcome = import_findings(hub, [asff(name) for name in names], remaining=clock.remaining, wait=clock.wait)

    assert [each.finding_id for each in outcome.rejections] == names
    assert len(calls) == 1
    assert clock.waited == []


def test_where_security_hub_is_off_the_outcome_says_so(hub: SecurityHubClient, clock: Clock) -> None:
    hub.disable_security_hub()

    outcome = import_findings(hub, [asff("one"), asff("two")], remaining=clock.remaining, wait=clock.wait)

    assert outcome.unavailable == ("InvalidAccessException: Account 123456789012 is not subscribed to AWS Security Hub")
    assert [(each.finding_id, each.retryable) for each in outcome.rejections] == [("one", False), ("two", False)]
    assert clock.waited == []


def test_an_integration_that_is_off_is_reported_for_each_finding(hub: SecurityHubClient) -> None:
    # The emulated Security Hub has no integrations to switch off.
    failed = {"Id": "one", "ErrorCode": "InvalidAccess", "ErrorMessage": "not enabled"}
    with Stubber(hub) as refusing:
        refusing.add_response(
            "batch_import_findings", {"FailedCount": 1, "SuccessCount": 0, "FailedFindings": [failed]}
        )
        outcome = import_findings(hub, [asff("one")])

    assert outcome.unavailable == "InvalidAccess: not enabled"
    assert outcome.retryable == ()


def test_throttling_is_waited_out(hub: SecurityHubClient, clock: Clock) -> None:
    clock.refuse(hub, "BatchImportFindings", *[("LimitExceededException", 429)] * 4)

    outcome = import_findings(hub, [asff("one")], remaining=clock.remaining, wait=clock.wait)

    assert outcome == ImportOutcome(imported=1)
    assert stored(hub) == ["one"]
    assert len(clock.waited) == 4
    # Full jitter: anything up to a bound that doubles.
    assert all(0 <= waited <= bound for waited, bound in zip(clock.waited, (0.5, 1, 2, 4), strict=True))


def test_the_longest_wait_is_eight_seconds(hub: SecurityHubClient, clock: Clock) -> None:
    clock.left = 1_000_000
    clock.refuse(hub, "BatchImportFindings", *[("LimitExceededException", 429)] * 25)

    outcome = import_findings(hub, [asff("one")], remaining=clock.remaining, wait=clock.wait)

    assert outcome == ImportOutcome(imported=1)
    assert 4 < max(clock.waited) <= 8


def test_no_wait_and_no_call_goes_past_the_time_there_is(hub: SecurityHubClient, clock: Clock) -> None:
    clock.left = 20.0
    clock.refuse(hub, "BatchImportFindings", *[("LimitExceededException", 429)] * 10_000)
    names = [f"finding-{number:03}" for number in range(205)]

    outcome = import_findings(hub, [asff(name) for name in names], remaining=clock.remaining, wait=clock.wait)

    assert sum(clock.waited) <= 20.0
    assert outcome.imported == 0
    assert outcome.retryable == tuple(names)


def test_without_time_nothing_is_sent(hub: SecurityHubClient, clock: Clock) -> None:
    clock.left = 0.0

    outcome = import_findings(hub, [asff("one")], remaining=clock.remaining, wait=clock.wait)

    assert outcome.rejections == (Rejection("one", "OutOfTime", "no time was left to send it", retryable=True),)
    assert stored(hub) == []


def test_only_what_another_try_can_bring_in_is_sent_again(hub: SecurityHubClient, clock: Clock) -> None:
    # The emulated Security Hub rejects for one reason only.
    one, two, three = asff("one"), asff("two"), asff("three")
    failed = [
        {"Id": "one", "ErrorCode": "InternalFailure", "ErrorMessage": "try again"},
        {"Id": "three", "ErrorCode": "InvalidInput", "ErrorMessage": "no such field"},
    ]
    with Stubber(hub) as refusing:
        refusing.add_response(
            "batch_import_findings",
            {"FailedCount": 2, "SuccessCount": 1, "FailedFindings": failed},
            {"Findings": [one, two, three]},
        )
        refusing.add_response(
            "batch_import_findings", {"FailedCount": 0, "SuccessCount": 1, "FailedFindings": []}, {"Findings": [one]}
        )
        outcome = import_findings(hub, [one, two, three], remaining=clock.remaining, wait=clock.wait)
        refusing.assert_no_pending_responses()

    assert outcome == ImportOutcome(2, (Rejection("three", "InvalidInput", "no such field", retryable=False),))


def test_an_update_takes_the_place_of_what_was_sent(hub: SecurityHubClient) -> None:
    first = told(FINDING, created_at=NOW)
    import_findings(hub, [first])
    worse = told(
        replace(FINDING, severity=Severity.CRITICAL),
        created_at=NOW,
        updated_after=first["UpdatedAt"],
        reach=Reach(events=3, pods=("a/b",), pod_count=1),
    )
    import_findings(hub, [worse])

    [kept] = hub.get_findings()["Findings"]
    assert kept["CreatedAt"] == first["CreatedAt"]
    assert kept["UpdatedAt"] > first["UpdatedAt"]
    # Sent as the provider's only; the customer has not changed it at the top level.
    assert kept["Severity"]["Label"] == "CRITICAL"
    assert kept["ProductFields"]["pull-responder/pods"] == "a/b"


def test_an_update_within_the_same_millisecond_is_not_ignored(hub: SecurityHubClient) -> None:
    first = told(FINDING)
    ignored = told(replace(FINDING, explanation="Ignored."))
    import_findings(hub, [first, ignored])
    [before] = hub.get_findings()["Findings"]
    import_findings(hub, [told(replace(FINDING, explanation="Taken."), updated_after=first["UpdatedAt"])])
    [after] = hub.get_findings()["Findings"]

    assert before["Description"] == first["Description"]
    assert after["Description"].startswith("Taken.")


def test_what_customers_have_changed_stays(hub: SecurityHubClient) -> None:
    first = told(FINDING)
    import_findings(hub, [first])
    hub.batch_update_findings(
        FindingIdentifiers=[{"Id": first["Id"], "ProductArn": first["ProductArn"]}],
        Note={"Text": "asked the owner", "UpdatedBy": "jane"},
        Severity={"Label": "LOW"},
        UserDefinedFields={"ticket": "42"},
        VerificationState="TRUE_POSITIVE",
        Workflow={"Status": "NOTIFIED"},
    )
    import_findings(hub, [told(replace(FINDING, severity=Severity.CRITICAL), updated_after=first["UpdatedAt"])])

    [kept] = hub.get_findings()["Findings"]
    assert kept["Note"]["Text"] == "asked the owner"
    assert kept["UserDefinedFields"] == {"ticket": "42"}
    assert kept["VerificationState"] == "TRUE_POSITIVE"
    assert kept["Workflow"] == {"Status": "NOTIFIED"}
    assert kept["Severity"] == {"Label": "LOW"}
    assert kept["FindingProviderFields"]["Severity"]["Label"] == "CRITICAL"


def test_one_finding_goes_and_comes_back(hub: SecurityHubClient) -> None:
    opened = told(FINDING, created_at=NOW)
    closed = told(FINDING, created_at=NOW, updated_after=opened["UpdatedAt"], resolved_because="the role allows it.")
    back = told(FINDING, created_at=NOW, updated_after=closed["UpdatedAt"])
    seen = []
    for each in (opened, closed, back):
        import_findings(hub, [each])
        [kept] = hub.get_findings()["Findings"]
        seen.append((kept["Compliance"]["Status"], kept["RecordState"], kept["CreatedAt"]))

    created = "2026-05-04T10:12:00.000Z"
    assert seen == [("FAILED", "ACTIVE", created), ("PASSED", "ARCHIVED", created), ("FAILED", "ACTIVE", created)]


class Told(TypedDict, total=False):
    reach: Reach
    updated_after: str
    resolved_because: str


def told(finding: Finding, *, created_at: datetime | None = None, **more: Unpack[Told]) -> AwsSecurityFindingTypeDef:
    created = created_at.isoformat() if created_at else None
    return to_asff(finding, account="123456789012", region=REGION, partition="aws", now=NOW, created_at=created, **more)
