"""Where nothing serves Profiles or Resolver rules, no VPC has any; where something does, its silence is no answer."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from pull_responder.facts import resolver
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.unread import Unread
from pull_responder.network.resolver import Profile

READS = [resolver.read_profiles, resolver.read_associated_rules, resolver.read_rules]
LISTED: dict[str, Any] = {
    "ProfileAssociations": [
        {"ProfileId": "rp-1", "Name": "shared", "ResourceId": "vpc-1", "Status": "COMPLETE"},
        {"ProfileId": "rp-2", "Name": "gone", "ResourceId": "vpc-1", "Status": "DELETING"},
        {"ProfileId": "rp-3", "Name": "other", "ResourceId": "vpc-2", "Status": "COMPLETE"},
    ],
    "ResolverRuleAssociations": [
        {"ResolverRuleId": "rslvr-rr-1", "Status": "COMPLETE"},
        {"ResolverRuleId": "rslvr-rr-2", "Status": "FAILED"},
        {"ResolverRuleId": "rslvr-autodefined-rr-internet-resolver", "Status": "COMPLETE"},
    ],
    "ResolverRules": [
        {"Id": "rslvr-rr-1", "DomainName": "Corp.Example.", "RuleType": "FORWARD", "TargetIps": [{"Ip": "10.0.0.9"}]},
        {"Id": "rslvr-rr-3", "DomainName": ".", "RuleType": "FORWARD", "TargetIps": [{"Ipv6": "fd00::9"}]},
    ],
}


def reader(answer: object, region: str = "us-east-1") -> Reader:
    """A reader whose calls are all answered with `answer`: an exception, an error code, or a document."""

    def respond(**_: object) -> Any:  # noqa: ANN401 -- a handler as botocore calls it
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            error = {"Error": {"Code": answer, "Message": "no"}, "ResponseMetadata": {}}
            return AWSResponse("", 400, HTTPHeaders(), None), error
        return AWSResponse("", 200, HTTPHeaders(), None), answer

    session = boto3.session.Session("test", "test", region_name=region)
    session.events.register("before-call", respond)
    return Reader(Aws(session, member_role="PullResponderReadOnly"))


def place(region: str = "us-east-1") -> VpcPlace:
    return VpcPlace(None, region, "vpc-1")


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("answer", ["404", "400", "500", "501", "UnknownOperationException"])
def test_what_an_emulator_lacks_is_none(monkeypatch: pytest.MonkeyPatch, read: Any, answer: str) -> None:  # noqa: ANN401
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    found = read(reader(answer), place())
    assert not isinstance(found, Unread)
    assert len(found) == 0


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(
    "answer",
    [
        "AccessDeniedException",
        "ThrottlingException",
        "InternalServiceErrorException",
        "403",
        "404",
        "400",
        "500",
        "501",
    ],
)
def test_a_refusal_is_no_answer(read: Any, answer: str) -> None:  # noqa: ANN401 -- a reader
    found = read(reader(answer), place())
    assert isinstance(found, Unread)
    assert answer in found.reason


class NameResolutionError(Exception):
    """As urllib3 names it."""


@pytest.mark.parametrize("read", READS)
def test_an_endpoint_that_is_not_reached_is_none_only_where_two_signs_agree(
    monkeypatch: pytest.MonkeyPatch,
    read: Any,  # noqa: ANN401 -- a reader
) -> None:
    url = "https://nowhere.example"
    no_name = EndpointConnectionError(endpoint_url=url, error=NameResolutionError())
    refused = EndpointConnectionError(endpoint_url=url, error=ConnectionRefusedError())
    # In a region that the SDK does not list at all, its silence about the service says nothing.
    for error in (no_name, refused, EndpointConnectionError(endpoint_url=url)):
        assert isinstance(read(reader(error), place()), Unread)
        assert isinstance(read(reader(error, "xx-nowhere-1"), place("xx-nowhere-1")), Unread)
    monkeypatch.setattr(Aws, "offers", lambda _, service, __: service == "ecr")
    assert len(read(reader(no_name), place())) == 0
    for unanswered in (refused, ConnectTimeoutError(endpoint_url=url)):
        assert isinstance(read(reader(unanswered), place()), Unread)


def test_what_has_no_effect_is_left_out() -> None:
    every = reader(LISTED)
    assert resolver.read_profiles(every, place()) == (Profile("rp-1", "shared"),)
    assert resolver.read_associated_rules(every, place()) == ("rslvr-rr-1",)
    rules = resolver.read_rules(every, place())
    assert not isinstance(rules, Unread)
    assert [(rule.domain, rule.targets) for rule in rules.values()] == [
        ("corp.example", ("10.0.0.9",)),
        ("", ("fd00::9",)),
    ]
