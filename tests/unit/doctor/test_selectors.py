"""Which management events a trail's selectors let through."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.doctor.selectors import logs_events, widened

ECR = "ecr.amazonaws.com"
READS = ("GetAuthorizationToken", "BatchGetImage")
MANAGEMENT = {"Field": "eventCategory", "Equals": ["Management"]}
DATA = {"Field": "eventCategory", "Equals": ["Data"]}


def basic(**selector: Any) -> dict[str, Any]:  # noqa: ANN401 -- fields of an EventSelector
    return {"EventSelectors": [selector]}


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"AdvancedEventSelectors": [{"FieldSelectors": [MANAGEMENT, *fields]}]}


@pytest.mark.parametrize(
    ("answer", "reads", "writes"),
    [
        (basic(ReadWriteType="All", IncludeManagementEvents=True), True, True),
        (basic(), True, True),
        (basic(ReadWriteType="ReadOnly", IncludeManagementEvents=True), True, False),
        (basic(ReadWriteType="WriteOnly", IncludeManagementEvents=True), False, True),
        (basic(ReadWriteType="All", IncludeManagementEvents=False), False, False),
        (basic(ExcludeManagementEventSources=["kms.amazonaws.com"]), True, True),
        (basic(ExcludeManagementEventSources=[ECR]), False, False),
        ({"EventSelectors": [{"IncludeManagementEvents": False}, {"ReadWriteType": "ReadOnly"}]}, True, False),
        ({}, False, False),
        (advanced(), True, True),
        (advanced({"Field": "readOnly", "Equals": ["true"]}), True, False),
        (advanced({"Field": "readOnly", "Equals": ["false"]}), False, True),
        (advanced({"Field": "readOnly", "NotEquals": ["true"]}), False, True),
        (advanced({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}), True, True),
        (advanced({"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", ECR]}), False, False),
        (advanced({"Field": "eventSource", "Equals": ["iam.amazonaws.com", ECR]}), True, True),
        (advanced({"Field": "eventSource", "Equals": ["iam.amazonaws.com"]}), False, False),
        (advanced({"Field": "eventSource", "NotStartsWith": ["e"]}), False, False),
        (advanced({"Field": "eventName", "NotEndsWith": ["Token"]}), False, True),
        (advanced({"Field": "userIdentity.arn", "NotEquals": ["arn:aws:iam::111122223333:role/x"]}), None, None),
        (
            advanced({"Field": "readOnly", "Equals": ["false"]}, {"Field": "userIdentity.arn", "Equals": ["x"]}),
            False,
            None,
        ),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]},
            False,
            False,
        ),
    ],
)
def test_what_a_trail_logs(answer: dict[str, Any], reads: object, writes: object) -> None:
    assert logs_events(answer, source=ECR, names=READS, read_only=True) is reads
    assert logs_events(answer, source=ECR, names=("SetRepositoryPolicy",), read_only=False) is writes


def test_two_selectors_that_let_one_call_through_each_let_both_through() -> None:
    halves = [{"FieldSelectors": [MANAGEMENT, {"Field": "eventName", "Equals": [name]}]} for name in READS]
    assert logs_events({"AdvancedEventSelectors": halves}, source=ECR, names=READS, read_only=True) is True
    assert logs_events({"AdvancedEventSelectors": halves[:1]}, source=ECR, names=READS, read_only=True) is False


def test_what_was_kept_out_for_its_volume_stays_out() -> None:
    answer = advanced(
        {"Field": "readOnly", "Equals": ["false"]}, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", ECR]}
    )

    option, selectors = widened(answer, source=ECR)

    assert option == "advanced_event_selectors"
    assert selectors == [
        {
            "Name": "Management events",
            "FieldSelectors": [MANAGEMENT, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}],
        }
    ]
    assert logs_events({"AdvancedEventSelectors": selectors}, source=ECR, names=READS, read_only=True) is True


def test_selectors_of_data_events_stay_as_they_are() -> None:
    """Their ReadWriteType is that of their data events, too: each object that is read would be logged, and cost."""
    objects = {
        "ReadWriteType": "WriteOnly",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
        "ExcludeManagementEventSources": ["kms.amazonaws.com"],
    }
    writes = {"ReadWriteType": "WriteOnly", "ExcludeManagementEventSources": [ECR, "rdsdata.amazonaws.com"]}

    option, selectors = widened({"EventSelectors": [objects, writes]}, source=ECR)

    assert option == "event_selectors"
    assert selectors == [
        objects,
        {
            "ReadWriteType": "All",
            "IncludeManagementEvents": True,
            "DataResources": [],
            "ExcludeManagementEventSources": ["kms.amazonaws.com", "rdsdata.amazonaws.com"],
        },
    ]
    assert logs_events({"EventSelectors": selectors}, source=ECR, names=READS, read_only=True) is True


def test_a_trail_whose_five_selectors_are_all_of_data_events_has_no_room() -> None:
    full = [{"IncludeManagementEvents": False, "DataResources": [{"Type": "x"}]}] * 5
    assert widened({"EventSelectors": full}, source=ECR) == ("event_selectors", [])
    assert len(widened({"EventSelectors": full[:4]}, source=ECR)[1]) == 5
