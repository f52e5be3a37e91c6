from __future__ import annotations

import json

import pytest

from pull_responder.model.arn import Arn
from pull_responder.remediation import docs, ecr

ROLE = Arn("aws-cn", "iam", "", "111111111111", "role/nodes/blue")
REPOSITORY = Arn("aws-cn", "ecr", "cn-north-1", "123456789012", "repository/team/app")
WHERE = ("--registry-id", "123456789012", "--repository-name", "team/app", "--region", "cn-north-1")
DENIES_ROLE = {"Sid": "Guard", "Effect": "Deny", "Principal": {"AWS": str(ROLE)}, "Action": "ecr:*"}
PUSH = {"Sid": "Push", "Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage"}


def test_the_grant_to_the_account_keeps_the_existing_statements() -> None:
    document = {"Version": "2008-10-17", "Statement": [PUSH]}
    fix = ecr.grant_account(REPOSITORY, document=document, pulling_account="111111111111")
    [(*command, text)] = fix.commands
    assert command == ["aws", "ecr", "set-repository-policy", *WHERE, "--policy-text"]
    grant = {
        "Sid": "PullResponderEcrPull",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws-cn:iam::111111111111:root"},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    assert json.loads(text) == {"Version": "2008-10-17", "Statement": [PUSH, grant]}
    assert (fix.account, fix.region, fix.docs_url) == ("123456789012", "cn-north-1", docs.ECR_REPOSITORY_POLICIES)
    assert fix.summary == (
        "In the policy of the repository team/app, allow account 111111111111 to pull. This lets in every principal of "
        "account 111111111111 whose own policies allow it."
    )


def test_a_policy_without_statements_is_deleted() -> None:
    fix = ecr.exempt_role(REPOSITORY, document={"Statement": [DENIES_ROLE]}, statements=[0], role=ROLE)
    assert fix.commands == (("aws", "ecr", "delete-repository-policy", *WHERE),)


@pytest.mark.parametrize("sid", ["Push", "x" * 10_240])
def test_no_command_if_it_cannot_work(sid: str) -> None:
    document = {"Statement": [{**PUSH, "Sid": sid}, DENIES_ROLE]}
    of_an_allow = ecr.exempt_role(REPOSITORY, document=document, statements=[0], role=ROLE)
    of_the_deny = ecr.exempt_role(REPOSITORY, document=document, statements=[1], role=ROLE)
    assert of_an_allow.commands == ()
    assert len(of_the_deny.commands) == (1 if sid == "Push" else 0)
    assert of_the_deny.summary == (
        f"In the policy of the repository team/app of account 123456789012, exempt the role {ROLE} from the Deny "
        '"Guard".'
    )


def test_the_owner_is_asked_to_change_an_unreadable_policy() -> None:
    grant = ecr.ask_for_grant(REPOSITORY, pulling_account="111111111111")
    exemption = ecr.ask_for_exemption(REPOSITORY, role=ROLE)
    assert (grant.commands, exemption.commands) == ((), ())
    assert grant.summary.startswith("Ask the owner of account 123456789012 to add this statement to the policy of the")
    assert json.loads(grant.summary[grant.summary.index("{") :])["Principal"] == {
        "AWS": "arn:aws-cn:iam::111111111111:root"
    }
    assert exemption.summary == (
        f"Ask the owner of account 123456789012 to exempt the role {ROLE} from the Deny in the policy of the "
        "repository team/app."
    )
    assert len(grant.summary) < 512
