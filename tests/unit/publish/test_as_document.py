"""What queues and functions get."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its types are a package of their own

from pull_responder.findings.alert import Alert
from pull_responder.findings.deed import Deed
from pull_responder.findings.flapping import IT_FLAPS
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Remediation
from pull_responder.publish import as_document_1
from pull_responder.publish.as_document import (
    alert_document,
    finding_object,
    pull_object,
    reach_object,
)
from pull_responder.publish.digest_document import digest_document
from pull_responder.publish.notification import digest_notification
from pull_responder.publish.style import Style
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, ROLE
from tests.unit.publish.notices import BOTH, BOUNDARY, NOTICE, alerts, notices

DOCS = Path(__file__).parents[3] / "docs"
SCHEMA: dict[str, Any] = json.loads((DOCS / "notification.schema.json").read_text())
FIRST: dict[str, Any] = json.loads((DOCS / "notification-1.schema.json").read_text())
ROOM = 32 * 1024


def _closed(schema: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return `schema` such that objects whose keys it names have no others."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(value) for key, value in schema.items()}
    return inner | {"additionalProperties": False} if "required" in schema else inner


# Consumers have to take keys they do not know; those that we write are to be documented.
VALIDATORS = {
    id(schema): [Draft202012Validator(each) for each in (schema, schema | {"$defs": _closed(schema["$defs"])})]
    for schema in (SCHEMA, FIRST)
}


def assert_documented(document: dict[str, Any], schema: dict[str, Any] = SCHEMA) -> None:
    read = json.loads(json.dumps(document))
    for validator in VALIDATORS[id(schema)]:
        validator.validate(read)


@pytest.mark.parametrize("schema", [SCHEMA, FIRST])
def test_the_schema_is_a_schema(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def _resolved() -> Alert:
    deed = Deed("AttachRolePolicy", "arn:aws:sts::111111111111:assumed-role/admin/jo", "2026-05-04T10:59:00Z", "0e1c")
    return Alert.alone(
        replace(NOTICE, edge=Edge.RESOLVED, because="It is allowed.", since="2026-05-04T10:00:00Z", fixed_by=(deed,))
    )


PLACE = {"account": "111111111111", "region": "eu-west-1", "cluster": "prod"}
REACH = {
    "events": 120,
    "first_seen_at": "2026-05-04T10:11:12Z",
    "last_seen_at": "2026-05-04T11:00:00Z",
    "pods": ["payments/api-7d4b9c5f6-x2x7q", "payments/api-7d4b9c5f6-k8s2d", "payments/web-0", "payments/web-1"],
    "pod_count": 14,
    "nodes": ["ip-10-0-3-17.eu-west-1.compute.internal"],
    "node_count": 1,
    "repository_count": 0,
    "principals": [],
    "principal_count": 0,
    "clusters": [],
    "cluster_count": 0,
    "account_count": None,
    "more": [],
}


def test_an_alert() -> None:
    style = Style(runbook_url="https://wiki.example.com/{cause}")

    document = alert_document(replace(_resolved(), problem="problem/1"), room=ROOM, style=style)

    assert_documented(document)
    assert document["schema"] == "pull-responder/notification"
    assert document["version"] == "2.0"
    assert document["problem"] == "problem/1"
    assert (document["edge"], document["severity"]) == ("resolved", "HIGH")
    assert (document["since"], document["at"]) == ("2026-05-04T10:00:00Z", "2026-05-04T11:00:00Z")
    assert document["attributes"] == {
        "severity": ["HIGH"],
        "cause": ["role_lacks_pull_permissions"],
        "cluster": ["prod"],
        "account": ["111111111111"],
        "region": ["eu-west-1"],
        "status": ["resolved"],
    }
    assert document["findings"] == [
        {
            **finding_object(FINDING),
            "remediation": None,
            **PLACE,
            "state": "resolved",
            "opened_at": "2026-05-04T10:11:12Z",
            "because": "It is allowed.",
            "fixed_by": [
                {
                    "call": "AttachRolePolicy",
                    "policy": "",
                    "by": "arn:aws:sts::111111111111:assumed-role/admin/jo",
                    "at": "2026-05-04T10:59:00Z",
                    "event_id": "0e1c",
                }
            ],
            "broken_by": None,
            "runbook_url": "https://wiki.example.com/role_lacks_pull_permissions",
            "report_url": None,
        }
    ]
    assert document["others"] == []
    assert document["pull"] == pull_object(FINDING.pull, ROLE, "prod")
    assert document["reach"] == REACH
    assert document["omitted"] == {"evidence": 0, "commands": 0}
    assert document["headline"] == (
        "RESOLVED: role/eks/prod-node: It is allowed. There is nothing to run. "
        "14 pods (payments/api, payments/web and more) in cluster prod could not pull the image payments/api."
    )
    assert (document["action"], document["commands"]) == (None, [])


def test_what_looks_for_an_end_takes_nothing_that_is_resolved_in_part() -> None:
    """Whoever looks at the attributes or runs the commands must not close what still stops pulls."""
    account = replace(BOUNDARY, account="222222222222", cluster="stage")
    style = Style(runbook_url="https://wiki.example.com/{cause}")

    document = alert_document(replace(_resolved(), others=(account,), unnamed=2), room=ROOM, style=style)

    assert_documented(document)
    assert document["attributes"]["status"] == ["resolved_in_part"]
    assert document["attributes"]["cause"] == ["permissions_boundary_blocks_pull", "role_lacks_pull_permissions"]
    assert document["attributes"]["account"] == ["222222222222", "111111111111"]
    assert document["attributes"]["cluster"] == ["stage", "prod"]
    assert (document["over"], document["others_count"]) == ([], 3)
    assert document["findings"][0]["remediation"] is None
    other = document["others"][0]
    assert document["still_open"] == [other]
    assert document["commands"] == other["remediation"]["commands"]
    assert other["remediation"]["commands"] == [
        """aws iam create-policy-version --policy-document '{"Statement":[{"Effect":"Allow"}]}'"""
    ]
    assert other["runbook_url"] == "https://wiki.example.com/permissions_boundary_blocks_pull"
    assert (other["account"], other["remediation"]["account"]) == ("222222222222", "111111111111")
    # What cannot be read is none, and what is new keeps its status.
    unread = alert_document(replace(_resolved(), others_known=False), room=ROOM)
    assert (unread["others"], unread["others_count"]) == (None, None)
    assert unread["attributes"]["status"] == ["resolved"]
    assert alert_document(replace(BOTH, others=(account,)), room=ROOM)["attributes"]["status"] == ["new"]


def test_version_1_has_the_values_that_it_knows() -> None:
    document = as_document_1.notice_document(replace(_resolved(), others=(BOUNDARY,)), room=ROOM)

    assert_documented(document, FIRST)
    assert document["attributes"]["status"] == ["resolved"]
    assert document["attributes"]["cause"] == ["role_lacks_pull_permissions"]


def test_commands_of_what_else_is_open_that_do_not_fit_are_counted() -> None:
    document = alert_document(replace(_resolved(), others=(BOUNDARY,)), room=40)

    assert document["others"][0]["remediation"]["commands"] == []
    assert document["omitted"]["commands"] == 1


def test_a_digest_has_what_is_left_of_what_is_resolved_in_part() -> None:
    over = _resolved().worst
    part = replace(over, others=(BOUNDARY,), finding=replace(FINDING, id="x"))

    document = digest_document([over, part, replace(part, finding=replace(FINDING, id="y"))], room=ROOM)

    assert_documented(document)
    assert [each["id"] for each in document["others"]] == [BOUNDARY.id]
    assert len(document["others"][0]["remediation"]["commands"]) == 1
    assert document["attributes"]["cause"] == ["role_lacks_pull_permissions", "permissions_boundary_blocks_pull"]
    assert [(each["resolved_in_part"], each["others"]) for each in document["findings"]] == [
        (False, []),
        (True, [BOUNDARY.id]),
        (True, [BOUNDARY.id]),
    ]
    small = digest_document([part], room=100)
    assert (small["others"], small["omitted"]["others"]) == ([], 1)
    assert digest_document([replace(NOTICE, others=(BOUNDARY,))], room=ROOM)["others"] == []


def test_all_clusters_that_are_known_are_in_the_attributes() -> None:
    """A filter for one of them must not miss what stops seven."""
    reach = replace(NOTICE.reach, clusters=("batch", "prod"), cluster_count=7)
    notice = replace(NOTICE, reach=reach)

    assert alert_document(Alert.alone(notice), room=ROOM)["attributes"]["cluster"] == ["prod", "batch"]
    assert digest_document([NOTICE, notice], room=ROOM)["attributes"]["cluster"] == ["prod", "batch"]


def test_a_resolution_in_part_says_what_is_left_to_do() -> None:
    document = alert_document(replace(_resolved(), others=(BOUNDARY,)), room=ROOM)

    assert_documented(document)
    assert document["headline"].startswith(
        "STILL BROKEN, HIGH: The role's permissions boundary stops the pull (role/eks/prod-node). 14 pods "
    )
    assert document["headline"].endswith(
        " cannot pull the image payments/api. Already fixed: role/eks/prod-node: It is allowed."
    )
    assert document["action"] == "prod-node: Add the actions to the boundary."


def test_the_headline_says_that_a_count_is_too_low() -> None:
    many = Alert.alone(replace(NOTICE, reach=replace(NOTICE.reach, pods=(), pod_count=10_000, more=("pods",))))

    assert " more than 10,000 pods in cluster prod " in alert_document(many, room=ROOM)["headline"]


def test_an_alert_of_several_causes_and_of_others_that_are_open() -> None:
    document = alert_document(replace(BOTH, others=(BOUNDARY,)), room=ROOM)

    assert_documented(document)
    assert [each["cause"] for each in document["findings"]] == [
        "role_lacks_pull_permissions",
        "permissions_boundary_blocks_pull",
    ]
    assert document["attributes"]["cause"] == ["role_lacks_pull_permissions", "permissions_boundary_blocks_pull"]
    assert document["others"] == [
        {
            **PLACE,
            "id": BOUNDARY.id,
            "cause": "permissions_boundary_blocks_pull",
            "title": "The role's permissions boundary stops the pull",
            "severity": "HIGH",
            "resource": {"type": "AwsIamRole", "id": ROLE},
            "remediation": {
                "summary": "Add the actions to the boundary.",
                "account": "111111111111",
                "region": "eu-west-1",
                "commands": [
                    'aws iam create-policy-version --policy-document \'{"Statement":[{"Effect":"Allow"}]}\'',
                ],
                "undo": [],
                "docs_url": "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html",
            },
            "runbook_url": None,
        }
    ]
    assert document["others_count"] == 1
    assert document["headline"] == (
        "NEW HIGH: The role lacks permissions to pull, and the role's permissions boundary stops the pull "
        "(role/eks/prod-node). 14 pods (payments/api, payments/web and more) in cluster prod cannot pull the image "
        "payments/api."
    )
    assert document["action"] == (
        "Do both, or the pulls still fail: "
        "1. prod-node: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role. "
        "2. prod-node: Add the actions to the boundary."
    )


def _fix_of_version_1() -> dict[str, Any]:
    fix: dict[str, Any] = finding_object(FINDING)["remediation"]
    return {key: each for key, each in fix.items() if key != "undo"}


def test_version_1_counts_what_is_not_known_as_none() -> None:
    unnamed = Alert.alone(replace(NOTICE, reach=Reach(events=3)))
    reach = as_document_1.notice_document(unnamed, room=ROOM)["reach"]

    assert (reach["pod_count"], reach["node_count"]) == (0, 0)


@pytest.mark.parametrize(
    ("reach", "counts"),
    [
        (Reach(events=3), (None, None, None)),
        (Reach(), (0, 0, 0)),
        (Reach(events=3, pod_count=2, node_count=1, account_count=4), (2, 1, 4)),
    ],
)
def test_a_count_that_nobody_knows_is_null(reach: Reach, counts: tuple[int | None, ...]) -> None:
    notice = replace(NOTICE, reach=reach)
    shown = alert_document(Alert.alone(notice), room=ROOM)
    digest = digest_document([notice], room=ROOM)

    assert_documented(shown)
    assert_documented(digest)
    assert (shown["reach"]["pod_count"], shown["reach"]["node_count"], shown["reach"]["account_count"]) == counts
    assert (digest["findings"][0]["pod_count"], digest["findings"][0]["node_count"]) == counts[:2]


def test_what_takes_a_fix_back_is_there_as_a_whole_or_not_at_all() -> None:
    undo = ("aws", "iam", "set-default-policy-version", "--version-id", "v1")
    fix = replace(FINDING.remediation, undo=(undo,))
    long = replace(fix, undo=(undo, ("aws", "x" * 2_000)))

    def shown(fix: Remediation, edge: Edge = Edge.NEW) -> Any:  # noqa: ANN401 -- JSON
        notice = replace(NOTICE, edge=edge, finding=replace(FINDING, remediation=fix))
        document = alert_document(Alert.alone(notice), room=1024)
        assert_documented(document)
        remediation = document["findings"][0]["remediation"]
        return remediation and remediation["undo"]

    assert shown(fix) == [" ".join(undo)]
    assert shown(long) == []
    assert shown(fix, Edge.RESOLVED) is None


def test_version_1_is_as_it_was() -> None:
    document = as_document_1.notice_document(_resolved(), room=ROOM)

    assert_documented(document, FIRST)
    assert document == {
        "schema": "pull-responder/notification",
        "version": "1.0",
        "edge": "resolved",
        "at": "2026-05-04T11:00:00Z",
        "opened_at": "2026-05-04T10:11:12Z",
        "because": "It is allowed.",
        "attributes": alert_document(_resolved(), room=ROOM)["attributes"],
        "finding": finding_object(FINDING) | PLACE | {"remediation": _fix_of_version_1()},
        "pull": pull_object(FINDING.pull, ROLE, "prod"),
        "reach": {key: each for key, each in REACH.items() if key != "account_count"},
        "omitted": {"evidence": 0, "commands": 0},
    }


def test_what_does_not_fit_in_is_left_out_whole_and_counted() -> None:
    fix = replace(FINDING.remediation, commands=(ATTACH_POLICY, ("aws", "x" * 2_000), ATTACH_POLICY))
    finding = replace(FINDING, evidence=("first", "e" * 1_500, "third"), remediation=fix)

    document = alert_document(Alert.alone(replace(NOTICE, finding=finding)), room=1024)

    assert document["findings"][0]["evidence"] == ["first"]
    assert document["findings"][0]["remediation"]["commands"] == [" ".join(ATTACH_POLICY)]
    assert document["omitted"] == {"evidence": 2, "commands": 2}


@pytest.mark.parametrize("argument", ["\ufffe", "\ud800", "\x00"])
def test_a_command_that_a_queue_would_refuse_is_left_out(argument: str) -> None:
    fix = replace(FINDING.remediation, commands=(("aws", "a\nb"), ("aws", argument), ATTACH_POLICY))

    document = alert_document(Alert.alone(replace(NOTICE, finding=replace(FINDING, remediation=fix))), room=ROOM)

    assert document["findings"][0]["remediation"]["commands"] == ["aws 'a\nb'"]
    assert document["omitted"]["commands"] == 2


def test_a_digest() -> None:
    low = replace(
        NOTICE, at="2026-05-04T11:00:30Z", finding=replace(FINDING, id="low", severity=type(FINDING.severity).LOW)
    )

    document = digest_document([low, NOTICE], room=ROOM)

    assert_documented(document)
    assert (document["edge"], document["count"], document["at"]) == ("digest", 2, "2026-05-04T11:00:30Z")
    assert document["attributes"]["severity"] == ["HIGH", "LOW"]
    assert document["attributes"]["status"] == ["digest"]
    assert (document["over"], document["omitted"]) == ([], {"findings": 0, "others": 0, "over": 0})
    assert document["causes"] == [
        {
            "cause": "role_lacks_pull_permissions",
            "title": "The role lacks permissions to pull",
            "severity": "HIGH",
            "count": 2,
            "edges": ["new"],
            "examples": ["role/eks/prod-node"],
            "clusters": ["prod"],
            "namespaces": ["payments"],
            "roles": ["prod-node"],
            "remediation": finding_object(FINDING)["remediation"],
            "runbook_url": None,
        }
    ]
    assert document["headline"] == (
        "At least 14 pods in cluster prod (namespace payments, maybe more) cannot pull the image payments/api. "
        "2 new pull failures of 1 cause in cluster prod. "
        "Both fixes are needed: the same pods wait for both."
    )
    assert document["still_broken"] == document["count"] == 2
    fix = "Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role."
    assert document["action"] == f"prod-node: {fix}"
    assert document["findings"][0] == {
        "edge": "new",
        "id": FINDING.id,
        "cause": "role_lacks_pull_permissions",
        "title": "The role lacks permissions to pull",
        "severity": "HIGH",
        "resource": {"type": "AwsIamRole", "id": ROLE},
        "account": "111111111111",
        "region": "eu-west-1",
        "cluster": "prod",
        "state": "open",
        "opened_at": "2026-05-04T10:11:12Z",
        "events": 120,
        "problem": FINDING.id,
        "remediation": {
            "summary": "Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
            "docs_url": "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html",
        },
        "pod_count": 14,
        "node_count": 1,
        "more": [],
        "resolved_in_part": False,
        "others": [],
    }
    assert document["findings"][1]["id"] == "low"


def test_a_digest_has_all_commands_of_a_fix_or_none() -> None:
    fix = replace(FINDING.remediation, commands=(ATTACH_POLICY, ("aws", "x" * 3_000)))

    document = digest_document([replace(NOTICE, finding=replace(FINDING, remediation=fix))], room=ROOM)

    assert document["causes"][0]["remediation"]["commands"] == []


def test_a_digest_of_what_is_over_asks_for_nothing() -> None:
    over = replace(NOTICE, edge=Edge.RESOLVED, because="It is allowed.")

    document = digest_document([over, over], room=ROOM)

    assert_documented(document)
    assert (document["action"], document["causes"][0]["remediation"]) == (None, None)


def test_a_digest_too_long_counts_what_it_leaves_out() -> None:
    document = digest_document([NOTICE] * 100, room=4 * 1024)

    assert 3 < len(document["findings"]) < 10
    assert document["omitted"] == {"findings": 100 - len(document["findings"]), "others": 0, "over": 0}
    assert document["count"] == 100


def test_a_digest_names_all_problems_that_are_over_and_no_other() -> None:
    """Whoever opened an incident for each of them closes it, also where the finding itself is left out."""
    over = [
        replace(NOTICE, edge=Edge.RESOLVED, problem=problem, is_over=True, over=(problem,))
        for problem in (f"problem/{number:032x}" for number in range(1_500))
    ]
    # Its own pulls work again, and another finding that was told as its problem is open.
    still = replace(NOTICE, edge=Edge.RESOLVED, problem="problem/still", is_over=True)

    document = digest_document([*over, over[0], still], room=ROOM)

    assert_documented(document)
    assert document["omitted"]["findings"] > 1_000
    assert sorted(document["over"]) == [each.problem for each in over]
    assert document["omitted"]["over"] == 0

    few = digest_document([*over, still], room=1024)
    assert few["omitted"]["over"] == len(over) - len(few["over"]) > 1_000


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(alerts, st.sampled_from([1024, ROOM]))
def test_every_document_of_an_alert_is_as_the_schema_says(alert: Alert, room: int) -> None:
    assert_documented(alert_document(alert, room=room))
    assert_documented(as_document_1.notice_document(alert, room=room), FIRST)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=30)
@given(st.lists(notices, min_size=1, max_size=8))
def test_every_document_of_a_digest_is_as_the_schema_says(digest: list[Notice]) -> None:
    assert_documented(digest_document(digest, room=ROOM))
    assert_documented(as_document_1.digest_document(digest, room=ROOM), FIRST)


def test_the_reach_of_a_policy_names_roles_and_clusters_and_says_which_counts_are_too_low() -> None:
    reach = Reach(
        events=9,
        principals=("111111111111/node",),
        principal_count=10_000,
        clusters=("prod", "test"),
        cluster_count=2,
        more=("principals",),
    )
    shown = reach_object(reach)

    assert (shown["principals"], shown["principal_count"]) == (["111111111111/node"], 10_000)
    assert (shown["clusters"], shown["cluster_count"], shown["more"]) == (["prod", "test"], 2, ["principals"])


def test_what_is_resolved_in_part_has_an_edge_of_its_own() -> None:
    in_part = alert_document(replace(_resolved(), others=(BOUNDARY,)), room=ROOM)

    assert (in_part["edge"], in_part["resolved_in_part"]) == ("resolved_in_part", True)
    assert alert_document(_resolved(), room=ROOM)["resolved_in_part"] is False
    assert alert_document(replace(BOTH, others=(BOUNDARY,)), room=ROOM)["resolved_in_part"] is False


def test_that_it_flaps_is_a_key() -> None:
    back = replace(NOTICE, edge=Edge.BACK, because=f"It had been resolved. {IT_FLAPS} it came back 2 times.")

    assert alert_document(Alert.alone(back), room=ROOM)["flapping"] is True
    assert alert_document(Alert.alone(replace(back, because="It had been resolved.")), room=ROOM)["flapping"] is False


def test_a_policy_of_the_organization_is_in_no_cluster_and_no_region() -> None:
    policy = replace(FINDING, cause="scp_blocks_pull")
    document = alert_document(Alert.alone(replace(NOTICE, finding=policy)), room=ROOM)

    assert_documented(document)
    assert (document["findings"][0]["region"], document["findings"][0]["cluster"]) == (None, None)
    assert document["findings"][0]["remediation"]["region"] is None
    assert document["still_open"][0]["remediation"]["region"] is None
    # People filter by where it stops pulls.
    assert (document["attributes"]["region"], document["attributes"]["cluster"]) == (["eu-west-1"], ["prod"])
    first = as_document_1.notice_document(Alert.alone(replace(NOTICE, finding=policy)), room=ROOM)
    assert (first["finding"]["region"], first["finding"]["cluster"]) == ("eu-west-1", "prod")
    assert first["finding"]["remediation"]["region"] == "eu-west-1"


@pytest.mark.parametrize("edge", [Edge.NEW, Edge.WORSE, Edge.BACK, Edge.REMINDER])
def test_all_that_is_open_is_named_as_such(edge: Edge) -> None:
    untold = replace(BOUNDARY, id="pull-responder/before", related=())
    alert = Alert("p", (replace(NOTICE, edge=edge),), others=(BOUNDARY,), still_open=(untold,))
    document = alert_document(alert, room=ROOM)

    assert_documented(document)
    assert [each["id"] for each in document["still_open"]] == [FINDING.id, BOUNDARY.id, untold.id]
    assert document["still_open"][0]["remediation"]["commands"] == document["commands"] != []
    assert document["findings"][0]["state"] == "open"
    # What cannot be carried twice stands in `findings` and `others`; what stops other pulls is nowhere else.
    small = alert_document(alert, room=512)
    assert [each["id"] for each in small["still_open"]] == [untold.id]
    assert small["findings"][0]["state"] == "open"


def test_of_a_digest_too_each_finding_has_its_state() -> None:
    over = replace(NOTICE, edge=Edge.RESOLVED, finding=replace(FINDING, id="pull-responder/x"), others=(BOUNDARY,))
    document = json.loads(digest_notification([NOTICE, over]).texts["default"])

    assert [(each["edge"], each["state"]) for each in document["findings"]] == [
        ("new", "open"),
        ("resolved_in_part", "resolved"),
    ]


def test_a_digest_has_what_still_stops_the_pulls_of_what_is_resolved_in_part() -> None:
    over = replace(NOTICE, edge=Edge.RESOLVED, because="It is allowed.")
    part = replace(over, finding=replace(FINDING, id="pull-responder/x"), others=(BOUNDARY,))
    document = json.loads(digest_notification([over, part]).texts["default"])

    assert_documented(document)
    assert document["headline"].startswith("STILL BROKEN, HIGH: The role's permissions boundary stops the pull ")
    assert document["still_broken"] == 1
    assert [(each["cause"], each["edges"]) for each in document["causes"]] == [
        ("role_lacks_pull_permissions", ["resolved", "resolved_in_part"]),
        ("permissions_boundary_blocks_pull", []),
    ]
    assert document["commands"] == document["causes"][1]["remediation"]["commands"]
    assert document["commands"] == document["others"][0]["remediation"]["commands"] != []
    assert [(each["edge"], each["remediation"]) for each in document["findings"]] == [
        ("resolved", None),
        ("resolved_in_part", None),
    ]
