"""Canaries in the organization's other regions: sent where our account forwards, judged by region, told by region."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra.member_rules import member_rules
from pull_responder.emulator.emulated_aws import ACCOUNT
from pull_responder.remediation.shell import render
from tests.integration.doctor.estate import REGION
from tests.integration.doctor.examined import HOUR, may, said
from tests.integration.doctor.test_canary import findings
from tests.integration.handlers.test_diagnose import metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_events import EventBridgeClient

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from pull_responder.responder.examination import Report
    from tests.integration.doctor.examined import Deliver, Examined

THERE = "sa-east-1"
ORGANIZED = "DoctorsOrganization"
RULE = "members-EcrDenied-1X2Y3Z"
BUS = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/pull-responder"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/forward"
WAY = f"the way of a refused call in {THERE}"


def _template(regions: list[str]) -> str:
    """A stack with the one thing that says which regions there are: the settings of the function `diagnose`."""
    variables = {
        "PULL_RESPONDER_ORGANIZATION_ID": "o-exampleorg1",
        "PULL_RESPONDER_MEMBER_REGIONS": json.dumps(regions),
    }
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    function = {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context):\n    return {}\n"},
        "Environment": {"Variables": variables},
    }
    return json.dumps(
        {
            "Resources": {
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": document}},
                "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
            },
            "Outputs": {"DiagnoseFunctionName": {"Value": {"Ref": "Function"}}},
        }
    )


@pytest.fixture
def cloudformation(aws: EmulatedAws) -> Iterator[Any]:
    client = aws.client("cloudformation", region=REGION)
    client.create_stack(StackName=ORGANIZED, TemplateBody=_template([THERE]), Capabilities=["CAPABILITY_IAM"])
    client.get_waiter("stack_create_complete").wait(StackName=ORGANIZED, WaiterConfig={"Delay": 1})
    yield client
    client.delete_stack(StackName=ORGANIZED)
    client.get_waiter("stack_delete_complete").wait(StackName=ORGANIZED, WaiterConfig={"Delay": 1})


@pytest.fixture
def events(
    aws: EmulatedAws,
    cloudformation: Any,  # noqa: ANN401 -- boto3's generated client
) -> Iterator[EventBridgeClient]:
    """EventBridge of the other region, where our account forwards refused pulls."""
    del cloudformation
    client, rule = aws.client("events", region=THERE), member_rules()["EcrDenied"]
    client.put_rule(Name=RULE, EventPattern=json.dumps(rule.pattern), State=rule.state)
    client.put_targets(Rule=RULE, Targets=[{"Id": "Hub", "Arn": BUS, "RoleArn": ROLE}])
    yield client
    client.remove_targets(Rule=RULE, Ids=["Hub"])
    client.delete_rule(Name=RULE)


def there(report: Report) -> list[tuple[str, str]]:
    return [(each.state.value, each.found) for each in report.results if each.subject == WAY]


def both_come(examined: Examined, deliver: Deliver) -> None:
    assert deliver(examined.record(), examined.record(at=THERE)) == []


@pytest.mark.usefixtures("events")
def test_a_record_of_each_region_proves_its_way_and_is_told_to_nobody(
    examined: Examined, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    report = examined(stack=ORGANIZED)
    sent = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CanariesSent"' in line]
    assert sorted(each["region"] for each in sent if "region" in each) == sorted([REGION, THERE])
    assert there(report) == [("unread", "no record has come yet, and it is not late")]
    examined.clock.forward(minutes=4)
    assert deliver(examined.record()) == []
    capsys.readouterr()

    assert deliver(examined.record(at=THERE)) == []

    out = capsys.readouterr().out
    seen = [json.loads(line) for line in out.splitlines() if '"CanariesSeen"' in line]
    assert [each["region"] for each in seen if "region" in each] == [THERE]
    assert not {"EventsReceived", "PullsDiagnosed", "FindingsFound", "EventsSkipped"} & set(metrics(out))
    assert findings(examined) == []
    examined.clock.forward(minutes=24 * HOUR)
    assert there(examined(stack=ORGANIZED)) == [("works", "the last record of a refused call came after 240 seconds")]
    assert examined.told() == []


@pytest.mark.usefixtures("events")
@pytest.mark.cause("responder_is_blind", "fails")
def test_the_region_whose_records_do_not_come_is_named_until_one_comes(examined: Examined, deliver: Deliver) -> None:
    examined(stack=ORGANIZED)
    assert deliver(examined.record()) == []
    for _ in range(2):
        examined.clock.forward(minutes=HOUR)
        report = examined(stack=ORGANIZED)
    assert report.is_blind
    assert [state for state, _ in said(report, "canary")] == ["works", "broken"]
    examined.recheck()
    (alert,) = examined.told()
    (told,) = alert["findings"]
    assert told["explanation"].startswith(f"In {THERE}, what an event has to pass broke: {WAY}.")
    assert [each for each in told["evidence"] if REGION in each] == []
    assert f"In {THERE}, look at the trail, at the stack of infra/member.yaml" in told["remediation"]["summary"]

    assert deliver(examined.record(at=THERE)) == []
    examined.clock.forward(minutes=HOUR)
    assert not examined(stack=ORGANIZED).is_blind
    examined.clock.forward(minutes=6)
    examined.recheck()
    assert [each["edge"] for each in examined.told()] == ["resolved"]


def test_a_rule_that_is_disabled_there_is_told_with_what_mends_it(
    examined: Examined, deliver: Deliver, events: EventBridgeClient
) -> None:
    examined(stack=ORGANIZED)
    both_come(examined, deliver)
    events.disable_rule(Name=RULE)
    examined.clock.forward(minutes=24 * HOUR)
    assert examined(stack=ORGANIZED).is_blind
    life = examined.life
    assert life
    assert life.finding.explanation.startswith(
        f"In {THERE}, what an event has to pass broke: forwarding of refused pulls from {THERE}."
    )
    assert life.finding.remediation.region == THERE
    examined.doctor.run(map(render, life.finding.remediation.commands))
    both_come(examined, deliver)
    examined.clock.forward(minutes=HOUR)
    assert not examined(stack=ORGANIZED).is_blind


@pytest.mark.usefixtures("events")
@pytest.mark.cause("responder_is_blind", "unread")
def test_where_the_rule_cannot_be_read_a_missing_record_blinds_nobody(examined: Examined, deliver: Deliver) -> None:
    """As in a region that a service control policy denies to the account."""
    policy = may()
    elsewhere = {"StringEquals": {"aws:RequestedRegion": THERE}}
    denied = {"Effect": "Deny", "Action": "events:*", "Resource": f"arn:aws:events:{THERE}:*:*", "Condition": elsewhere}
    broad = {"Effect": "Deny", "Action": "events:ListRuleNamesByTarget", "Resource": "*"}
    examined.let({**policy, "Statement": [*policy["Statement"], denied, broad]})
    examined(stack=ORGANIZED)
    assert deliver(examined.record()) == []
    calls = set()
    for _ in range(12):
        examined.clock.forward(minutes=HOUR)
        report = examined(stack=ORGANIZED)
        assert not report.is_blind
        newest = examined.canary_of(THERE).newest
        assert newest
        calls.add(newest.id)
    # It is examined after 1, 2, 4 and 8 hours, and the call is made with an examination alone.
    assert len(calls) <= 5
    assert examined.life is None
    examined.clock.forward(minutes=12 * HOUR)
    ((state, why),) = there(examined(stack=ORGANIZED))
    assert state == "unread"
    assert why.endswith("whether the account forwards them from there could not be read")


@pytest.mark.usefixtures("events")
def test_a_region_that_is_watched_no_more_blinds_no_more(examined: Examined, cloudformation: Any) -> None:  # noqa: ANN401 -- boto3's generated client
    for _ in range(3):
        report = examined(stack=ORGANIZED)
        examined.clock.forward(minutes=HOUR)
    assert report.is_blind
    cloudformation.update_stack(StackName=ORGANIZED, TemplateBody=_template([]), Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_update_complete").wait(StackName=ORGANIZED, WaiterConfig={"Delay": 1})
    # Nothing names the regions now: not to know them is no reason to forget one.
    report = examined(stack=ORGANIZED)
    assert there(report)[0][0] == "unread"
    cloudformation.update_stack(StackName=ORGANIZED, TemplateBody=_template([REGION]), Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_update_complete").wait(StackName=ORGANIZED, WaiterConfig={"Delay": 1})
    examined.clock.forward(minutes=HOUR)
    report = examined(stack=ORGANIZED)
    assert there(report) == []
