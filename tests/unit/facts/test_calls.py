"""Calls to AWS are counted, retries included, and those that AWS throttles."""

from __future__ import annotations

import boto3

from pull_responder.facts.aws import Aws
from pull_responder.model.unread import Unread


def test_calls_are_counted_once_and_those_that_are_throttled_too() -> None:
    session = boto3.session.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
    aws = Aws(session, member_role="Reader")
    assert aws.take_calls() == (0, 0)
    client = aws.client("ecr", account=None, region="eu-west-1")
    assert not isinstance(client, Unread)
    emit = client.meta.events.emit
    for code in (None, "ThrottlingException", "AccessDeniedException", "TooManyRequestsException"):
        emit("response-received.ecr.DescribeImages", parsed_response={"Error": {"Code": code}} if code else {})
    emit("response-received.ecr.DescribeImages", parsed_response=None, exception=OSError())
    assert aws.take_calls() == (5, 2)
    assert aws.take_calls() == (0, 0)
