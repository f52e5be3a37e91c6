"""`diagnose --report` against the emulated AWS: what the page says, and what becomes of a file that is there."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pull_responder.cli import answering
from tests.integration.cli.test_diagnose import EVENTS, event, node, run
from tests.unit.cli.kubectl import printed
from tests.unit.page.parsed import Parsed

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.cli.test_diagnose import Run

__all__ = ["node", "run"]

Node = tuple[str, str, str]


def test_the_page_has_the_cause_its_fix_and_the_policy_that_decides(
    run: Run, aws: EmulatedAws, node: Node, tmp_path: Path
) -> None:
    instance, role, repository = node
    statement = {
        "Sid": "Another",
        "Effect": "Allow",
        "Action": "ecr:BatchGetImage",
        "Resource": "arn:aws:ecr:*:*:repository/b",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(RoleName=role, PolicyName="another", PolicyDocument=document)
    file = tmp_path / "report.html"
    ended = run("diagnose", "--event", "-", "--report", str(file), stdin=event(instance, role, repository=repository))
    assert ended.status == 1
    assert "role_lacks_pull_permissions" in ended.out
    found = Parsed(file.read_text(encoding="utf-8"))
    assert found.texts("h1") == [f"The role does not allow the pull (role/{role})"]
    assert f"aws iam attach-role-policy --role-name {role}" in found.texts("div", "command")[0]
    assert json.loads(found.texts("mark")[0].rstrip(",")) == statement
    assert 'Inline policy another: statement "Another" comes nearest to allowing it' in found.texts("p")
    assert any("repository_not_found" in each for each in found.texts("li"))
    (raw,) = (each.text for each in found.all("pre") if each.attributes.get("aria-label") == "JSON")
    assert json.loads(raw)["pull"]["repository"] == repository


def test_the_page_shows_the_statement_that_denies(run: Run, aws: EmulatedAws, node: Node, tmp_path: Path) -> None:
    instance, role, repository = node
    pull_only = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
    aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=pull_only)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("ecr").set_repository_policy(repositoryName=repository, policyText=document)
    file = tmp_path / "report.html"
    run("diagnose", "--event", "-", "--report", str(file), stdin=event(instance, role, repository=repository))
    found = Parsed(file.read_text(encoding="utf-8"))
    assert json.loads(found.texts("mark")[0]) == statement
    assert "The repository policy: statement 0, counted from 0, denies the pull" in found.texts("p")
    # Later tests look at all repositories of the account.
    aws.client("ecr").delete_repository_policy(repositoryName=repository)


def test_an_event_that_is_not_ours_makes_a_page_that_says_so(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    (told, *_) = sorted((EVENTS / "not_ours").glob("*.json"))
    ended = run("diagnose", "--event", str(told), "--report", str(file))
    assert ended.status == 0
    found = Parsed(file.read_text(encoding="utf-8"))
    assert found.texts("h1") == ["No pull from Amazon ECR was asked about"]
    assert ended.out == f"Skipped: {found.texts('li')[0]}\n"


def test_a_file_that_is_there_is_replaced_and_nothing_else_is_left(run: Run, node: Node, tmp_path: Path) -> None:
    instance, role, repository = node
    file = tmp_path / "report.html"
    said = event(instance, role, repository=repository)
    run("diagnose", "--event", "-", "--report", str(file), stdin=said)
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask
    file.write_text("old")
    file.chmod(0o600)
    run("diagnose", "--event", "-", "--report", str(file), stdin=said)
    assert file.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/report.html", "--report: there is no folder {0}/missing"),
        (".", "--report: {0}/. is a folder"),
        ("", "--report is not the name of a file"),
        ("-", "--report is not the name of a file"),
        ("a\0b", "--report is not the name of a file"),
        ("n" * 300, "File name too long"),
        ("pipe", "--report: {0}/pipe is not a file"),
        ("circle", "circle"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, words: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    monkeypatch.setattr(answering, "read_given", lambda *_: pytest.fail("the event was read"))
    ended = run(
        "diagnose", "--event", "-", "--report", f"{tmp_path}/{name}" if name not in {"", "-"} else name, stdin=b"{}"
    )
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith("pull-responder: ")
    assert ended.err.count("\n") == 1
    assert words.format(tmp_path) in ended.err


def test_the_file_that_is_read_is_not_overwritten(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text("{}")
    (tmp_path / "link").symlink_to(file)
    ended = run("diagnose", str(file), "--report", str(tmp_path / "link"))
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "link' is the file to read" in ended.err
    assert file.read_text() == "{}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_said_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    ended = run("diagnose", "--event", "-", "--report", str(tmp_path / "r.html"), stdin=b"{}")
    tmp_path.chmod(0o700)
    assert (ended.status, ended.out) == (2, "")
    assert "permission denied" in ended.err


def test_a_disk_that_is_full_is_one_line_and_keeps_what_was_there(
    run: Run, node: Node, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    instance, role, repository = node
    file = tmp_path / "report.html"
    file.write_text("old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    ended = run("diagnose", "--event", "-", "--report", str(file), stdin=event(instance, role, repository=repository))
    assert ended.status == 2
    assert "role_lacks_pull_permissions" in ended.out
    assert ended.err == f"pull-responder: --report: {file} cannot be written: No space left on device\n"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
    assert file.read_text() == "old"


def test_the_raw_facts_are_those_that_json_prints(run: Run, node: Node, tmp_path: Path) -> None:
    instance, _, repository = node
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{repository}:1"
    message = f'Failed to pull image "{image}": unexpected status from HEAD request to https://x: 403 Forbidden'
    pods = printed.listed(*(printed.pod(name, node=instance, image=image, message=message) for name in ("a", "b")))
    file = tmp_path / "report.html"
    ended = run("diagnose", "-", "-o", "json", "--report", str(file), stdin=printed.as_json(pods))
    (raw,) = (each.text for each in Parsed(file.read_text()).all("pre") if each.attributes.get("aria-label") == "JSON")
    assert json.loads(raw) == ended.objects[0]
    assert ended.objects[0]["pods"]["names"] == ["shop/a", "shop/b"]
