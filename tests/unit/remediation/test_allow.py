from __future__ import annotations

from typing import Any

from pull_responder.remediation.policy_edits import allow, allow_pull

REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
CI_PUSHES = {"Sid": "CiPushes", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "ecr:PutImage"}


def test_without_a_document_a_new_policy_is_created() -> None:
    assert allow(None, actions=PULL, resources=[REPOSITORY]) == {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "PullResponderEcrPull", "Effect": "Allow", "Action": PULL, "Resource": [REPOSITORY]}],
    }


def test_a_new_statement_follows_the_existing_ones() -> None:
    before = {"Version": "2008-10-17", "Id": "keep", "Statement": [CI_PUSHES]}
    root = {"AWS": "arn:aws:iam::111111111111:root"}

    after = allow(before, actions=PULL, principal=root)

    grant = {"Sid": "PullResponderEcrPull", "Effect": "Allow", "Principal": root, "Action": PULL}
    assert after == {"Version": "2008-10-17", "Id": "keep", "Statement": [CI_PUSHES, grant]}
    assert list(after) == ["Version", "Id", "Statement"]
    assert before["Statement"] == [CI_PUSHES]


def test_a_single_statement_becomes_the_first_of_a_list() -> None:
    after = allow({"Version": "2012-10-17", "Statement": CI_PUSHES}, actions=PULL, resources=["*"])
    assert [statement["Sid"] for statement in after["Statement"]] == ["CiPushes", "PullResponderEcrPull"]


def test_a_sid_that_is_taken_gets_a_number() -> None:
    document: dict[str, Any] | None = None
    for account in ("111111111111", "222222222222", "333333333333"):
        document = allow(document, actions=PULL, principal={"AWS": account})
    assert document is not None
    assert [(s["Sid"], s["Principal"]["AWS"]) for s in document["Statement"]] == [
        ("PullResponderEcrPull", "111111111111"),
        ("PullResponderEcrPull2", "222222222222"),
        ("PullResponderEcrPull3", "333333333333"),
    ]


def test_only_the_token_action_is_allowed_on_star() -> None:
    after = allow_pull(None, actions=["ecr:GetAuthorizationToken", "ecr:BatchGetImage"], repository_arn=REPOSITORY)
    assert [(s["Sid"], s["Action"], s["Resource"]) for s in after["Statement"]] == [
        ("PullResponderEcrPull", ["ecr:BatchGetImage"], [REPOSITORY]),
        ("PullResponderEcrToken", ["ecr:GetAuthorizationToken"], ["*"]),
    ]


def test_the_statements_for_a_pull_follow_those_of_a_boundary() -> None:
    s3 = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    before = {"Version": "2008-10-17", "Statement": [s3]}
    after = allow_pull(before, actions=["ecr:BatchGetImage"], repository_arn=REPOSITORY)
    assert (after["Version"], after["Statement"][0], len(after["Statement"])) == ("2008-10-17", s3, 2)
    assert allow_pull(None, actions=[], repository_arn=REPOSITORY) == {"Version": "2012-10-17", "Statement": []}


def test_nothing_but_the_missing_actions_is_allowed() -> None:
    token = allow_pull(None, actions=["ecr:GetAuthorizationToken"], repository_arn=REPOSITORY)
    layers = allow_pull(None, actions=["ecr:GetDownloadUrlForLayer"], repository_arn=REPOSITORY)
    assert [(s["Action"], s["Resource"]) for s in token["Statement"]] == [(["ecr:GetAuthorizationToken"], ["*"])]
    assert [(s["Action"], s["Resource"]) for s in layers["Statement"]] == [
        (["ecr:GetDownloadUrlForLayer"], [REPOSITORY])
    ]
