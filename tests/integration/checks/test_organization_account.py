"""Who is asked for the organization's policies, where neither we nor the management account can tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from pull_responder.cli.diagnose import diagnose as command
from pull_responder.facts.organizations import AccountPlace
from pull_responder.facts.reader import Reader
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.estate import REGION, explicit_deny, is_fixed_since, only, refuse
from tests.integration.checks.estate import deny as denying
from tests.integration.checks.organization import OURS, RCP, SCP, Organization, deny

if TYPE_CHECKING:
    from pathlib import Path

MANAGEMENT = "999999999999"
DELEGATED = "333333333333"
BLAMED = explicit_deny("service control policy")


@pytest.fixture
def organization(moto: None, monkeypatch: pytest.MonkeyPatch) -> Organization:  # noqa: ARG001 -- what it is created on
    """One whose policies a delegated administrator's account tells, and the management account does not."""
    organization = Organization.create(MANAGEMENT)
    organization.enable(SCP)
    organization.enable(RCP)
    organization.refuse(MANAGEMENT)
    organization.delegate(DELEGATED, monkeypatch)
    return organization


def test_a_policy_that_only_the_named_account_can_read(organization: Organization) -> None:
    arn = organization.control("no-ecr", denying("ecr:Batch*", Sid="NoEcr"), organization.nodes_unit)
    finding = only(organization.diagnose(organization_account=DELEGATED), "scp_blocks_pull")
    assert finding.evidence[0].startswith(f'{arn}, statement "NoEcr": ')
    # The named account may read; that it may change policies is not known. The management account may.
    assert finding.remediation.account == MANAGEMENT
    (command,) = finding.remediation.commands
    organization.run(command)
    assert is_fixed_since(organization.diagnose(BLAMED, organization_account=DELEGATED))


def test_a_resource_control_policy_that_only_the_named_account_can_read(organization: Organization) -> None:
    organization.control("no-ecr", refuse("*", "ecr:Batch*", Resource="*"), organization.registry_unit, RCP)
    diagnosis = organization.diagnose(owner=organization.registry, organization_account=DELEGATED)
    assert only(diagnosis, "rcp_blocks_pull").remediation.account == MANAGEMENT


def test_without_the_setting_it_is_open_and_both_accounts_are_named(organization: Organization) -> None:
    organization.control("no-ecr", denying("ecr:Batch*"), organization.nodes_unit)
    diagnosis = organization.diagnose()
    assert diagnosis.findings == ()
    for cause in ("scp_blocks_pull", "rcp_blocks_pull"):
        reason = {each.cause: each.reason for each in diagnosis.inconclusive}[cause]
        ours, management = reason.split("; ")
        assert ours.startswith(f"in account {OURS}: organizations:ListParents failed: ")
        assert management.startswith(f"in account {MANAGEMENT}: sts:AssumeRole of arn:aws:iam::{MANAGEMENT}:role/")
    # Then AWS's words decide.
    assert only(organization.diagnose(BLAMED), "scp_blocks_pull").remediation.commands == ()


@pytest.mark.parametrize("call", ["list_parents", "list_roots", "list_policies_for_target", "describe_policy"])
def test_what_the_named_account_may_not_read_leaves_it_open(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    organization.control("no-ecr", denying("ecr:Batch*"), organization.nodes_unit)
    deny(monkeypatch, call, account=DELEGATED)
    diagnosis = organization.diagnose(organization_account=DELEGATED)
    assert diagnosis.findings == ()
    reason = {each.cause: each.reason for each in diagnosis.inconclusive}["scp_blocks_pull"]
    permission = "organizations:" + "".join(word.capitalize() for word in call.split("_"))
    assert f"in account {DELEGATED}: {permission} failed: AccessDeniedException" in reason
    assert "scp_blocks_pull" not in diagnosis.passed


def test_a_named_account_that_lets_nobody_in_leaves_it_open(organization: Organization) -> None:
    organization.refuse(DELEGATED)
    diagnosis = organization.diagnose(organization_account=DELEGATED)
    reason = {each.cause: each.reason for each in diagnosis.inconclusive}["scp_blocks_pull"]
    assert f"in account {DELEGATED}: sts:AssumeRole of arn:aws:iam::{DELEGATED}:role/PullResponderReadOnly" in reason


def test_one_that_is_delegated_one_kind_of_policy_tells_that_kind(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delegation policy may be limited to types of policies (condition key organizations:PolicyType)."""
    organization.control("no-ecr", denying("ecr:Batch*"), organization.nodes_unit)
    deny(monkeypatch, "list_policies_for_target", target=RCP, account=DELEGATED)
    diagnosis = organization.diagnose(organization_account=DELEGATED)
    assert [finding.cause for finding in diagnosis.findings] == ["scp_blocks_pull"]
    reasons = {each.cause: each.reason for each in diagnosis.unchecked}
    assert f"in account {DELEGATED}: organizations:ListPoliciesForTarget failed" in reasons["rcp_blocks_pull"]


def test_whoever_tells_all_outranks_who_tells_some(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    organization.control("no-ecr", denying("ecr:Batch*"), organization.root)
    deny(monkeypatch, "list_policies_for_target", target=organization.root, account=DELEGATED)
    organization.delegate(OURS, monkeypatch)
    only(organization.diagnose(organization_account=DELEGATED), "scp_blocks_pull")


def test_the_named_account_is_asked_first_then_ours_then_the_management_account(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reader(named: str | None) -> str:
        place = PullFacts(Reader(organization.aws(named))).organization_path(organization.nodes, REGION)
        assert isinstance(place, AccountPlace)
        return place.viewer

    organization.delegate(OURS, monkeypatch)
    organization.session = type(organization.session)()  # lets us into the management account
    assert reader(DELEGATED) == DELEGATED
    assert reader(None) == OURS
    deny(monkeypatch, "list_parents", account=DELEGATED)
    assert reader(DELEGATED) == OURS
    deny(monkeypatch, "list_parents", account=OURS)
    assert reader(DELEGATED) == MANAGEMENT


def test_the_terminal_asks_the_account_of_the_environment(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    organization.control("no-ecr", denying("ecr:Batch*"), organization.nodes_unit)
    deny(monkeypatch, "list_parents", account=MANAGEMENT)
    event = tmp_path / "event.json"
    event.write_text(json.dumps(organization.event()))

    def causes(account: str) -> list[str]:
        arguments = ["--event", str(event), "--format", "json"]
        ran = CliRunner().invoke(command, arguments, env={"PULL_RESPONDER_ORGANIZATION_ACCOUNT": account})
        return [finding["cause"] for finding in json.loads(ran.stdout)["findings"]]

    assert causes("") == []
    assert causes(DELEGATED) == ["scp_blocks_pull"]
    wrong = CliRunner().invoke(command, ["--event", str(event)], env={"PULL_RESPONDER_ORGANIZATION_ACCOUNT": "33"})
    assert wrong.exit_code != 0
    assert "PULL_RESPONDER_ORGANIZATION_ACCOUNT is '33', not the 12 digits of an account's id" in wrong.output
