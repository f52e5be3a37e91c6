"""moto in this process: its calls can be watched, and its pages are as AWS's."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from moto import mock_aws

from pull_responder.emulator import dns_firewall
from pull_responder.facts.aws import Aws
from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Iterator

ACCOUNT: Final = "123456789012"
OTHER: Final = "111111111111"
REGION: Final = "us-east-1"
TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def document(effect: str = "Allow", action: str = "ecr:*") -> str:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True, slots=True)
class Watched:
    """Our own account, and every call made to it with its arguments."""

    session: boto3.session.Session
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def aws(self) -> Aws:
        identity = Arn("aws", "sts", "", ACCOUNT, "assumed-role/responder/diagnose")
        return Aws(self.session, member_role="PullResponderReadOnly", identity=identity)

    def client(self, service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # the stubs know literals only

    def count(self, model: Any, params: Any, **_: object) -> None:  # noqa: ANN401 -- botocore's own
        self.calls[model.name, f"{params['url_path']}{params['query_string']}{params['body']!r}"] += 1

    def answer_no_rules(self, model: Any, params: Any, **_: object) -> Any:  # noqa: ANN401 -- botocore's own
        """moto knows no pull-through cache rules."""
        self.count(model, params)
        return AWSResponse("", 200, HTTPHeaders(), None), {"pullThroughCacheRules": []}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    dns_firewall.apply()
    with mock_aws():
        watched = Watched(boto3.session.Session(region_name=REGION))
        watched.session.events.register("before-call", watched.count)
        watched.session.events.register("before-call.ecr.DescribePullThroughCacheRules", watched.answer_no_rules)
        yield watched
