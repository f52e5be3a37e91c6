"""A deployment for each test."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from pull_responder.emulator.findings_table import create_table
from tests.integration.responder.scene import ACCOUNT, REGION, Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws


@pytest.fixture
def scene(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A deployed responder, with a topic, a queue that is subscribed to it, and an empty table.

    The account has the repositories that tests pull from: what is missing would be one more cause.
    """
    name = f"scene-{uuid4().hex[:8]}"
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    delivery = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": json.dumps(delivery)})["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    for key, value in aws.environment.items():
        monkeypatch.setenv(key, value)
    aws.client("securityhub").enable_security_hub()
    ecr = aws.client("ecr")
    for repository in ("shop/web", "shop/web-2", "one", "two", "three", "four", "five", "six"):
        with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
            ecr.create_repository(repositoryName=repository)
    yield Scene(aws, topic, url, create_table(aws.client("dynamodb"), name))
    _delete_clusters(aws)


def _delete_clusters(aws: EmulatedAws) -> None:
    """Delete the account's clusters: a role is looked for in so many only."""
    eks = aws.client("eks")
    for cluster in eks.list_clusters()["clusters"]:
        for group in eks.list_nodegroups(clusterName=cluster)["nodegroups"]:
            eks.delete_nodegroup(clusterName=cluster, nodegroupName=group)
        eks.delete_cluster(name=cluster)
