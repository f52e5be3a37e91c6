"""The values of a template as they were deployed."""

from __future__ import annotations

from typing import Any

import pytest

from pull_responder.doctor.resource import Resource
from tests.unit.doctor.answers import ACCOUNT, REGION, deployment

QUEUE = Resource("Queue", "AWS::SQS::Queue", f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/events-1")
FUNCTION = Resource("Function", "AWS::Lambda::Function", "diagnose-1")
ROLE = Resource("Role", "AWS::IAM::Role", "role-1")


@pytest.mark.parametrize(
    ("value", "deployed"),
    [
        ({"Ref": "AWS::AccountId"}, ACCOUNT),
        ({"Ref": "Queue"}, QUEUE.physical_id),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, f"arn:aws:sqs:{REGION}:{ACCOUNT}:events-1"),
        ({"Fn::GetAtt": "Function.Arn"}, f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:diagnose-1"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, f"arn:aws:iam::{ACCOUNT}:role/role-1"),
        ({"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":x"]]}, "arn:aws:x"),
        ({"account": [{"Ref": "AWS::AccountId"}], "size": 1}, {"account": [ACCOUNT], "size": 1}),
        ({"prefix": "AccessDenied"}, {"prefix": "AccessDenied"}),
        ({"Ref": "Nothing"}, None),
        ({"Ref": "AWS::NotificationARNs"}, None),
        ({"Fn::GetAtt": ["Queue", "QueueName"]}, None),
        ({"Fn::GetAtt": ["Nothing", "Arn"]}, None),
        ({"Fn::Select": [0, ["a"]]}, None),
        ({"deep": [{"Fn::Sub": "${Queue}"}]}, None),
    ],
)
def test_a_value_is_what_was_deployed_or_not_known(value: Any, deployed: object) -> None:  # noqa: ANN401 -- a template is any JSON
    assert deployment(QUEUE, FUNCTION, ROLE).value(value) == deployed
