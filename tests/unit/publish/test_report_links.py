"""A message links to the page of its diagnosis: to the console, where AWS asks who opens it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.findings.alert import Alert
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.publish.as_document import alert_document
from pull_responder.publish.as_text import body
from pull_responder.publish.chat import chat_notification
from pull_responder.publish.console import object_url
from pull_responder.publish.style import Style
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from typing import Any

URL = "https://eu-west-1.console.aws.amazon.com/s3/object/reports-1?region=eu-west-1&prefix=problems/ab12.html"
STYLE = Style(report_bucket="reports-1", region="eu-west-1")
NOTICE = Notice(
    Edge.NEW, FINDING, Reach(events=1), "2026-05-04T10:12:00Z", "2026-05-04T10:11:12Z", page="problems/ab12.html"
)
ALERT = Alert.alone(NOTICE)
WITHOUT = Alert.alone(replace(NOTICE, page=""))


def chat(alert: Alert, style: Style) -> str:
    message: dict[str, Any] = chat_notification(alert, style)
    description: str = message["content"]["description"]
    return description


def test_mail_chat_and_json_have_the_link() -> None:
    assert f"  Report: {URL}" in body(ALERT, room=10_000, style=STYLE).splitlines()
    assert f"Report: {URL}" in chat(ALERT, STYLE)
    (found,) = alert_document(ALERT, room=10_000, style=STYLE)["findings"]
    assert found["report_url"] == URL


@pytest.mark.parametrize(("alert", "style"), [(WITHOUT, STYLE), (ALERT, Style()), (WITHOUT, Style())])
def test_without_a_page_or_a_bucket_there_is_none(alert: Alert, style: Style) -> None:
    assert "Report:" not in body(alert, room=10_000, style=style)
    assert "Report:" not in chat(alert, style)
    assert alert_document(alert, room=10_000, style=style)["findings"][0]["report_url"] is None


def test_several_findings_of_one_page_have_one_line() -> None:
    other = replace(NOTICE, finding=replace(FINDING, id="other", cause="repository_policy_denies_pull"))
    text = body(replace(ALERT, notices=(NOTICE, other)), room=10_000, style=STYLE)
    assert text.count("Report: ") == 1


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("cn-north-1", "https://console.amazonaws.cn/s3/object/b?region=cn-north-1&prefix=problems/k"),
        ("us-gov-west-1", "https://console.amazonaws-us-gov.com/s3/object/b?region=us-gov-west-1&prefix=problems/k"),
        ("us-isob-east-1", None),
        ("", None),
    ],
)
def test_each_partition_has_its_console(region: str, url: str | None) -> None:
    assert object_url("b", "problems/k", region) == url
