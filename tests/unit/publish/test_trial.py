"""What a test event tells whom: marked in every channel, and no fault in any."""

from __future__ import annotations

import json
import re

from pull_responder.publish.as_sms import parts, size
from pull_responder.publish.asff import size_of
from pull_responder.publish.trial import trial_notification
from pull_responder.publish.trial_finding import trial_finding
from tests.unit.publish.test_as_document import assert_documented

ACCOUNT, REGION, AT = "111111111111", "ap-southeast-4", 1_800_000_000.25
ID = "0123456789abcdef" * 2
PLACE = {"account": ACCOUNT, "region": REGION, "partition": "aws"}
TEST = trial_notification(ID, account=ACCOUNT, region=REGION, at=AT)


def test_every_channel_is_marked_as_a_test() -> None:
    document, chat = json.loads(TEST.texts["default"]), json.loads(TEST.texts["https"])

    for text in (TEST.subject, TEST.texts["email"], TEST.texts["sms"], chat["content"]["title"], document["headline"]):
        assert text.startswith("[TEST] ")
    assert (document["edge"], document["test"], document["action"]) == ("test", True, None)
    assert chat["metadata"]["eventType"] == "pull-responder-test"
    assert chat["content"]["keywords"] == ["INFORMATIONAL", "test"]
    assert "threadId" not in chat["metadata"]


def test_no_channel_says_that_nothing_is_broken() -> None:
    """A test sees no failures: while it runs, every pull may fail."""
    for text in (TEST.subject, *TEST.texts.values(), json.dumps(trial_finding(**PLACE, at=AT))):
        assert "no failure" in text
        assert not re.search("nothing is (broken|wrong)|all is well|works", text, re.IGNORECASE)


def test_the_texts_fit_where_they_are_shown() -> None:
    # SNS API Reference, Publish: fewer than 100 ASCII characters.
    assert re.fullmatch(r"[ -~]{1,99}", TEST.subject)
    assert parts(TEST.texts["sms"]) == 1 or size(TEST.texts["sms"]) <= 306
    assert TEST.size < 8_192


def test_the_document_is_documented_and_no_alert() -> None:
    document = json.loads(TEST.texts["default"])

    assert_documented(document)
    # Who reads alerts alone leaves it alone, and a queue that is filtered by this schema does not get it.
    assert document["schema"] != "pull-responder/notification"
    assert document["at"] == "2027-01-15T08:00:00Z"
    assert document["attributes"] == json.loads(TEST.message)["attributes"]


def test_whoever_filters_by_severity_account_or_region_gets_it() -> None:
    values = {name: json.loads(each["StringValue"]) if each["DataType"] == "String.Array" else [each["StringValue"]]
              for name, each in TEST.attributes.items()}  # fmt: skip

    assert values == {
        "severity": ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"],
        "cause": ["test"],
        "cluster": ["unknown"],
        "account": [ACCOUNT],
        "region": [REGION],
        "status": ["test"],
    }


def test_the_finding_is_a_test_and_archived_from_the_first() -> None:
    finding = trial_finding(**PLACE, at=AT)

    assert finding["Title"].startswith("TEST ")
    assert finding["FindingProviderFields"]["Severity"]["Label"] == "INFORMATIONAL"
    assert finding["RecordState"] == "ARCHIVED"
    assert finding["Compliance"] == {"Status": "NOT_AVAILABLE"}
    assert finding["UpdatedAt"] == "2027-01-15T08:00:00.250Z"
    assert finding["ProductArn"] == f"arn:aws:securityhub:{REGION}:{ACCOUNT}:product/{ACCOUNT}/default"
    # The customer's, and set by Security Hub.
    assert not {"Workflow", "Note", "Severity", "Region"} & set(finding)
    assert size_of(finding) < 4_096
