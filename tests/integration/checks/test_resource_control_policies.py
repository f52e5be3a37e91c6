"""Resource control policies that can be read: those of the repository's account, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.facts.iam import PolicyText
from pull_responder.facts.organizations import ControlPolicies
from pull_responder.facts.reader import Reader
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.estate import REGION, TOKEN, explicit_deny, is_fixed_since, only, refuse
from tests.integration.checks.organization import OURS, RCP, Organization, deny

if TYPE_CHECKING:
    from tests.integration.checks.estate import Statement

CAUSE = "rcp_blocks_pull"
BLAMED = explicit_deny("resource control policy")
OUTSIDERS = refuse("*", "ecr:*", Resource="*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-ours"}})
NO_PULL = refuse("*", "ecr:Batch*", Sid="NoPull", Resource="*")


@pytest.fixture
def controlled(organization: Organization) -> Organization:
    organization.enable(RCP)
    return organization


@pytest.mark.parametrize("level", ["root", "registry_unit", "registry"])
@pytest.mark.parametrize("reason", ["", BLAMED], ids=["older message", "blamed"])
def test_a_deny_at_any_level_of_the_repositorys_account(controlled: Organization, level: str, reason: str) -> None:
    arn = controlled.control("no-pull", NO_PULL, getattr(controlled, level), RCP)
    finding = only(controlled.diagnose(reason, owner=controlled.registry), CAUSE)
    assert (finding.resource.type, finding.resource.id) == ("Other", arn)
    assert finding.explanation.startswith(f"The resource control policy {arn} denies ")
    assert finding.evidence[0].startswith(f'{arn}, statement "NoPull": ')
    assert not any("No statement of" in line for line in finding.evidence)
    assert finding.remediation.account == OURS
    (command,) = finding.remediation.commands
    controlled.run(command)
    assert is_fixed_since(controlled.diagnose(BLAMED, owner=controlled.registry))


@pytest.mark.parametrize("level", ["nodes_unit", "nodes"])
def test_a_deny_over_the_nodes_account_is_none_over_anothers_repository(controlled: Organization, level: str) -> None:
    controlled.control("no-pull", NO_PULL, getattr(controlled, level), RCP)
    diagnosis = controlled.diagnose(BLAMED, owner=controlled.registry)
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed
    # Their own repository is theirs.
    assert only(controlled.diagnose(BLAMED), CAUSE)


def test_a_token_is_asked_of_the_callers_account(controlled: Organization) -> None:
    """AWS Organizations User Guide, "Resource control policies": the caller's where an action has no resource."""
    controlled.control("no-token", refuse("*", TOKEN, Resource="*"), controlled.registry, RCP)
    assert CAUSE in controlled.diagnose(owner=controlled.registry).passed
    controlled.control("no-token-here", refuse("*", TOKEN, Resource="*"), controlled.nodes, RCP)
    assert TOKEN in only(controlled.diagnose(owner=controlled.registry), CAUSE).explanation


HARMLESS: dict[str, Statement] = {
    "another service": refuse("*", "s3:*", Resource="*"),
    "pushing": refuse("*", "ecr:Put*", Resource="*"),
    "another repository": refuse("*", "ecr:*", Resource="arn:aws:ecr:*:*:repository/secret/*"),
    "not over TLS": refuse("*", "ecr:*", Resource="*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
    "all but our nodes": refuse(
        "*", "ecr:*", Resource="*", Condition={"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/node"}}
    ),
}


@pytest.mark.cause(CAUSE, "near_miss")
@pytest.mark.parametrize("statement", HARMLESS.values(), ids=HARMLESS)
def test_a_deny_of_something_else(controlled: Organization, statement: Statement) -> None:
    controlled.control("guard", statement, controlled.registry_unit, RCP)
    diagnosis = controlled.diagnose(BLAMED, owner=controlled.registry)
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


def test_an_outsider_is_recognized_by_the_organization(controlled: Organization) -> None:
    controlled.control("ours-only", OUTSIDERS, controlled.root, RCP)
    only(controlled.diagnose(owner=controlled.registry), CAUSE)


@pytest.mark.cause(CAUSE, "passes")
def test_nothing_but_full_access_passes(controlled: Organization) -> None:
    diagnosis = controlled.diagnose(BLAMED, owner=controlled.registry)
    assert is_fixed_since(diagnosis)
    assert CAUSE in diagnosis.passed


