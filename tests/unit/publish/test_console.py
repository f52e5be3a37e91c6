"""Links into the AWS Management Console."""

from __future__ import annotations

import pytest

from pull_responder.model.verdict import Resource
from pull_responder.publish.console import console_url


@pytest.mark.parametrize(
    ("resource_id", "url"),
    [
        (
            "arn:aws:iam::111111111111:role/eks/prod-node",
            "https://console.aws.amazon.com/iam/home#/roles/details/prod-node",
        ),
        (
            "arn:aws:iam::111111111111:user/jane@example.com",
            "https://console.aws.amazon.com/iam/home#/users/details/jane%40example.com",
        ),
        (
            "arn:aws:ecr:eu-west-1:222222222222:repository/payments/api",
            "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/222222222222/payments/api?region=eu-west-1",
        ),
        (
            "arn:aws:eks:eu-west-1:111111111111:cluster/prod",
            "https://eu-west-1.console.aws.amazon.com/eks/clusters/prod?region=eu-west-1",
        ),
        (
            "arn:aws:ec2:eu-west-1:111111111111:instance/i-0a1b2c3d4e5f60718",
            "https://eu-west-1.console.aws.amazon.com/ec2/home?region=eu-west-1#InstanceDetails:instanceId=i-0a1b2c3d4e5f60718",
        ),
        (
            "arn:aws:ec2:eu-west-1:111111111111:vpc-endpoint/vpce-1",
            "https://console.aws.amazon.com/go/view?arn=arn:aws:ec2:eu-west-1:111111111111:vpc-endpoint/vpce-1",
        ),
        (
            "arn:aws-cn:ecr:cn-north-1:222222222222:repository/api",
            "https://console.amazonaws.cn/ecr/repositories/private/222222222222/api?region=cn-north-1",
        ),
        (
            "arn:aws-us-gov:iam::111111111111:role/node",
            "https://console.amazonaws-us-gov.com/iam/home#/roles/details/node",
        ),
        ("arn:aws-us-gov:ec2:us-gov-west-1:111111111111:vpc-endpoint/vpce-1", None),
        ("arn:aws-iso:iam::111111111111:role/node", None),
        ("i-0a1b2c3d4e5f60718", None),
        ("arn:aws:iam::111111111111:role/\ud800", None),
        ("arn:aws:iam::111111111111:role/\x1b[2Jnode", None),
    ],
)
def test_the_console_page_of_a_resource(resource_id: str, url: str | None) -> None:
    assert console_url(Resource("Other", resource_id, "111111111111")) == url
