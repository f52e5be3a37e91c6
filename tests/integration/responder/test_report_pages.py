"""With a bucket for them, the page of each diagnosis is kept, and notifications link to it once it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.publish.report_pages import page_key
from tests.integration.responder.scene import ACCOUNT, REGION, Scene
from tests.unit.page.parsed import Parsed

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


UNWRITTEN = "the page of a diagnosis could not be written"


@pytest.fixture
def bucket(scene: Scene) -> str:
    name = f"reports-{uuid4().hex[:8]}"
    scene.aws.client("s3").create_bucket(Bucket=name)
    return name


def pages(scene: Scene, bucket: str) -> dict[str, str]:
    """The pages in the bucket by their keys."""
    s3: S3Client = scene.aws.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    return {each: s3.get_object(Bucket=bucket, Key=each)["Body"].read().decode() for each in keys}


def findings(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for document in told for each in document["findings"]]


def test_the_page_is_kept_and_the_notification_links_to_it(scene: Scene, bucket: str) -> None:
    node = scene.node_group()
    assert scene.respond(node.denied(scene.clock.now), REPORT_BUCKET=bucket) == []
    ((key, page),) = pages(scene, bucket).items()
    found = Parsed(page)
    assert found.texts("h1") == [f"The role does not allow the pull (role/{node.role})"]
    assert any(f"aws iam attach-role-policy --role-name {node.role}" in each for each in found.texts("code"))
    assert f"cluster {node.role}" not in found.texts("title")
    (told,) = findings(scene.told())
    assert told["report_url"] == (
        f"https://{REGION}.console.aws.amazon.com/s3/object/{bucket}?region={REGION}&prefix={key}"
    )
    head = scene.aws.client("s3").head_object(Bucket=bucket, Key=key)
    assert head["ContentType"] == "text/html; charset=utf-8"


def test_without_a_bucket_there_is_no_page_and_no_link(scene: Scene, bucket: str) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now))
    assert pages(scene, bucket) == {}
    (told,) = findings(scene.told())
    assert told["report_url"] is None


def test_a_page_that_cannot_be_written_is_logged_and_people_are_told_all_the_same(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    node = scene.node_group()
    assert scene.respond(node.denied(scene.clock.now), REPORT_BUCKET="a-bucket-that-is-gone") == []
    (told,) = findings(scene.told())
    assert told["report_url"] is None
    assert told["remediation"]["commands"]
    (line,) = [each for each in caplog.records if each.getMessage() == UNWRITTEN]
    assert "NoSuchBucket" in line.reason  # type: ignore[attr-defined]  # what Powertools adds


def test_a_page_that_cannot_be_made_costs_no_finding(
    scene: Scene, bucket: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fault(*_: object, **__: object) -> str:
        raise KeyError("a fault of ours")

    monkeypatch.setattr("pull_responder.page.diagnosis_page.diagnosis_page", fault)
    node = scene.node_group()
    assert scene.respond(node.denied(scene.clock.now), REPORT_BUCKET=bucket) == []
    (told,) = findings(scene.told())
    assert (told["report_url"], pages(scene, bucket)) == (None, {})
    (line,) = [each for each in caplog.records if each.getMessage() == UNWRITTEN]
    assert "a fault of ours" in line.reason  # type: ignore[attr-defined]  # what Powertools adds


def test_a_bucket_of_another_account_gets_nothing(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    name = f"theirs-{uuid4().hex[:8]}"
    theirs = scene.aws.client("s3", account="222222222222")
    theirs.create_bucket(Bucket=name)
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now), REPORT_BUCKET=name)
    assert theirs.list_objects_v2(Bucket=name).get("Contents", []) == []
    assert [each.getMessage() for each in caplog.records].count(UNWRITTEN) == 1


def test_the_same_problem_has_the_same_page_and_what_is_resolved_still_links_to_it(scene: Scene, bucket: str) -> None:
    node = scene.node_group()
    scene.respond(node.denied(scene.clock.now), REPORT_BUCKET=bucket)
    scene.clock.forward(minutes=20)
    scene.respond(node.denied(scene.clock.now), REPORT_BUCKET=bucket)
    assert len(pages(scene, bucket)) == 1
    scene.told()
    made = scene.allow(node)
    scene.recheck(made, REPORT_BUCKET=bucket)
    scene.clock.forward(minutes=6)
    scene.recheck(REPORT_BUCKET=bucket)
    (told,) = findings(scene.told())
    assert told["state"] == "resolved"
    assert told["report_url"].endswith(next(iter(pages(scene, bucket))))


def test_a_key_says_nothing_of_what_it_is_about() -> None:
    key = page_key("problem/secret-name")
    assert key.startswith("problems/")
    assert key.endswith(".html")
    assert "secret" not in key
    assert key == page_key("problem/secret-name") != page_key("problem/another")
    assert ACCOUNT not in key
