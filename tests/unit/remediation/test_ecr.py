from __future__ import annotations

import json

import pytest

from pull_responder.model.arn import Arn
from pull_responder.remediation import docs, ecr
from tests.unit.remediation import fixes

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


def grant_of_cache(upstream: Arn) -> dict[str, object]:
    """Amazon ECR User Guide, "Creating a resource policy in the upstream Amazon ECR registry": these four actions."""
    fetched = ("BatchGetImage", "GetDownloadUrlForLayer", "BatchImportUpstreamImage", "GetImageCopyStatus")
    return {
        "Sid": "PullResponderEcrPull",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{upstream.partition}:iam::222222222222:root"},
        "Action": [f"ecr:{each}" for each in fetched],
    }


UPSTREAM = fixes.arn("arn:aws:ecr:eu-west-1:111111111111:repository/base/app")


def test_the_cache_s_account_may_fetch_from_the_upstream_repository() -> None:
    fix = ecr.grant_cache(UPSTREAM, document={"Statement": [PUSH]}, caching_account="222222222222")
    text = json.dumps({"Statement": [PUSH, grant_of_cache(UPSTREAM)]}, separators=(",", ":"))
    assert fixes.told(fix) == (
        (
            "In the policy of the upstream repository base/app, allow account 222222222222 to fetch for its pull "
            "through cache."
        ),
        "AmazonECR/latest/userguide/repository-policy-examples.html",
        [
            (
                "aws ecr set-repository-policy --registry-id 111111111111 --repository-name base/app --region "
                f"eu-west-1 --policy-text '{text}'"
            )
        ],
    )


def test_the_owner_of_an_unreadable_upstream_repository_is_asked() -> None:
    fix = ecr.grant_cache(UPSTREAM, document=None, caching_account="222222222222", readable=False)
    assert fixes.told(fix) == (
        (
            "Ask the owner of account 111111111111 to add this statement to the policy of the repository base/app: "
            f"{json.dumps(grant_of_cache(UPSTREAM))}"
        ),
        "AmazonECR/latest/userguide/pull-through-cache-private.html",
        [],
    )


REGISTRY = ("--region", "cn-north-1")


@pytest.mark.parametrize(
    ("statements", "denying", "command"),
    [
        (
            [PUSH, {**DENIES_ROLE, "Principal": "*"}],
            [1],
            [
                PUSH,
                {**DENIES_ROLE, "Principal": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": str(ROLE)}}},
            ],
        ),
        ([DENIES_ROLE], [0], []),
        ([PUSH], [0], None),
    ],
    ids=["the Deny stays", "nothing is left", "an Allow"],
)
def test_the_registry_policy(
    statements: list[dict[str, str]], denying: list[int], command: list[object] | None
) -> None:
    fix = ecr.exempt_role_from_registry(REPOSITORY, document={"Statement": statements}, statements=denying, role=ROLE)
    text = json.dumps({"Statement": command}, separators=(",", ":"))
    sid = statements[denying[0]]["Sid"]
    put = ("aws", "ecr", "put-registry-policy", "--policy-text", text, *REGISTRY)
    expected = put if command else ("aws", "ecr", "delete-registry-policy", *REGISTRY)
    assert fix.commands == (() if command is None else (expected,))
    assert fix.summary == f'In the policy of the registry 123456789012, exempt the role {ROLE} from the Deny "{sid}".'
    assert fix.docs_url == "https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html"


@pytest.mark.parametrize(("more", "count"), [(0, 1), (1, 0)])
def test_the_longest_policy_has_10240_characters(more: int, count: int) -> None:
    """Amazon ECR API Reference, SetRepositoryPolicy and PutRegistryPolicy: the maximum length of policyText."""
    empty = {"Statement": [{**PUSH, "Sid": ""}]}
    sid = "x" * (10_240 + more - len(json.dumps(empty, separators=(",", ":"))))
    document = {"Statement": [{**PUSH, "Sid": sid}, DENIES_ROLE]}
    for fix in (
        ecr.exempt_role(REPOSITORY, document=document, statements=[1], role=ROLE),
        ecr.exempt_role_from_registry(REPOSITORY, document=document, statements=[1], role=ROLE),
    ):
        assert len(fix.commands) == count


def test_the_fixes_of_a_repository_policy_have_their_page() -> None:
    page = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html"
    grant = ecr.ask_for_grant(REPOSITORY, pulling_account="111111111111")
    exemption = ecr.ask_for_exemption(REPOSITORY, role=ROLE)
    assert {grant.docs_url, exemption.docs_url} == {page}
