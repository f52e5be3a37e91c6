"""Credentials that are not usable end `diagnose` before anything is claimed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest

from tests.integration.cli.test_diagnose import ACCOUNT, EVENTS, event, node, run

if TYPE_CHECKING:
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.cli.test_diagnose import Run

__all__ = ["node", "run"]

OTHER: Final = "222222222222"
DENIAL: Final = str(EVENTS / "ecr_denials" / "node_role_every_field.json")
IMAGE: Final = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/app:v1"


@pytest.mark.parametrize(
    "arguments", [("--event", DENIAL), ("--image", IMAGE, "--cluster", "prod")], ids=["event", "question"]
)
def test_an_access_key_that_aws_does_not_know(
    run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAQQQQQQQQQQQQQQQQ")
    ended = run("diagnose", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("pull-responder: AWS does not know the access key in the environment (")
    assert ended.err.count("\n") == 1


def test_no_credentials(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ended = run("diagnose", "--event", DENIAL)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == "pull-responder: no AWS credentials: run `aws configure sso` or `aws configure`\n"
    of_nobody = run("diagnose", "--event", str(min((EVENTS / "not_ours").glob("*.json"))))
    assert (of_nobody.status, of_nobody.err) == (0, "")


def test_credentials_of_an_account_that_the_event_is_not_about(run: Run) -> None:
    ended = run(
        "diagnose", "--event", "-", stdin=event("i-0123456789abcdef0", "x").replace(ACCOUNT.encode(), OTHER.encode())
    )
    assert (ended.status, ended.out) == (2, "")
    role = f"arn:aws:iam::{OTHER}:role/PullResponderReadOnly"
    assert ended.err.startswith(
        f"pull-responder: asked about account {OTHER}, but the credentials are of account {ACCOUNT} (from the"
        " environment), which may not assume the role PullResponderReadOnly there: run `export AWS_PROFILE=…` with a"
        f" profile of account {OTHER}. sts:AssumeRole of {role} failed: "
    )
    assert ended.err.count("\n") == 1


def test_another_account_s_event_is_answered_where_the_member_role_can_be_assumed(
    run: Run, aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = str(uuid4().int)[:12]
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}],
    }
    name = "TerminalReader"
    aws.client("iam", account=other).create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    monkeypatch.setenv("PULL_RESPONDER_MEMBER_ROLE", name)
    text = event("i-0123456789abcdef0", "node").replace(ACCOUNT.encode(), other.encode())
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=text)
    assert ended.err == ""
    assert ended.status in (1, 3)


def test_another_account_s_pull_from_our_registry_is_answered(run: Run, node: tuple[str, str, str]) -> None:
    """What the other account may do cannot be read, and our repository's policy can."""
    instance, role, repository = node
    text = json.loads(event(instance, role, repository=repository))
    text["detail"]["userIdentity"] = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{OTHER}:assumed-role/{role}/{instance}",
        "accountId": OTHER,
    }
    ended = run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(text).encode())
    assert ended.err == ""
    assert ended.objects


def test_a_profile_sets_the_credentials_and_a_region_is_no_other_than_the_image_s(
    run: Run, node: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    instance, role, repository = node
    config = f"[profile ours]\naws_access_key_id = {ACCOUNT}\naws_secret_access_key = test\n"
    (tmp_path / "config").write_text(config, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    text = event(instance, role, repository=repository)
    ended = run("diagnose", "--event", "-", "-o", "json", "--profile", "ours", "--region", "eu-central-1", stdin=text)
    assert [finding["cause"] for finding in ended.objects[0]["findings"]] == ["role_lacks_pull_permissions"]
    assert ended.objects[0]["pull"]["region"] == "us-east-1"
    nobody = run("diagnose", "--event", "-", "--profile", "theirs", stdin=text)
    assert (nobody.status, nobody.err) == (2, "pull-responder: there is no profile 'theirs'; there are ours\n")
