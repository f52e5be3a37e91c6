"""What the stack sets up in an emulated Security Hub, and what is left of it after refusals."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.config import Config

from pull_responder.publish.hub_setup import HubSetup, Insight, Setup

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient

    from tests.integration.publish.conftest import Clock

OURS: Final = {"GeneratorId": [{"Comparison": "PREFIX", "Value": "pull-responder/"}]}
THEIRS: Final = {"GeneratorId": [{"Comparison": "PREFIX", "Value": "aws-foundational"}]}
WANTED: Final = Insight("Pull Responder: open findings by cause", "GeneratorId", OURS)
ACTION: Final = "arn:aws:securityhub:eu-west-1:123456789012:action/custom/PullResponderLook"


@pytest.fixture
def setup(hub: SecurityHubClient, clock: Clock) -> HubSetup:
    return HubSetup(hub, clock.remaining, clock.wait)


def insights(hub: SecurityHubClient) -> list[dict[str, Any]]:
    return [dict(each) for each in hub.get_insights()["Insights"]]


def put_action(setup: HubSetup) -> Setup:
    return setup.put_action("PullResponderLook", name="Look again", description="Check", arn=ACTION)


def test_an_insight_is_made_once(hub: SecurityHubClient, setup: HubSetup) -> None:
    first = setup.put_insight(WANTED)
    assert setup.put_insight(WANTED) == setup.put_insight(WANTED, arn=first.arn) == first
    assert insights(hub) == [
        {"InsightArn": first.arn, "Name": WANTED.name, "Filters": OURS, "GroupByAttribute": "GeneratorId"}
    ]
    assert first.problem == ""


def test_an_insight_of_its_name_is_found_behind_a_page_of_others(hub: SecurityHubClient, setup: HubSetup) -> None:
    for number in range(99):
        hub.create_insight(Name=f"theirs {number}", GroupByAttribute="Id", Filters=THEIRS)  # type: ignore[arg-type]
    first = setup.put_insight(WANTED)
    hub.meta.events.register(
        "before-parameter-build.securityhub.GetInsights", lambda params, **_: params.update(MaxResults=40)
    )
    assert setup.put_insight(WANTED) == first


def test_only_what_is_wanted_anew_is_changed_and_peoples_name_stays(hub: SecurityHubClient, setup: HubSetup) -> None:
    arn = setup.put_insight(WANTED).arn
    hub.update_insight(InsightArn=arn, Name="What team A has to mend")
    after = replace(WANTED, group_by="ResourceId")
    assert setup.put_insight(after, arn=arn, before=WANTED) == Setup(arn)
    (kept,) = insights(hub)
    assert (kept["Name"], kept["GroupByAttribute"]) == ("What team A has to mend", "ResourceId")

    renamed = replace(after, name="Pull Responder: by resource", filters={**OURS, "RecordState": []})
    assert setup.put_insight(renamed, arn=arn, before=after) == Setup(arn)
    (kept,) = insights(hub)
    assert (kept["Name"], kept["Filters"]) == ("Pull Responder: by resource", renamed.filters)


def test_an_insight_that_people_deleted_is_made_again(hub: SecurityHubClient, setup: HubSetup) -> None:
    arn = setup.put_insight(WANTED).arn
    hub.delete_insight(InsightArn=arn)
    again = setup.put_insight(replace(WANTED, group_by="Id"), arn=arn, before=WANTED)
    assert again.arn != arn
    assert [each["InsightArn"] for each in insights(hub)] == [again.arn]


def test_an_insight_is_deleted_unless_it_is_somebody_elses(hub: SecurityHubClient, setup: HubSetup) -> None:
    theirs = hub.create_insight(Name="By region", GroupByAttribute="Region", Filters=THEIRS)["InsightArn"]  # type: ignore[arg-type]
    twin = hub.create_insight(Name="Mine", GroupByAttribute="GeneratorId", Filters=OURS)["InsightArn"]  # type: ignore[arg-type]
    renamed, taken = setup.put_insight(WANTED).arn, setup.put_insight(replace(WANTED, name="Pull Responder: x")).arn
    hub.update_insight(InsightArn=renamed, Name="What team A has to mend")
    hub.update_insight(InsightArn=taken, Name="Of GuardDuty", Filters=THEIRS)  # type: ignore[arg-type]
    for arn in (renamed, taken, theirs, renamed):
        assert setup.delete_insight(arn) == Setup()
    assert {each["InsightArn"] for each in insights(hub)} == {theirs, twin, taken}


def test_an_action_is_made_once_stays_as_people_named_it_and_is_deleted(
    hub: SecurityHubClient, setup: HubSetup
) -> None:
    hub.create_action_target(Name="Check now", Description="by hand", Id="PullResponderLook")
    other = hub.create_action_target(Name="Ticket", Description="of others", Id="Ticket")["ActionTargetArn"]
    assert put_action(setup) == put_action(setup) == Setup(ACTION)
    actions = {each["ActionTargetArn"]: each["Name"] for each in hub.describe_action_targets()["ActionTargets"]}
    assert actions == {ACTION: "Check now", other: "Ticket"}
    for arn in (ACTION, ACTION, other):
        assert setup.delete_action(arn) == Setup()
    assert [each["ActionTargetArn"] for each in hub.describe_action_targets()["ActionTargets"]] == [other]


def test_where_security_hub_is_off_all_say_the_same(hub: SecurityHubClient, setup: HubSetup) -> None:
    arn = setup.put_insight(WANTED).arn
    hub.disable_security_hub()
    off = "Security Hub is off here (InvalidAccessException)"
    assert setup.put_insight(WANTED) == put_action(setup) == Setup("", off)
    # What is not known to be gone keeps its ARN.
    assert setup.put_insight(WANTED, arn=arn) == setup.delete_insight(arn) == Setup(arn, off)
    assert setup.delete_action(ACTION) == Setup(ACTION, off)


@pytest.mark.parametrize("operation", ["GetInsights", "CreateInsight"])
def test_a_refused_call_is_named_and_not_repeated(
    hub: SecurityHubClient, setup: HubSetup, clock: Clock, operation: str
) -> None:
    clock.refuse(hub, operation, ("AccessDeniedException", 403))
    assert setup.put_insight(WANTED) == Setup("", f"securityhub:{operation} failed: AccessDeniedException: not now")
    assert clock.waited == []
    assert insights(hub) == []


def test_a_throttled_call_is_repeated_twice(hub: SecurityHubClient, setup: HubSetup, clock: Clock) -> None:
    clock.refuse(hub, "CreateInsight", *[("LimitExceededException", 429)] * 2)
    assert setup.put_insight(WANTED).problem == ""
    assert len(clock.waited) == 2
    clock.refuse(hub, "CreateActionTarget", *[("LimitExceededException", 429)] * 3)
    assert put_action(setup).problem == "securityhub:CreateActionTarget failed: LimitExceededException: not now"


def test_an_insight_that_is_there_only_by_a_lost_answer_is_found(
    hub: SecurityHubClient, setup: HubSetup, clock: Clock
) -> None:
    clock.refuse(hub, "CreateInsight", ("ResourceConflictException", 409))
    assert setup.put_insight(WANTED).problem == "securityhub:CreateInsight failed: there is another one like it"


def test_no_call_begins_that_could_outlast_the_run(hub: SecurityHubClient, setup: HubSetup, clock: Clock) -> None:
    clock.left = 30.0
    assert setup.put_insight(WANTED).problem == "securityhub:GetInsights was not called: no time was left for it"
    assert insights(hub) == []


def test_an_endpoint_that_hangs_is_a_reason(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = boto3.client(
            "securityhub",
            region_name="eu-west-1",
            endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
            config=Config(read_timeout=0.05, retries={"total_max_attempts": 1}),
        )
        hanging = HubSetup(client, clock.remaining, clock.wait)
        assert "securityhub:GetInsights failed: ReadTimeoutError" in hanging.put_insight(WANTED).problem
        assert "securityhub:DeleteActionTarget failed: ReadTimeoutError" in hanging.delete_action(ACTION).problem


@pytest.mark.parametrize("answer", [{}, {"Insights": 7}, {"Insights": [{"Name": "x"}]}])
def test_an_answer_of_another_shape_is_a_reason(
    hub: SecurityHubClient, setup: HubSetup, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "get_insights", lambda **_: answer)
    for done in (setup.put_insight(WANTED, arn="arn:x"), setup.delete_insight("arn:x")):
        assert done == Setup("arn:x", "securityhub:GetInsights gave an answer that cannot be read")
