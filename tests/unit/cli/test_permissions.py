"""The policy and the ClusterRole that a terminal needs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner

from infra.permissions import SCOPES
from infra.terminal_scopes import module
from pull_responder import doctor
from pull_responder.cli import terminal_policy, trial_way
from pull_responder.cli.permissions import permissions
from pull_responder.cli.scopes import SCOPES as KEPT
from pull_responder.cli.terminal_policy import FOR, LONGEST, Place, actions, policy
from pull_responder.permissions import declared_permissions
from tests.unit.generate.test_generated import ROOT

ACCOUNT = "111122223333"


def allowed(document: dict[str, Any]) -> dict[str, list[str]]:
    return {action: each["Resource"] for each in document["Statement"] for action in each["Action"]}


def test_the_scopes_are_those_of_the_deployed_roles() -> None:
    file = ROOT / "lambdas" / "pull_responder" / "cli" / "scopes.py"
    assert file.read_text(encoding="utf-8") == module(), "cli/scopes.py is stale: run `make generate`"
    assert json.loads(KEPT).keys() == SCOPES.keys()


@pytest.mark.parametrize("command", FOR)
@pytest.mark.parametrize("place", [Place(), Place("aws-us-gov", ACCOUNT, "us-gov-east-1", "S" * 128)])
def test_a_policy_is_one_that_iam_takes(command: str, place: Place) -> None:
    made = policy(command, place, member_role="R" * 64, read_accounts=[ACCOUNT, "444455556666"])
    assert made["Version"] == "2012-10-17"
    assert len(re.sub(r"\s", "", json.dumps(made))) <= LONGEST
    sids = [each["Sid"] for each in made["Statement"]]
    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch(r"[A-Za-z0-9]+", each) for each in sids)
    assert {each["Effect"] for each in made["Statement"]} == {"Allow"}
    assert "{" not in json.dumps([each["Resource"] for each in made["Statement"]])


def test_a_policy_that_would_be_too_long_allows_the_same_in_fewer_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(account=ACCOUNT)
    whole = policy("diagnose", place, member_role="Reader")
    monkeypatch.setattr(terminal_policy, "LONGEST", 100)
    short = policy("diagnose", place, member_role="Reader")
    assert len(json.dumps(short)) < len(json.dumps(whole))
    for action, arns in allowed(whole).items():
        assert set(arns) <= set(allowed(short)[action])
    (resolver,) = [each for each in short["Statement"] if "route53resolver:GetResolverRule" in each["Action"]]
    assert "arn:aws:route53resolver:*:*:resolver-rule/*" in resolver["Resource"]
    assert {arn.split(":")[2] for arn in resolver["Resource"]} == {"route53resolver"}


def test_diagnose_may_read_what_the_function_reads_and_change_nothing() -> None:
    made = allowed(policy("diagnose", Place(account=ACCOUNT), member_role="Reader"))
    assert made.keys() == {*declared_permissions()["diagnose"]["read"], "sts:AssumeRole"}
    assert made["iam:GetRole"] == [f"arn:aws:iam::{ACCOUNT}:role/*"]
    assert made["ecr:DescribeImages"] == [f"arn:aws:ecr:*:{ACCOUNT}:repository/*"]
    assert made["sts:AssumeRole"] == ["arn:aws:iam::*:role/Reader"]
    readers = {"Describe", "Get", "List", "BatchGet", "Lookup", "Search"}
    changing = [each for each in made if not each.partition(":")[2].startswith(tuple(readers))]
    assert changing == ["sts:AssumeRole"]


def test_a_role_elsewhere_is_assumed_in_the_organization_and_in_named_accounts_only() -> None:
    made = policy("diagnose", Place(), member_role="Reader", read_accounts=["444455556666"])
    assuming = [each for each in made["Statement"] if each["Action"] == ["sts:AssumeRole"]]
    assert [(each["Resource"], each.get("Condition")) for each in assuming] == [
        (
            ["arn:aws:iam::*:role/Reader"],
            {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}},
        ),
        (["arn:aws:iam::444455556666:role/Reader"], None),
    ]


def test_doctor_and_test_event_name_the_stack_s_own_resources() -> None:
    place = Place(account=ACCOUNT, region="eu-west-1", stack="Watch")
    made = allowed(policy("doctor", place, member_role="Reader"))
    assert made.keys() >= set(doctor.PERMISSIONS)
    assert made["cloudformation:DescribeStacks"] == [f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/Watch/*"]
    assert made["lambda:GetFunction"] == [f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:Watch-*"]
    tested = allowed(policy("test-event", place, member_role="Reader"))
    assert tested.keys() >= set(trial_way.PERMISSIONS)
    assert tested["events:PutEvents"] == [f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/*"]
    assert tested["dynamodb:BatchGetItem"] == [f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/Watch-*"]
    assert actions("test-event") - actions("doctor") == {"events:PutEvents", "dynamodb:BatchGetItem"}


def test_it_prints_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULL_RESPONDER_MEMBER_ROLE", "Reader")
    monkeypatch.setenv("PULL_RESPONDER_READ_ACCOUNTS", '["444455556666"]')
    ended = CliRunner().invoke(permissions, ["--account", ACCOUNT, "-o", "json"])
    assert (ended.exit_code, ended.output.count("\n")) == (0, 1)
    expected = policy("diagnose", Place(account=ACCOUNT), member_role="Reader", read_accounts=["444455556666"])
    assert json.loads(ended.output) == expected
    shown = CliRunner().invoke(permissions, ["--account", ACCOUNT])
    assert json.loads(shown.output) == expected
    assert max(map(len, shown.output.splitlines())) < 100


def test_it_prints_the_cluster_role() -> None:
    role = json.loads(CliRunner().invoke(permissions, ["--kubernetes"]).output)
    assert (role["apiVersion"], role["kind"]) == ("rbac.authorization.k8s.io/v1", "ClusterRole")
    may = {
        (group, kind): rule["verbs"]
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for kind in rule["resources"]
    }
    assert may["", "pods"] == may["", "events"] == ["get", "list"]
    assert may["", "nodes"] == may["", "serviceaccounts"] == ["get"]
    # What kubectl is asked for, and nothing else.
    kinds = {("", "pods"), ("", "events"), ("events.k8s.io", "events"), ("", "nodes"), ("", "serviceaccounts")}
    assert may.keys() == kinds
    assert {verb for verbs in may.values() for verb in verbs} == {"get", "list"}


@pytest.mark.parametrize(
    ("option", "value"),
    [("--account", "1234"), ("--partition", "aws;x"), ("--region", "eu"), ("--stack", "a/b"), ("--account", "*")],
)
def test_what_is_no_name_is_refused(option: str, value: str) -> None:
    ended = CliRunner().invoke(permissions, [option, value])
    assert ended.exit_code == 2
    assert f"{option}: {value!r} cannot be one" in ended.output
