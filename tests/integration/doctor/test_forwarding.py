"""The doctor's look at what the stack's own account forwards from the organization's other regions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from infra.failure_patterns import FAILURES
from infra.member_rules import member_rules
from infra.organization import BUS_NAME
from pull_responder.doctor import forwarding
from pull_responder.doctor.deployment import Deployment
from pull_responder.doctor.resource import Resource
from pull_responder.doctor.result import Result, State
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.remediation.shell import render
from tests.integration.doctor.test_members import answered
from tests.integration.responder.member import ORGANIZATION
from tests.integration.responder.scene import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.literals import RuleStateType

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.doctor.conftest import Doctor

THERE = "ap-southeast-2"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/pull-responder"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/forward"
RULE = "StackSet-PullResponderMembers-0a1b-EcrDenied-1X2Y3Z"
SUBJECT = f"forwarding of refused pulls from {THERE}"
UNSEEN = f"Refused pulls of account {ACCOUNT} in {THERE} will not be seen"
DENIED = member_rules()["EcrDenied"]


def deployment(*regions: str) -> Deployment:
    variables = {"PULL_RESPONDER_ORGANIZATION_ID": ORGANIZATION, "PULL_RESPONDER_MEMBER_REGIONS": json.dumps(regions)}
    function = Resource("Diagnose", "AWS::Lambda::Function", "diagnose", {"Environment": {"Variables": variables}})
    return Deployment(
        stack="PullResponder",
        status="CREATE_COMPLETE",
        partition="aws",
        account=ACCOUNT,
        region=REGION,
        resources={"Diagnose": function},
        outputs={"DiagnoseFunctionName": "diagnose"},
    )


@pytest.fixture
def terminal(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    for key, value in aws.environment.items():
        monkeypatch.setenv(key, value)
    return Aws.connect(member_role="PullResponderReadOnly")


@pytest.fixture
def rules(aws: EmulatedAws) -> Iterator[EventBridgeClient]:
    """EventBridge in the other region, with two rules of the template that send to the hub's bus."""
    events = aws.client("events", region=THERE)
    for name, rule in ((RULE, DENIED), ("another-EksChanged", FAILURES["EksChanged"])):
        events.put_rule(
            Name=name,
            EventPattern=json.dumps(rule.pattern, separators=(",", ":")),
            State=rule.state,
            Description=f"For Pull Responder. {rule.description}",
        )
        events.put_targets(Rule=name, Targets=[{"Id": "Hub", "Arn": BUS, "RoleArn": ROLE}])
    yield events
    for name in events.list_rule_names_by_target(TargetArn=BUS)["RuleNames"]:
        events.remove_targets(Rule=name, Ids=["Hub"])
        events.delete_rule(Name=name)


def examine(aws: Aws, *regions: str) -> list[Result]:
    return list(forwarding.CHECK.examine(deployment(*regions), Reader(aws)))


def stack_set(aws: Aws, *places: tuple[str, str]) -> None:
    summaries = [{"Account": account, "Region": region, "Status": "CURRENT"} for account, region in places]
    answered(aws, "cloudformation.ListStackInstances", {"Summaries": summaries, "ResponseMetadata": {}})


def test_the_bus_has_the_name_that_the_stack_gives_it() -> None:
    assert forwarding.BUS == BUS_NAME


def test_a_rule_that_forwards_works(terminal: Aws, rules: EventBridgeClient) -> None:
    (result,) = examine(terminal, THERE)
    assert (result.subject, result.state, result.region) == (SUBJECT, State.WORKS, THERE)
    # The account may have rules of another hub there.
    rules.remove_targets(Rule=RULE, Ids=["Hub"])
    rules.put_targets(Rule=RULE, Targets=[{"Id": "Hub", "Arn": BUS.replace(REGION, "eu-north-1"), "RoleArn": ROLE}])
    (result,) = examine(terminal, THERE)
    assert (result.state, result.blinds) == (State.BROKEN, True)
    rules.put_targets(Rule=RULE, Targets=[{"Id": "Hub", "Arn": BUS, "RoleArn": ROLE}])


@pytest.mark.parametrize(
    ("state", "found"),
    [
        ("DISABLED", "is disabled"),
        ("ENABLED", "is in state ENABLED, in which a rule does not get read-only management events"),
    ],
)
def test_a_rule_that_does_not_get_refused_pulls_blinds_and_is_mended(
    terminal: Aws, rules: EventBridgeClient, doctor: Doctor, state: RuleStateType, found: str
) -> None:
    before = rules.describe_rule(Name=RULE)
    rules.put_rule(Name=RULE, State=state, EventPattern=before["EventPattern"], Description=before["Description"])
    (result,) = examine(terminal, THERE)
    assert (result.state, result.blinds, result.meaning) == (State.BROKEN, True, UNSEEN)
    assert result.found == f"rule {RULE} of account {ACCOUNT} there {found}"
    doctor.run(map(render, result.commands))
    (result,) = examine(terminal, THERE)
    assert result.state is State.WORKS
    after = rules.describe_rule(Name=RULE)
    assert {**after, "ResponseMetadata": 0} == {**before, "ResponseMetadata": 0}


def test_a_region_that_the_settings_name_and_that_forwards_nothing_is_blind(terminal: Aws) -> None:
    (result,) = examine(terminal, THERE)
    assert (result.state, result.blinds) == (State.BROKEN, True)
    assert result.step == f"Deploy the StackSet, or infra/member.yaml by itself, in account {ACCOUNT}, region {THERE}"


def test_of_a_region_where_only_others_are_members_it_is_said_that_nothing_is_proven(terminal: Aws) -> None:
    stack_set(terminal, ("222222222222", THERE), ("222222222222", REGION))
    (result,) = examine(terminal)
    assert (result.state, result.region, result.blinds) == (State.OFF, THERE, False)
    assert "those of other accounts there are not proven to arrive" in result.meaning
    assert f"account {ACCOUNT}, region {THERE}, if a canary is to prove" in result.step


def test_where_the_stack_set_has_a_stack_of_the_account_a_missing_rule_blinds(terminal: Aws) -> None:
    stack_set(terminal, (ACCOUNT, THERE))
    (result,) = examine(terminal)
    assert (result.state, result.region, result.blinds) == (State.BROKEN, THERE, True)


def test_a_region_that_is_denied_is_said_and_blinds_nobody(terminal: Aws) -> None:
    client: Any = terminal.client("events", account=None, region=THERE)
    words = "not authorized to perform: events:ListRuleNamesByTarget with an explicit deny in a service control policy"
    refused = {"Error": {"Code": "AccessDeniedException", "Message": words}, "ResponseMetadata": {}}
    client.meta.events.register(
        "before-call.eventbridge.ListRuleNamesByTarget",
        lambda **_: (AWSResponse("", 403, HTTPHeaders(), None), refused),
    )
    (result,) = examine(terminal, THERE)
    assert (result.state, result.blinds) == (State.UNREAD, False)
    assert "service control policy" in result.found
    assert result.meaning.startswith(f"If people pull in {THERE}")


def test_where_nothing_names_the_regions_it_is_said_which_setting_does(terminal: Aws) -> None:
    (result,) = examine(terminal)
    assert (result.subject, result.state, result.region) == ("other regions that forward events", State.UNREAD, "")
    assert "name the regions in the setting `memberRegions`" in result.step
