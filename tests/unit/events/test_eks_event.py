"""Events that Amazon EKS itself sends: add-ons that fail, what is skipped with a word, and what is malformed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pull_responder.events.change import Change, read_change
from pull_responder.events.eks_change import Inspection
from pull_responder.events.eks_event import ADDON_FAILURES, ADDON_RESTORED, read_addon, read_eks_event
from pull_responder.events.intake import Origins, Skipped, UnusableEvent, read_body, read_text

ACCOUNT, REGION = "111111111111", "eu-west-1"
MOMENT = "2026-03-01T12:00:00Z"
POD_STOPS = "EKS Fargate Pod Scheduled Termination"
DEGRADED = "EKS Addon Health Degraded"
ID = "0ec71efc-98dd-3203-60b0-4b939b2a5e5f"


def addon_arn(cluster: str = "prod", addon: str = "coredns", *, account: str = ACCOUNT, region: str = REGION) -> str:
    return f"arn:aws:eks:{region}:{account}:addon/{cluster}/{addon}/{ID}"


def addon_event(detail_type: str = DEGRADED, *arns: str, **detail: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """An event of EKS. Its detail names the add-on unless `arns` do."""
    named = {} if arns else {"clusterName": "prod", "addonName": "coredns"}
    return {
        "version": "0",
        "id": "e-1",
        "detail-type": detail_type,
        "source": "aws.eks",
        "account": ACCOUNT,
        "time": MOMENT,
        "region": REGION,
        "resources": list(arns),
        "detail": {**named, **detail},
    }


def read(event: dict[str, Any]) -> object:
    return read_body(json.dumps(event), origins=Origins(ACCOUNT))


def inspection(*addons: str, cluster: str = "prod") -> Inspection:
    return Inspection(ACCOUNT, REGION, cluster, observed_at=MOMENT, event_id="e-1", addons=addons, only_addons=True)


@pytest.mark.parametrize("detail_type", sorted(ADDON_FAILURES))
def test_an_add_on_that_fails_asks_about_its_images(detail_type: str) -> None:
    assert read(addon_event(detail_type)) == inspection("coredns")
    assert read_text(json.dumps(addon_event(detail_type))) == [inspection("coredns")]


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (addon_event(DEGRADED, addon_arn()), inspection("coredns")),
        (addon_event(DEGRADED, addon_arn("test", "vpc-cni")), inspection("vpc-cni", cluster="test")),
        (addon_event(DEGRADED, "not an ARN", addon_arn()), inspection("coredns")),
        (addon_event(DEGRADED, f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/prod", addonName="kube-proxy"),
         inspection("kube-proxy")),
        (addon_event(clusterName=None, addonName=None, addonArn=addon_arn()), inspection("coredns")),
        (addon_event(clusterName=None, addonName=None, **{"cluster-name": "a", "addon-name": "kube-proxy"}),
         inspection("kube-proxy", cluster="a")),
        # The ARN is AWS's; whatever else is named beside it does not count.
        (addon_event(DEGRADED, addon_arn(), clusterName="other", addonName="other"), inspection("coredns")),
        (addon_event(health={"issues": 7}, status=["DEGRADED"]), inspection("coredns")),
    ],
)  # fmt: skip
def test_an_add_on_is_named_by_its_arn_or_by_fields(event: dict[str, Any], asked: Inspection) -> None:
    assert read(event) == asked


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (addon_event(clusterName=None), f"{DEGRADED} that does not name its cluster"),
        (addon_event(clusterName="../x"), f"{DEGRADED} that does not name its cluster"),
        (addon_event(addonName=None), f"{DEGRADED} of cluster prod that does not name its add-on"),
        (addon_event(addonName="a b\nc"), f"{DEGRADED} of cluster prod that does not name its add-on"),
        (addon_event(addonName={"name": "coredns"}), f"{DEGRADED} of cluster prod that does not name its add-on"),
        ({**addon_event(), "account": None}, f"{DEGRADED} without account or region"),
        ({**addon_event(), "region": "x"}, f"{DEGRADED} without account or region"),
        (addon_event(DEGRADED, addon_arn(account="222222222222")),
         f"{DEGRADED} whose add-on is in another account or region than the event"),
        (addon_event(addonArn=addon_arn(region="us-east-1")),
         f"{DEGRADED} whose add-on is in another account or region than the event"),
        (addon_event("EKS Addon Creation Succeeded"), "EKS Addon Creation Succeeded: not about an add-on that fails"),
        (addon_event("EKS Addon Update Succeeded"), "EKS Addon Update Succeeded: not about an add-on that fails"),
        (addon_event("EKS Addon Deletion Failed"), "EKS Addon Deletion Failed: not about an add-on that fails"),
        (addon_event("EKS \x1b[31mNews"), "EKS News: not about an add-on that fails"),
        (addon_event(ADDON_RESTORED),
         f"{ADDON_RESTORED}: nothing to diagnose; a deployment checks its open findings again"),
        (addon_event(POD_STOPS),
         f"{POD_STOPS}: EKS is going to stop a Fargate pod to patch it, which is no failed pull"),
    ],
)  # fmt: skip
def test_what_asks_nothing_is_skipped_with_a_word(event: dict[str, Any], reason: str) -> None:
    assert read(event) == Skipped(reason)


def test_a_detail_that_is_no_object_is_unusable() -> None:
    with pytest.raises(UnusableEvent, match=r"^body\.detail is not an object but a list$"):
        read({**addon_event(), "detail": []})


def test_an_add_on_that_works_again_is_a_change_of_its_cluster() -> None:
    change = read_change(json.dumps(addon_event(ADDON_RESTORED, addon_arn())), account=ACCOUNT)
    assert change == Change("eks", ADDON_RESTORED, ACCOUNT, REGION, at=MOMENT, words=frozenset({"prod"}))


def test_an_add_on_that_works_again_and_is_not_named_changes_nothing() -> None:
    change = read_change(json.dumps(addon_event(ADDON_RESTORED, clusterName=None)), account=ACCOUNT)
    assert change == Skipped(f"{ADDON_RESTORED} that does not name its cluster")


def test_an_add_on_that_fails_is_no_change() -> None:
    assert isinstance(read_change(json.dumps(addon_event()), account=ACCOUNT), Skipped)


def test_the_detail_types_are_those_of_eks() -> None:
    assert {*ADDON_FAILURES, ADDON_RESTORED} == {
        "EKS Addon Creation Failed",
        "EKS Addon Update Failed",
        "EKS Addon Health Degraded",
        "EKS Addon Health Restored",
    }


@pytest.mark.parametrize("key", ["addonArn", "addon-arn"])
def test_an_add_on_may_be_named_by_its_arn_in_the_detail(key: str) -> None:
    event = addon_event(DEGRADED)
    assert read({**event, "detail": {key: addon_arn("test", "vpc-cni")}}) == inspection("vpc-cni", cluster="test")
    elsewhere = read({**event, "detail": {**event["detail"], key: addon_arn(region="us-east-1")}})
    assert elsewhere == Skipped(f"{DEGRADED} whose add-on is in another account or region than the event")


@pytest.mark.parametrize("key", ["clusterArn", "cluster-arn"])
def test_a_cluster_may_be_named_by_its_arn_in_the_detail(key: str) -> None:
    cluster = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/test"
    event = {**addon_event(DEGRADED), "detail": {key: cluster, "addonName": "coredns"}}
    assert read(event) == inspection("coredns", cluster="test")


@pytest.mark.parametrize(
    ("cluster", "addon"), [("clusterName", "addonName"), ("cluster-name", "addon-name"), ("cluster", "addon")]
)
def test_the_fields_that_name_cluster_and_add_on(cluster: str, addon: str) -> None:
    event = {**addon_event(DEGRADED), "detail": {cluster: "test", addon: "vpc-cni"}}
    assert read(event) == inspection("vpc-cni", cluster="test")


@pytest.mark.parametrize(("where", "named"), [("", "detail"), ("letter", "letter.detail")])
def test_where_a_detail_is_malformed_is_said(where: str, named: str) -> None:
    with pytest.raises(UnusableEvent, match=f"^{named} is not an object but null$"):
        read_eks_event({"detail-type": DEGRADED}, where=where)
    for read_it in (read_eks_event, read_addon):
        with pytest.raises(UnusableEvent, match=r"^detail is not an object but null$"):
            read_it({"detail-type": DEGRADED})


def test_what_an_event_calls_itself_is_cut() -> None:
    long = "EKS " + "N" * 100
    assert read(addon_event(long)) == Skipped(f"{long[:80]}: not about an add-on that fails")
    assert read_addon({**addon_event(long), "account": None}) == Skipped(f"{long[:80]} without account or region")