def test_full_access_counts_at_every_level_listed_or_not(controlled: Organization) -> None:
    """AWS attaches it everywhere and nobody can detach it: without it nothing could be reached."""
    for target in (controlled.root, controlled.registry_unit, controlled.registry):
        controlled.client.detach_policy(PolicyId="p-RCPFullAWSAccess", TargetId=target)
    diagnosis = controlled.diagnose(BLAMED, owner=controlled.registry)
    assert is_fixed_since(diagnosis)
    found = PullFacts(Reader(controlled.aws())).control_policies(controlled.registry, REGION, "RESOURCE_CONTROL_POLICY")
    assert isinstance(found, ControlPolicies)
    names = [[text.name for text in level if isinstance(text, PolicyText)] for level in found.levels]
    assert names == [["RCPFullAWSAccess"]] * 3


def test_the_management_accounts_repositories_are_exempt(controlled: Organization) -> None:
    controlled.control("no-pull", NO_PULL, controlled.root, RCP)
    found = PullFacts(Reader(controlled.aws())).control_policies(OURS, REGION, "RESOURCE_CONTROL_POLICY")
    assert found is None


def test_where_the_type_is_not_enabled_none_applies(organization: Organization) -> None:
    """What is left attached in the emulator, AWS detaches when the type is disabled."""
    organization.control("no-pull", NO_PULL, organization.root, RCP)
    diagnosis = organization.diagnose(owner=organization.registry)
    assert diagnosis.findings == ()
    assert CAUSE not in {each.cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}


def test_words_outrank_a_type_that_is_not_enabled(organization: Organization) -> None:
    """AWS evaluated a policy that we cannot see."""
    finding = only(organization.diagnose(BLAMED, owner=organization.registry), CAUSE)
    assert finding.remediation.commands == ()


@pytest.mark.parametrize("status", ["PENDING_ENABLE", "PENDING_DISABLE"])
def test_while_the_type_is_being_enabled_or_disabled_it_is_open(controlled: Organization, status: str) -> None:
    controlled.control("no-pull", NO_PULL, controlled.root, RCP)
    answer = {"Roots": [{"Id": controlled.root, "PolicyTypes": [{"Type": RCP, "Status": status}]}]}
    controlled.session.events.register("after-call.organizations.ListRoots", lambda parsed, **_: parsed.update(answer))
    diagnosis = controlled.diagnose(owner=controlled.registry)
    assert diagnosis.findings == ()
    assert status in {each.cause: each.reason for each in diagnosis.inconclusive}[CAUSE]


def test_every_page_of_a_level_is_read(controlled: Organization) -> None:
    def one_a_page(params: dict[str, object], **_: object) -> None:
        params["MaxResults"] = 1

    controlled.session.events.register("provide-client-params.organizations.ListPoliciesForTarget", one_a_page)
    for number in range(3):
        controlled.control(f"harmless-{number}", HARMLESS["pushing"], controlled.registry, RCP)
    arn = controlled.control("no-pull", NO_PULL, controlled.registry, RCP)
    finding = only(controlled.diagnose(owner=controlled.registry), CAUSE)
    assert finding.evidence[0].startswith(arn)


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        ("list_roots", "organizations:ListRoots"),
        ("list_parents", "organizations:ListParents"),
        ("list_policies_for_target", "organizations:ListPoliciesForTarget"),
        ("describe_policy", "organizations:DescribePolicy"),
        ("describe_organization", "organizations:DescribeOrganization"),
    ],
)
def test_what_may_not_be_read_leaves_it_open(
    controlled: Organization, monkeypatch: pytest.MonkeyPatch, call: str, permission: str
) -> None:
    controlled.control("guard", HARMLESS["pushing"], controlled.registry, RCP)
    deny(monkeypatch, call)
    diagnosis = controlled.diagnose(owner=controlled.registry)
    assert diagnosis.findings == ()
    reason = {each.cause: each.reason for each in diagnosis.inconclusive}[CAUSE]
    assert f"{permission} failed: AccessDeniedException" in reason
    assert (f"in account {OURS}: " in reason) is (call != "describe_organization")
    assert CAUSE not in diagnosis.passed
    # Then AWS's words decide.
    assert only(controlled.diagnose(BLAMED, owner=controlled.registry), CAUSE).remediation.commands == ()


def test_a_deny_that_was_read_is_certain_whatever_else_was_not(
    controlled: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = controlled.control("no-pull", NO_PULL, controlled.registry, RCP)
    deny(monkeypatch, "list_policies_for_target", target=controlled.root)
    finding = only(controlled.diagnose(owner=controlled.registry), CAUSE)
    assert finding.evidence[0].startswith(arn)
    assert finding.evidence[1].startswith(
        f"Another resource control policy may stop the pull, too, but could not be read: "
        f"in account {OURS}: organizations:ListPoliciesForTarget failed: "
    )
