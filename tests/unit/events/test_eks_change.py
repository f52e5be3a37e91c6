"""Changes of clusters and the schedule: which nodes to inspect, and events that are skipped."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pull_responder.events.eks_change import CHANGES, Inspection, read_eks_change, read_schedule
from pull_responder.events.intake import Origins, Skipped, UnusableEvent, read_body

MOMENT = "2026-03-01T12:00:00Z"


def call(name: str, request: Any = None, **detail: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    return {
        "source": "aws.eks",
        "detail-type": "AWS API Call via CloudTrail",
        "account": "111111111111",
        "region": "eu-west-1",
        "detail": {"eventName": name, "eventTime": MOMENT, "eventID": "e-1", "requestParameters": request, **detail},
    }


def read(event: dict[str, Any]) -> object:
    return read_body(json.dumps(event), origins=Origins("111111111111"))


def inspection(**fields: Any) -> Inspection:  # noqa: ANN401 -- any field of Inspection
    return Inspection("111111111111", "eu-west-1", observed_at=MOMENT, event_id="e-1", **fields)


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (
            call("CreateNodegroup", {"name": "prod", "nodegroupName": "workers"}),
            inspection(cluster="prod", node_group="workers"),
        ),
        (
            call("UpdateNodegroupConfig", {"clusterName": "prod", "nodegroupName": "workers"}),
            inspection(cluster="prod", node_group="workers"),
        ),
        (
            call("UpdateNodegroupVersion", {"name": "prod", "nodegroupName": "workers"}),
            inspection(cluster="prod", node_group="workers"),
        ),
        (
            call("CreateFargateProfile", {"name": "prod", "fargateProfileName": "jobs"}),
            inspection(cluster="prod", fargate_profile="jobs"),
        ),
        (call("UpdateClusterConfig", {"name": "prod"}), inspection(cluster="prod")),
        # As the EKS User Guide shows the record.
        (call("CreateCluster", {"clusterName": "prod", "roleArn": "x"}), inspection(cluster="prod")),
        (call("CreateCluster", None, responseElements={"cluster": {"name": "prod"}}), inspection(cluster="prod")),
        (
            call("CreateNodegroup", {"name": "prod", "nodegroupName": "../x"}),
            inspection(cluster="prod"),
        ),
    ],
)
def test_a_change_names_what_to_inspect(event: dict[str, Any], asked: Inspection) -> None:
    assert read(event) == asked


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (call("DeleteNodegroup", {"name": "prod"}), "DeleteNodegroup does not change how nodes pull"),
        (call("", {"name": "prod"}), "an event without a name does not change how nodes pull"),
        (
            call("CreateNodegroup", {"name": "prod"}, errorCode="ResourceInUseException"),
            "CreateNodegroup failed with ResourceInUseException, so nothing has changed",
        ),
        (call("CreateNodegroup", {"name": "no cluster"}), "CreateNodegroup that does not name its cluster"),
        ({**call("CreateCluster", {"name": "a"}), "region": None}, "CreateCluster that does not name its cluster"),
    ],
)
def test_what_changes_nothing_is_skipped(event: dict[str, Any], reason: str) -> None:
    assert read(event) == Skipped(reason)


@pytest.mark.parametrize(
    ("own", "envelope", "expected"), [("e-1", "e-2", "e-1"), (None, "e-2", "e-2"), ("no id", None, None)]
)
def test_an_inspection_is_known_by_the_id_of_its_event(
    own: str | None, envelope: str | None, expected: str | None
) -> None:
    event = {**call("UpdateClusterConfig", {"name": "prod"}, eventID=own), "id": envelope}
    found = read(event)
    assert isinstance(found, Inspection)
    assert found.event_id == expected


def test_the_clock_asks_for_health_of_everything_in_the_region() -> None:
    clock = {"source": "aws.events", "detail-type": "Scheduled Event", "account": "111111111111", "detail": {}}
    clock |= {"region": "eu-west-1", "time": MOMENT, "id": "e-1"}
    assert read(clock) == inspection(health_only=True)
    assert read({**clock, "detail-type": "Other"}) == Skipped("an event of EventBridge that is not from a schedule")


def test_a_detail_that_is_no_object_is_unusable() -> None:
    with pytest.raises(UnusableEvent, match=r"^body\.detail is not an object but a list$"):
        read({**call("CreateCluster"), "detail": []})


def test_the_calls_are_those_that_the_stack_has_a_rule_for() -> None:
    from infra.failure_patterns import EKS_CHANGES  # noqa: PLC0415 -- the one place where the two meet

    assert set(EKS_CHANGES) == CHANGES


@pytest.mark.parametrize(("where", "named"), [("", "detail"), ("letter", "letter.detail")])
def test_where_a_detail_is_malformed_is_said(where: str, named: str) -> None:
    with pytest.raises(UnusableEvent, match=f"^{named} is not an object but null$"):
        read_eks_change({}, where=where)


def test_what_a_record_names_is_cut() -> None:
    assert read(call("N" * 100)) == Skipped(f"{'N' * 80} does not change how nodes pull")
    failed = read(call("CreateCluster", {"name": "prod"}, errorCode="E" * 100))
    assert failed == Skipped(f"CreateCluster failed with {'E' * 80}, so nothing has changed")


def test_a_change_is_as_old_as_its_record_or_else_its_event() -> None:
    event = {**call("UpdateClusterConfig", {"name": "prod"}), "time": "2026-03-01T12:01:00Z"}
    assert read(event) == inspection(cluster="prod")
    event["detail"]["eventTime"] = None
    found = read(event)
    assert isinstance(found, Inspection)
    assert found.observed_at == "2026-03-01T12:01:00Z"


@pytest.mark.parametrize("place", ["account", "region"])
def test_a_schedule_of_no_place_asks_nothing(place: str) -> None:
    clock = {"source": "aws.events", "detail-type": "Scheduled Event", "account": "111111111111", "region": "eu-west-1"}
    assert read_schedule({**clock, place: None}) == Skipped("an event of EventBridge that is not from a schedule")
