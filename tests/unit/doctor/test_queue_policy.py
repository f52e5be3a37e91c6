"""What a queue's policy says of the rules, and what mends it."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.doctor.queue_policy import foreign, lacking, mended, read_policy


def statement(sid: str, effect: str = "Allow", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
    return {
        "Sid": sid,
        "Effect": effect,
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "arn:queue",
        **fields,
    }


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


INSECURE = {"Bool": {"aws:SecureTransport": "false"}}
SSL = statement("", "Deny", Principal={"AWS": "*"}, Action="sqs:*", Condition=INSECURE)
RULES = statement("SendRules", Condition={"ArnLike": {"aws:SourceArn": "arn:rule/*"}})
DEPLOYED = policy(SSL, RULES)


@pytest.mark.parametrize("text", ["[]", "{", '{"Statement": ["x"]}', '{"Statement": {"Sid": "x"}}'])
def test_what_is_no_policy_is_said_where_it_is_read(text: str) -> None:
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        read_policy(text)


def test_what_is_written_in_another_way_is_the_same() -> None:
    rewritten = policy(
        {**RULES, "Sid": "Other", "Action": ["SQS:SendMessage"], "Resource": ["arn:queue"]},
        {**SSL, "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": [False]}}},
    )
    assert lacking(rewritten, DEPLOYED) == []
    assert foreign(rewritten, DEPLOYED, "Deny") == []


def test_a_statement_of_the_same_name_that_says_something_else_is_another() -> None:
    changed = policy(SSL, {**RULES, "Condition": {"ArnLike": {"aws:SourceArn": "arn:other"}}})
    assert lacking(changed, DEPLOYED) == [RULES]
    assert foreign(changed, DEPLOYED, "Allow") == ["SendRules"]
    assert mended(changed, DEPLOYED)["Statement"] == DEPLOYED["Statement"]


def test_what_mends_it_keeps_what_is_not_of_the_stack() -> None:
    theirs = statement("Auditor", Principal={"AWS": "111122223333"}, Action="sqs:GetQueueAttributes")
    current = {"Version": "2012-10-17", "Id": "theirs", "Statement": theirs}
    assert lacking(current, DEPLOYED) == [RULES]
    assert mended(current, DEPLOYED) == {**current, "Statement": [theirs, SSL, RULES]}
    assert mended({}, DEPLOYED) == DEPLOYED
