"""The workflow of findings in an emulated Security Hub: read, resolved, and left to people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from pull_responder.model.unread import Unread
from pull_responder.publish.asff import product_arn, to_asff
from pull_responder.publish.hub_workflow import ResolveOutcome, Workflow, WorkflowStatus, read_workflows, resolve
from pull_responder.publish.security_hub import Rejection, import_findings
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_securityhub import SecurityHubClient

    from tests.integration.publish.conftest import Clock

    Status = Literal["NEW", "NOTIFIED", "SUPPRESSED", "RESOLVED"]

PRODUCT: Final = product_arn(account="123456789012", region="eu-west-1", partition="aws")
NEW: Final = Workflow(WorkflowStatus.NEW)


def store(hub: SecurityHubClient, ids: Iterable[str], *, second: int = 0, over: bool = False) -> None:
    """Import findings of these ids at that second: open ones, or such as are over."""
    now = datetime(2026, 5, 4, 10, 12, second, tzinfo=UTC)
    findings = [
        to_asff(
            replace(FINDING, id=each),
            account="123456789012",
            region="eu-west-1",
            partition="aws",
            now=now,
            resolved_because="the role allows the pull." if over else None,
        )
        for each in ids
    ]
    assert import_findings(hub, findings).rejections == ()


def set_by_a_person(hub: SecurityHubClient, finding_id: str, status: Status) -> None:
    answer = hub.batch_update_findings(
        FindingIdentifiers=[{"Id": finding_id, "ProductArn": PRODUCT}], Workflow={"Status": status}
    )
    assert answer["UnprocessedFindings"] == []


def status(hub: SecurityHubClient, finding_id: str) -> str:
    [finding] = hub.get_findings(Filters={"Id": [{"Value": finding_id, "Comparison": "EQUALS"}]})["Findings"]
    return finding["Workflow"]["Status"]


def count(hub: SecurityHubClient, operation: str) -> list[dict[str, Any]]:
    """Return a list that the parameters of each call of `operation` will be added to."""
    calls: list[dict[str, Any]] = []
    hub.meta.events.register(
        f"before-parameter-build.securityhub.{operation}", lambda params, **_: calls.append(params)
    )
    return calls


def test_the_workflow_is_read_by_id(hub: SecurityHubClient) -> None:
    store(hub, ["untouched", "silenced", "another"])
    store(hub, ["over"], over=True)
    set_by_a_person(hub, "silenced", "SUPPRESSED")
    set_by_a_person(hub, "another", "NOTIFIED")

    assert read_workflows(hub, ["untouched", "silenced", "over", "never sent"], product_arn=PRODUCT) == {
        "untouched": NEW,
        "silenced": Workflow(WorkflowStatus.SUPPRESSED),
        "over": Workflow(WorkflowStatus.NEW, archived=True),
    }


def test_the_same_id_of_another_product_is_another_finding(hub: SecurityHubClient) -> None:
    store(hub, ["one"])

    elsewhere = product_arn(account="123456789012", region="us-east-1", partition="aws")

    assert read_workflows(hub, ["one"], product_arn=elsewhere) == {}


def test_more_ids_than_a_filter_takes_are_read_in_several_calls(hub: SecurityHubClient) -> None:
    ids = [f"finding-{number:02}" for number in range(45)]
    store(hub, ids)
    calls = count(hub, "GetFindings")

    assert read_workflows(hub, [*ids, *ids], product_arn=PRODUCT) == dict.fromkeys(ids, NEW)
    assert [len(each["Filters"]["Id"]) for each in calls] == [20, 20, 5]


def test_every_page_is_read(hub: SecurityHubClient) -> None:
    # The emulated Security Hub gives no page of less than it was asked for.
    def page(finding_id: str, token: str | None) -> dict[str, Any]:
        finding = to_asff(
            replace(FINDING, id=finding_id),
            account="123456789012",
            region="eu-west-1",
            partition="aws",
            now=datetime(2026, 5, 4, tzinfo=UTC),
        )
        return {"Findings": [finding], **({"NextToken": token} if token else {})}

    with Stubber(hub) as paging:
        paging.add_response("get_findings", page("one", "more"))
        paging.add_response("get_findings", page("two", None))
        assert read_workflows(hub, ["one", "two"], product_arn=PRODUCT) == {"one": NEW, "two": NEW}


def test_a_status_that_is_not_known_is_not_read(hub: SecurityHubClient) -> None:
    store(hub, ["one", "two"])
    set_by_a_person(hub, "one", "PONDERED")  # type: ignore[arg-type]  # which AWS may add one day

    read = read_workflows(hub, ["one", "two"], product_arn=PRODUCT)

    assert read["two"] == NEW
    assert read["one"] == Unread("securityhub:GetFindings gave a workflow status that is not known: 'PONDERED'")


def test_where_security_hub_is_off_the_reason_is_given_once_asked(hub: SecurityHubClient, clock: Clock) -> None:
    hub.disable_security_hub()
    calls = count(hub, "GetFindings")
    ids = [f"finding-{number}" for number in range(45)]

    read = read_workflows(hub, ids, product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)

    reason = (
        "securityhub:GetFindings failed: InvalidAccessException: "
        "Account 123456789012 is not subscribed to AWS Security Hub"
    )
    assert read == dict.fromkeys(ids, Unread(reason))
    assert len(calls) == 1
    assert clock.waited == []


def test_reading_waits_for_a_busy_security_hub_and_keeps_what_it_has_read(hub: SecurityHubClient, clock: Clock) -> None:
    ids = [f"finding-{number:02}" for number in range(40)]
    store(hub, ids)
    clock.refuse(hub, "GetFindings", ("TooManyRequestsException", 429), ("LimitExceededException", 429))
    patient = read_workflows(hub, ids, product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)
    assert patient == dict.fromkeys(ids, NEW)
    assert len(clock.waited) == 2

    clock.left = 0.1
    clock.refuse(hub, "GetFindings", ("LimitExceededException", 429))
    hasty = read_workflows(hub, ids, product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)
    assert set(hasty.values()) == {Unread("securityhub:GetFindings failed: LimitExceededException: not now")}
    assert len(clock.waited) == 2


def test_without_time_nothing_is_read_and_nothing_resolved(hub: SecurityHubClient, clock: Clock) -> None:
    store(hub, ["one"], over=True)
    clock.left = 0.0
    reason = "securityhub:GetFindings was not called: no time was left for it"

    read = read_workflows(hub, ["one"], product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)
    outcome = resolve(hub, ["one"], product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)

    assert read == {"one": Unread(reason)}
    assert outcome == ResolveOutcome(rejections=(Rejection("one", "Unread", reason, retryable=True),))
    assert status(hub, "one") == "NEW"


def test_only_what_nobody_has_touched_is_resolved(hub: SecurityHubClient) -> None:
    ids = ["untouched", "notified", "silenced", "resolved"]
    store(hub, ids)
    for finding_id, set_to in (("notified", "NOTIFIED"), ("silenced", "SUPPRESSED"), ("resolved", "RESOLVED")):
        set_by_a_person(hub, finding_id, set_to)  # type: ignore[arg-type]  # a literal each
    store(hub, ids, second=1, over=True)

    outcome = resolve(hub, [*ids, "never sent"], product_arn=PRODUCT)

    assert outcome == ResolveOutcome(
        resolved=("untouched",), kept=("notified", "silenced", "resolved"), missing=("never sent",)
    )
    assert {each: status(hub, each) for each in ids} == {
        "untouched": "RESOLVED",
        "notified": "NOTIFIED",
        "silenced": "SUPPRESSED",
        "resolved": "RESOLVED",
    }


@pytest.mark.parametrize(
    ("left_as", "comes_back_as"),
    [("NEW", "NEW"), ("NOTIFIED", "NEW"), ("RESOLVED", "NEW"), ("SUPPRESSED", "SUPPRESSED")],
)
def test_security_hub_resets_what_comes_back_but_not_what_is_suppressed(
    hub: SecurityHubClient, left_as: Status, comes_back_as: str
) -> None:
    store(hub, ["one"])
    set_by_a_person(hub, "one", left_as)
    store(hub, ["one"], second=1, over=True)
    resolve(hub, ["one"], product_arn=PRODUCT)
    store(hub, ["one"], second=2)

    assert status(hub, "one") == comes_back_as


def test_what_a_person_has_resolved_stays_resolved_while_it_fails(hub: SecurityHubClient) -> None:
    store(hub, ["one"])
    set_by_a_person(hub, "one", "RESOLVED")
    store(hub, ["one"], second=1)

    assert read_workflows(hub, ["one"], product_arn=PRODUCT) == {"one": Workflow(WorkflowStatus.RESOLVED)}


def test_a_hundred_findings_are_resolved_in_a_call(hub: SecurityHubClient) -> None:
    ids = [f"finding-{number:03}" for number in range(105)]
    store(hub, ids, over=True)
    calls = count(hub, "BatchUpdateFindings")

    outcome = resolve(hub, ids, product_arn=PRODUCT)

    assert outcome == ResolveOutcome(resolved=tuple(ids))
    assert [len(each["FindingIdentifiers"]) for each in calls] == [100, 5]
    assert {status(hub, each) for each in ids} == {"RESOLVED"}


def test_what_is_not_processed_is_handled_one_by_one(hub: SecurityHubClient, clock: Clock) -> None:
    # The emulated Security Hub processes all that it has.
    store(hub, ["busy", "gone", "fine"], over=True)

    def identifiers(*ids: str) -> list[dict[str, str]]:
        return [{"Id": each, "ProductArn": PRODUCT} for each in ids]

    def unprocessed(finding_id: str, code: str, message: str) -> dict[str, Any]:
        return {"FindingIdentifier": identifiers(finding_id)[0], "ErrorCode": code, "ErrorMessage": message}

    resolved = {"Status": "RESOLVED"}
    stored = hub.get_findings()["Findings"]
    with Stubber(hub) as refusing:
        refusing.add_response("get_findings", {"Findings": stored})
        refusing.add_response(
            "batch_update_findings",
            {
                "ProcessedFindings": identifiers("fine"),
                "UnprocessedFindings": [
                    unprocessed("busy", "ConcurrentUpdateError", "Concurrent finding updates detected"),
                    unprocessed("gone", "FindingNotFound", "Finding Not Found"),
                ],
            },
            {"FindingIdentifiers": identifiers("busy", "gone", "fine"), "Workflow": resolved},
        )
        refusing.add_response(
            "batch_update_findings",
            {"ProcessedFindings": identifiers("busy"), "UnprocessedFindings": []},
            {"FindingIdentifiers": identifiers("busy"), "Workflow": resolved},
        )
        outcome = resolve(
            hub, ["busy", "gone", "fine"], product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait
        )
        refusing.assert_no_pending_responses()

    assert outcome == ResolveOutcome(
        resolved=("busy", "fine"),
        rejections=(Rejection("gone", "FindingNotFound", "Finding Not Found", retryable=False),),
    )


def test_without_the_permission_to_resolve_each_finding_says_so(hub: SecurityHubClient, clock: Clock) -> None:
    store(hub, ["one"], over=True)
    clock.refuse(hub, "BatchUpdateFindings", ("AccessDeniedException", 403))

    outcome = resolve(hub, ["one"], product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)

    assert outcome.resolved == ()
    assert outcome.rejections == (Rejection("one", "AccessDeniedException", "not now", retryable=False),)
    assert clock.waited == []


def test_throttling_is_waited_out_within_the_time_there_is(hub: SecurityHubClient, clock: Clock) -> None:
    store(hub, ["one", "two"], over=True)
    clock.refuse(hub, "BatchUpdateFindings", *[("LimitExceededException", 429)] * 3)
    assert resolve(hub, ["one"], product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait) == ResolveOutcome(
        resolved=("one",)
    )
    assert len(clock.waited) == 3

    clock.left = 5.0
    clock.refuse(hub, "BatchUpdateFindings", *[("LimitExceededException", 429)] * 10_000)
    outcome = resolve(hub, ["two"], product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)
    assert outcome.rejections == (Rejection("two", "LimitExceededException", "not now", retryable=True),)
    assert clock.left >= 0


def test_a_connection_that_fails_raises_nothing(hub: SecurityHubClient, clock: Clock) -> None:
    store(hub, ["one"], over=True)

    def lose(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://securityhub.nowhere.amazonaws.com/")

    hub.meta.events.register("before-call.securityhub.BatchUpdateFindings", lose)
    outcome = resolve(hub, ["one"], product_arn=PRODUCT, remaining=clock.remaining, wait=clock.wait)
    assert [(each.code, each.retryable) for each in outcome.rejections] == [("EndpointConnectionError", True)]

    hub.meta.events.register("before-call.securityhub.GetFindings", lose)
    [unread] = read_workflows(hub, ["one"], product_arn=PRODUCT).values()
    assert isinstance(unread, Unread)
    assert unread.reason.startswith("securityhub:GetFindings failed: EndpointConnectionError")
    assert clock.waited == []
