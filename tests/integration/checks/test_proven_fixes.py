"""A fix is held against the policies as its commands leave them, and says what would still stop the pull."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.model.verdict import Remediation
from pull_responder.remediation.policy_changes import REGISTRY, REPOSITORY, policy_changes
from pull_responder.remediation.shell import aws
from tests.integration.checks.estate import (
    ALLOW_ALL,
    LAYERS,
    MANIFEST,
    NO_REASON,
    PULL,
    PULL_ONLY,
    TOKEN,
    allow,
    because_no,
    deny,
    explicit_deny,
    policy,
    refuse,
)

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from tests.integration.checks.estate import Estate

NOT_ENOUGH = "This is not enough:"
SOURCE_VPCE = {"StringNotEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}


def fix_of(diagnosis: Diagnosis, cause: str) -> Remediation:
    (fix,) = [finding.remediation for finding in diagnosis.findings if finding.cause == cause]
    return fix


def test_a_grant_says_that_an_isolating_deny_is_still_in_the_way(estate: Estate) -> None:
    """Somebody keeps out everybody but a team's role on purpose: the grant does not exempt the node's role from it."""
    estate.member()
    team = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{estate.account}:role/team"}}
    isolating = refuse("*", *PULL[1:], Sid="Isolate", Condition=team)
    repository, role = estate.repository(isolating, account=estate.other), estate.role(attach=[PULL_ONLY])
    diagnosis = estate.diagnose(estate.denied(role, repository, because_no("resource-based policy")))
    fix = fix_of(diagnosis, "repository_policy_lacks_grant")
    assert f'{NOT_ENOUGH} the repository policy, "Isolate" still denies {MANIFEST} and {LAYERS}.' in fix.summary
    estate.run(fix)
    assert estate.may(role, repository) == {TOKEN}
    changed = policy_changes(fix)[REPOSITORY]
    assert changed
    assert changed["Statement"][0] == isolating


def test_a_grant_that_exempts_the_role_from_a_deny_of_everybody_is_enough(estate: Estate) -> None:
    estate.member()
    repository, role = estate.repository(refuse("*"), account=estate.other), estate.role(attach=[PULL_ONLY])
    diagnosis = estate.diagnose(estate.denied(role, repository, because_no("resource-based policy")))
    fix = fix_of(diagnosis, "repository_policy_lacks_grant")
    assert NOT_ENOUGH not in fix.summary
    estate.run(fix)
    assert estate.may(role, repository) == set(PULL)


def test_a_second_deny_whose_condition_is_not_known_is_named(estate: Estate) -> None:
    sure, open_ = refuse("*", MANIFEST), refuse("*", MANIFEST, Condition=SOURCE_VPCE)
    repository, role = estate.repository(sure, open_), estate.role(ALLOW_ALL)
    diagnosis = estate.diagnose(estate.denied(role, repository, explicit_deny("resource-based policy")))
    fix = fix_of(diagnosis, "repository_policy_denies_pull")
    assert f"{NOT_ENOUGH} whether {MANIFEST} is allowed then depends on aws:SourceVpce" in fix.summary


def test_a_second_deny_of_a_role_whose_condition_is_not_known_is_named(estate: Estate) -> None:
    repository = estate.repository()
    role = estate.role(ALLOW_ALL, deny(MANIFEST), deny(MANIFEST, Condition=SOURCE_VPCE))
    diagnosis = estate.diagnose(estate.denied(role, repository, explicit_deny("identity-based policy")))
    fix = fix_of(diagnosis, "role_policy_denies_pull")
    assert f"whether {MANIFEST} is allowed then depends on aws:SourceVpce" in fix.summary


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ([allow(TOKEN)], because_no("identity-based policy")),
        ([], because_no("identity-based policy", TOKEN)),
        ([ALLOW_ALL, deny(MANIFEST)], explicit_deny("identity-based policy")),
    ],
    ids=["lacks an action", "lacks all", "denies"],
)
def test_a_fix_that_suffices_says_nothing_more(estate: Estate, rules: list[dict[str, object]], reason: str) -> None:
    repository, role = estate.repository(), estate.role(*rules)
    diagnosis = estate.diagnose(estate.denied(role, repository, reason))
    (finding,) = diagnosis.findings
    assert NOT_ENOUGH not in finding.remediation.summary
    estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_missing_allow_that_another_cause_mends_is_not_said_twice(estate: Estate) -> None:
    """Each of the two causes has its own fix, and both are printed."""
    repository, role = estate.repository(), estate.role(allow(TOKEN), deny(LAYERS))
    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON))
    assert {finding.cause for finding in diagnosis.findings} == {
        "role_lacks_pull_permissions",
        "role_policy_denies_pull",
    }
    for finding in diagnosis.findings:
        assert NOT_ENOUGH not in finding.remediation.summary
        estate.run(finding.remediation)
    assert estate.may(role, repository) == set(PULL)


def test_a_role_with_as_many_policies_as_it_can_have_gets_an_inline_one(estate: Estate) -> None:
    attached = [estate.managed_policy(policy(allow("s3:ListBucket")), name=f"p{number}") for number in range(10)]
    repository, role = estate.repository(), estate.role(attach=attached)
    diagnosis = estate.diagnose(estate.denied(role, repository, because_no("identity-based policy")))
    fix = fix_of(diagnosis, "role_lacks_pull_permissions")
    assert fix.commands[0][1:3] == ("iam", "put-role-policy")
    estate.run(fix)
    assert estate.may(role, repository) == set(PULL)


def test_a_policy_that_cannot_be_read_leaves_the_fix_as_it_is(estate: Estate) -> None:
    repository, role = estate.repository(), estate.role(deny(MANIFEST), attach=[PULL_ONLY])
    pull = estate.denied(role, repository, explicit_deny("identity-based policy"))
    diagnosis = estate.diagnose(pull, unreadable=["iam:GetPolicyVersion"])
    fix = fix_of(diagnosis, "role_policy_denies_pull")
    assert fix.commands
    assert NOT_ENOUGH not in fix.summary


def test_what_commands_do_to_policies() -> None:
    text = '{"Statement":[{"Effect":"Allow","Action":"ecr:*","Resource":"*"}]}'
    fix = Remediation("", "111111111111", "us-east-1", "")

    def change(service: str, operation: str, *flags: str, **options: str) -> dict[str, bool]:
        done = policy_changes(replace(fix, commands=(aws(service, operation, *flags, **options),)))
        return {name: document is not None for name, document in done.items()}

    arn = "arn:aws:iam::111111111111:policy/a"
    assert change("iam", "put-role-policy", policy_name="-p", policy_document=text, role_name="r") == {"-p": True}
    assert change("iam", "put-role-policy", policy_name="p", policy_document='{"Statement":[]}') == {"p": False}
    assert change("iam", "delete-role-policy", policy_name="p") == {"p": False}
    new = change("iam", "create-policy-version", "--set-as-default", policy_arn=arn, policy_document=text)
    assert new == {arn: True}
    assert change("iam", "delete-policy-version", policy_arn=arn, version_id="v1") == {}
    assert change("iam", "detach-role-policy", policy_arn=arn) == {arn: False}
    assert change("iam", "attach-role-policy", policy_arn=PULL_ONLY) == {PULL_ONLY: True}
    assert change("iam", "attach-role-policy", policy_arn=arn) == {}
    assert change("ecr", "set-repository-policy", policy_text=text) == {REPOSITORY: True}
    assert change("ecr", "delete-repository-policy") == {REPOSITORY: False}
    assert change("ecr", "put-registry-policy", policy_text=text) == {REGISTRY: True}
    assert change("ecr", "delete-registry-policy") == {REGISTRY: False}
    assert change("organizations", "update-policy", policy_id="p-1", content=text) == {"p-1": True}
    assert change("ec2", "modify-vpc-endpoint", vpc_endpoint_id="vpce-1", policy_document=text) == {"vpce-1": True}
    assert change("ec2", "modify-vpc-endpoint", vpc_endpoint_id="vpce-1", add_route_table_ids="rtb-1") == {}
