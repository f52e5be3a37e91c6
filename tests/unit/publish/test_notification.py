"""One notification in all its formats: what to filter by, and how much room there is."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.findings.alert import MOST_CAUSES, Alert
from pull_responder.findings.notice import Edge, Notice
from pull_responder.model.verdict import Severity
from pull_responder.publish.attributes import alert_values, digest_values, message_attributes
from pull_responder.publish.notification import Notification, alert_notification, digest_notification
from pull_responder.publish.style import Style
from tests.unit.publish.examples import FINDING, PULL
from tests.unit.publish.notices import ALERT, BOTH, NOTICE, alerts, notices

# What SQS delivers (API Reference, SendMessage), line breaks and tabs included.
DELIVERED = re.compile("[\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


def test_each_protocol_gets_its_own_text() -> None:
    notification = alert_notification(ALERT)

    texts = json.loads(notification.message)
    assert list(texts) == ["default", "email", "sms", "https", "attributes"]
    # A filter policy on the body finds these in the message and in the document.
    assert texts["attributes"] == json.loads(texts["default"])["attributes"]
    assert json.loads(texts["default"])["schema"] == "pull-responder/notification"
    assert texts["email"].startswith("NEW HIGH: The role lacks permissions to pull (role/eks/prod-node). ")
    assert texts["sms"].startswith("NEW HIGH: The role lacks permissions to pull (prod-node). 14 pods ")
    assert json.loads(texts["https"])["source"] == "custom"


@pytest.mark.parametrize("edge", Edge)
def test_the_attributes_of_a_notice_are_those_of_the_alert_but_for_the_status(edge: Edge) -> None:
    attributes = alert_notification(Alert.alone(replace(NOTICE, edge=edge))).attributes

    assert {each["DataType"] for each in attributes.values()} == {"String"}
    assert {name: each["StringValue"] for name, each in attributes.items()} == {
        "severity": "HIGH",
        "cause": "role_lacks_pull_permissions",
        "cluster": "prod",
        "account": "111111111111",
        "region": "eu-west-1",
        "status": edge.value,
    }


def test_the_attributes_of_several_causes_are_those_of_each() -> None:
    attributes = alert_notification(BOTH).attributes

    assert attributes["cause"] == {
        "DataType": "String.Array",
        "StringValue": '["role_lacks_pull_permissions", "permissions_boundary_blocks_pull"]',
    }
    assert attributes["severity"] == {"DataType": "String", "StringValue": "HIGH"}


@pytest.mark.parametrize("cluster", [None, "", "\x1b[0m"])
def test_an_attribute_is_never_absent(cluster: str | None) -> None:
    values = alert_values(Alert.alone(replace(NOTICE, finding=replace(FINDING, cluster=cluster))))

    assert message_attributes(values)["cluster"] == {"DataType": "String", "StringValue": "unknown"}


def test_version_1_can_be_kept() -> None:
    style = Style(schema="1.0")

    alert = json.loads(alert_notification(ALERT, style).texts["default"])
    digest = json.loads(digest_notification([NOTICE], style).texts["default"])

    assert (alert["version"], alert["finding"]["id"]) == ("1.0", FINDING.id)
    assert (digest["version"], "causes" in digest) == ("1.0", False)


def test_a_digest_is_filtered_by_the_values_of_all_its_findings() -> None:
    other = replace(FINDING, cause="no_route_to_ecr", cluster=None, severity=Severity.CRITICAL)

    attributes = digest_notification([NOTICE, NOTICE, replace(NOTICE, finding=other)]).attributes

    assert attributes == {
        "severity": {"DataType": "String.Array", "StringValue": '["CRITICAL", "HIGH"]'},
        "cause": {"DataType": "String.Array", "StringValue": '["no_route_to_ecr", "role_lacks_pull_permissions"]'},
        "cluster": {"DataType": "String.Array", "StringValue": '["unknown", "prod"]'},
        "account": {"DataType": "String", "StringValue": "111111111111"},
        "region": {"DataType": "String", "StringValue": "eu-west-1"},
        "status": {"DataType": "String", "StringValue": "digest"},
    }


def test_the_lists_of_a_digest_are_bounded() -> None:
    many = [replace(NOTICE, finding=replace(FINDING, cluster=f"cluster-{number:0100}")) for number in range(1_000)]

    assert 100 < len(digest_values(many)["cluster"]) < 200


def _assert_taken(notification: Notification) -> None:
    attributes = sum(
        len(f"{name}{each['DataType']}{each['StringValue']}".encode()) for name, each in notification.attributes.items()
    )
    assert len(notification.message.encode()) + attributes <= 262_144
    assert set(notification.attributes) == {"severity", "cause", "cluster", "account", "region", "status"}
    assert all(each["StringValue"].strip() for each in notification.attributes.values())
    assert all(DELIVERED.fullmatch(each) for each in notification.texts.values())
    assert len(notification.texts["sms"]) <= 306


@pytest.mark.parametrize("character", ["x", '"', "\\", "\n", "é", "容", "🐳", "<", "&", "`", "\x1b", "://", "www."])
def test_the_longest_notice_fits(character: str) -> None:
    """All that is anybody's text is full of the one character, far beyond every bound."""
    long = character * 6_000
    pull = replace(
        PULL, repository=long, tag=long, digest=long, cluster=long, node=long, namespace=long, pod=long, event_id=long
    )
    fix = replace(FINDING.remediation, summary=long, commands=(("aws", character * 900),) * 100)
    finding = replace(
        FINDING,
        title=long,
        resource=replace(FINDING.resource, id=long),
        explanation=long,
        evidence=(long,) * 20,
        remediation=fix,
        pull=pull,
        cluster=long,
    )
    reach = replace(NOTICE.reach, pods=(long,) * 20, nodes=(long,) * 20, pod_count=20, node_count=20)
    notice = replace(NOTICE, finding=finding, reach=reach, because=long)

    _assert_taken(alert_notification(Alert.alone(notice)))
    _assert_taken(alert_notification(Alert(long, (notice,) * MOST_CAUSES, (finding,) * MOST_CAUSES, reach)))
    _assert_taken(digest_notification([notice] * 30))


def test_a_storm_fits_into_one_digest() -> None:
    storm = [
        replace(NOTICE, finding=replace(FINDING, id=f"pull-responder/{number}", cluster=f"cluster-{number}"))
        for number in range(3_000)
    ]

    notification = digest_notification(storm)

    _assert_taken(notification)
    document = json.loads(notification.texts["default"])
    assert document["count"] == 3_000
    assert len(document["findings"]) > 40


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(alerts)
def test_sns_takes_every_alert(alert: Alert) -> None:
    _assert_taken(alert_notification(alert))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=30)
@given(st.lists(notices, min_size=1, max_size=20))
def test_sns_takes_every_digest(digest: list[Notice]) -> None:
    _assert_taken(digest_notification(digest))
