"""docs/recipes.md: real notifications open, update and close one incident at an emulated vendor."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import boto3
import pytest

from pull_responder.publish.trial import trial_notification
from tests.integration.recipes.pages import FOLDER, blocks, template
from tests.integration.recipes.vendors import VENDORS, Vendor, serve
from tests.integration.responder.scene import ACCOUNT, IMAGE, REGION, change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_ecr import ECRClient

    from tests.integration.responder.scene import Node, Scene

_MODULES: Final = ("handler", "incident", *VENDORS)
_COMMAND: Final = "aws iam attach-role-policy --role-name"

Handle = "Callable[[list[str]], list[str]]"


class Inbox:
    """The queue of the recipe, subscribed as its template says."""

    def __init__(self, scene: Scene) -> None:
        self._sqs = scene.aws.client("sqs")
        wanted = template()["Resources"]["Subscription"]["Properties"]
        name = f"incidents-{uuid4().hex[:8]}"
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        allowed = json.dumps(template()["Resources"]["QueuePolicy"]["Properties"]["PolicyDocument"])
        allowed = allowed.replace("!GetAtt Queue.Arn", arn).replace("!Ref TopicArn", scene.topic)
        self._url = self._sqs.create_queue(QueueName=name, Attributes={"Policy": allowed})["QueueUrl"]
        scene.aws.client("sns").subscribe(
            TopicArn=scene.topic,
            Protocol=wanted["Protocol"],
            Endpoint=arn,
            Attributes={
                "RawMessageDelivery": str(wanted["RawMessageDelivery"]).lower(),
                "FilterPolicyScope": wanted["FilterPolicyScope"],
                "FilterPolicy": json.dumps(wanted["FilterPolicy"]),
            },
        )

    def take(self) -> list[str]:
        """Take the messages that have come since the last time."""
        taken: list[str] = []
        while batch := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for each in batch:
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
                taken.append(each["Body"])
        return taken


@pytest.fixture(params=sorted(VENDORS))
def vendor(request: pytest.FixtureRequest) -> Iterator[Vendor]:
    with serve(request.param) as served:
        yield served


@pytest.fixture
def handle(vendor: Vendor, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[str]], list[str]]]:
    """Run the recipe's function with a batch of messages; it returns those that are to be tried again."""
    monkeypatch.syspath_prepend(str(FOLDER))
    name = type(vendor).__name__.lower()
    handler, _, function = template()["Resources"]["Function"]["Properties"]["Handler"].partition(".")
    secret = scene.aws.client("secretsmanager").create_secret(
        Name=f"incidents-{uuid4().hex[:8]}", SecretString=json.dumps(vendor.secret)
    )
    monkeypatch.setenv("VENDOR", name)
    monkeypatch.setenv("SECRET_ARN", secret["ARN"])
    monkeypatch.setenv("SEVERITIES", template()["Parameters"]["Severities"]["Default"])
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    # Each function has a process of its own; this one may have had another test's credentials.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    def run(bodies: list[str]) -> list[str]:
        records = [{"messageId": str(at), "body": body} for at, body in enumerate(bodies)]
        answer = getattr(import_module(handler), function)({"Records": records}, None)
        return [bodies[int(each["itemIdentifier"])] for each in answer["batchItemFailures"]]

    yield run
    for each in _MODULES:
        sys.modules.pop(each, None)


_STORY: list[list[str]] = []


@pytest.fixture
def story(scene: Scene) -> list[list[str]]:
    """What the queue gets of one problem with two causes: new, worse, one cause is over, the other is. Played once."""
    if not _STORY:
        inbox, node = Inbox(scene), scene.role()
        _guard(scene, node)
        scene.respond(node.denied(scene.clock.now))
        _STORY.append(inbox.take())
        scene.clock.forward(minutes=5)
        scene.respond(*(node.denied(scene.clock.now, session=f"i-{number:017x}") for number in range(9)))
        scene.clock.forward(minutes=11)
        scene.respond(node.denied(scene.clock.now))
        _STORY.append(inbox.take())
        scene.recheck(scene.allow(node))
        scene.clock.forward(minutes=6)
        scene.recheck()
        _STORY.append(inbox.take())
        scene.aws.client("iam").delete_role_permissions_boundary(RoleName=node.role)
        scene.recheck(change("iam", "DeleteRolePermissionsBoundary", roleName=node.role))
        scene.clock.forward(minutes=6)
        scene.recheck()
        _STORY.append(inbox.take())
    return _STORY


def _guard(scene: Scene, node: Node) -> None:
    """Give the node's role a permissions boundary that allows no pull."""
    iam = scene.aws.client("iam")
    allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    arn = iam.create_policy(PolicyName=f"guard-{node.role}", PolicyDocument=policy)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=node.role, PermissionsBoundary=arn)


_MISSING: list[list[str]] = []


@pytest.fixture
def missing(scene: Scene) -> list[list[str]]:
    """What the queue gets of a HIGH cause with two LOW ones, which share no pull: new, and one end after the other."""
    if not _MISSING:
        inbox, node, ecr = Inbox(scene), scene.role(), scene.aws.client("ecr")
        names = [f"gone-{uuid4().hex[:8]}" for _ in range(2)]
        arns = [f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{each}" for each in names]
        scene.respond(*(node.denied(scene.clock.now, action=IMAGE, resource=each) for each in arns))
        _MISSING.append(inbox.take())
        for mend in (partial(scene.allow, node), *(partial(_make, ecr, each) for each in names)):
            scene.recheck(mend())
            scene.clock.forward(minutes=6)
            scene.recheck()
            _MISSING.append(inbox.take())
        for each in names:
            ecr.delete_repository(repositoryName=each)
    return _MISSING


def _make(ecr: ECRClient, repository: str) -> dict[str, Any]:
    ecr.create_repository(repositoryName=repository)
    return change("ecr", "CreateRepository", repositoryName=repository)


def edges(bodies: list[str]) -> list[str]:
    return [json.loads(each)["edge"] for each in bodies]


def test_one_incident_is_opened_updated_and_closed(
    story: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    new, worse, first_over, all_over = story
    assert [edges(each) for each in story] == [["new"], ["worse"], ["resolved_in_part"], ["resolved"]]

    assert handle(new) == []
    (incident,) = vendor.incidents
    assert "role" in incident.title
    assert any(_COMMAND in line for line in incident.said[-1].splitlines())

    assert handle(worse) == []
    assert handle(worse) == []  # SQS may deliver twice
    (incident,) = vendor.incidents
    assert "10 nodes" in incident.said[-1]

    # The boundary still stops the same pulls.
    assert handle(first_over) == []
    assert incident.is_open
    if type(vendor).__name__ != "PagerDuty":
        said, _, over = incident.said[-1].partition("This part is over:")
        (left,) = json.loads(first_over[0])["others"]
        assert said.startswith("RESOLVED IN PART")
        assert f"Also stops these pulls:\n- {left['title']}" in said
        assert f"Do this: {left['remediation']['summary']}" in said
        assert json.loads(first_over[0])["findings"][0]["title"] in over

    assert handle(all_over) == []
    assert [each.is_open for each in vendor.incidents] == [False]
    # Its end told twice opens nothing.
    assert handle(all_over) == []
    assert len(vendor.incidents) == 1
    # The same problem again is another incident.
    assert handle(new) == []
    assert [each.is_open for each in vendor.incidents] == [False, True]


def test_a_vendor_that_fails_loses_nothing_and_is_told_in_order(
    story: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    new, _, _, over = story
    vendor.refuses = 503
    assert sorted(handle([*over, *new])) == sorted([*over, *new])
    assert vendor.incidents == []
    vendor.refuses = 0
    # The queue hands out what is newer first.
    assert handle([*over, *new]) == []
    assert [each.is_open for each in vendor.incidents] == [False]


def test_what_is_no_notification_is_left_alone(vendor: Vendor, handle: Callable[[list[str]], list[str]]) -> None:
    alarm = json.dumps({"AlarmName": "DeadLetters", "NewStateValue": "ALARM"})
    other = json.dumps({"schema": "pull-responder/notification", "version": "3.0", "edge": "new"})
    test = trial_notification("0" * 32, account="1" * 12, region=REGION, at=0).texts["default"]
    assert handle([alarm, "no JSON", "[]", other, test]) == []
    assert vendor.incidents == []


def test_an_odd_notification_fails_alone(
    story: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    odd = {"schema": "pull-responder/notification", "version": "2.9"}
    odd_ones = [json.dumps(odd), json.dumps({**odd, "at": "2026", "edge": "new", "findings": []})]
    assert sorted(handle([*odd_ones, "an alarm", *story[0]])) == sorted(odd_ones)
    assert [each.is_open for each in vendor.incidents] == [True]


@pytest.mark.parametrize("vendor", ["pagerduty", "jira"], indirect=True)
def test_severities_open_and_the_end_of_any_closes(
    story: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    new, _, _, over = story
    (low,) = [json.dumps({**json.loads(each), "severity": "LOW"}) for each in new]
    assert handle([low]) == []
    assert vendor.incidents == []
    assert handle(new) == []
    # The last cause of the problem was a LOW one.
    assert handle([json.dumps({**json.loads(each), "severity": "LOW"}) for each in over]) == []
    assert [each.is_open for each in vendor.incidents] == [False]


def test_an_incident_stays_open_until_the_last_finding_that_was_told_as_it_is_over(
    missing: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    new, role_over, one_over, all_over = missing
    assert [edges(each) for each in missing] == [["new"], ["resolved_in_part"], ["resolved"], ["resolved"]]
    assert [json.loads(each)["severity"] for body in missing for each in body] == ["HIGH", "HIGH", "LOW", "LOW"]
    assert len({json.loads(each)["problem"] for body in missing for each in body}) == 1

    assert handle(new) == []
    assert handle(role_over) == []
    # LOW is below what opens an incident or adds to it.
    assert handle(one_over) == []
    assert [each.is_open for each in vendor.incidents] == [True]
    # It closes one all the same.
    assert handle(all_over) == []
    assert [each.is_open for each in vendor.incidents] == [False]


@pytest.mark.parametrize("vendor", ["opsgenie", "jira"], indirect=True)
def test_an_incident_says_what_was_told_as_it_and_is_open(
    missing: list[list[str]],
    vendor: Vendor,
    handle: Callable[[list[str]], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEVERITIES", "HIGH,LOW")
    new, _, one_over, _ = missing
    assert handle(new) == []
    (incident,) = vendor.incidents
    # What is told in it is not said once more.
    assert not any("still open:" in each for each in incident.said)
    assert handle(one_over) == []
    (incident,) = vendor.incidents
    assert incident.is_open
    (left,) = json.loads(one_over[0])["still_open"]
    assert left["resource"]["id"] in incident.said[-1].partition("still open:")[2]


@pytest.mark.parametrize("vendor", ["pagerduty", "jira"], indirect=True)
def test_documents_of_an_earlier_version_close_as_they_did(
    story: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    def earlier(bodies: list[str]) -> list[str]:
        added = {"over", "still_open"}
        return [
            json.dumps({key: each for key, each in json.loads(body).items() if key not in added}) for body in bodies
        ]

    new, _, first_over, all_over = map(earlier, story)
    assert handle([*new, *first_over]) == []
    assert [each.is_open for each in vendor.incidents] == [True]
    assert handle(all_over) == []
    assert [each.is_open for each in vendor.incidents] == [False]


@pytest.mark.parametrize("vendor", ["pagerduty", "jira"], indirect=True)
def test_one_end_closes_all_incidents_that_it_ends(
    story: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    new, _, _, over = story
    (of_role,) = new
    of_image = json.dumps({**json.loads(of_role), "problem": "problem/of-the-image"})
    assert handle([of_role, of_image]) == []
    assert [each.is_open for each in vendor.incidents] == [True, True]
    both = {**json.loads(over[0]), "over": [json.loads(of_role)["problem"], "problem/of-the-image"]}
    assert handle([json.dumps(both)]) == []
    assert [each.is_open for each in vendor.incidents] == [False, False]


def test_what_is_resolved_in_part_is_about_what_is_left(
    story: list[list[str]], missing: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    for (body,), severity, name in ((story[2], "HIGH", "boundary"), (missing[1], "LOW", "repository")):
        document = json.loads(body)
        left = document["others"][0]
        (incident,) = import_module("incident").incidents(document)
        assert (incident.is_over, incident.is_new, incident.severity, incident.had) == (False, False, severity, "HIGH")
        assert name in incident.title.lower()
        assert (incident.cause, incident.resource) == (left["cause"], left["resource"]["id"])
        assert incident.link == left["remediation"]["docs_url"]
        assert (incident.account, incident.cluster) == (ACCOUNT, "prod")
    sys.modules.pop("incident")


@pytest.mark.parametrize("vendor", ["jira"], indirect=True)
def test_an_incident_hears_that_what_opened_it_is_over_and_less_is_left(
    missing: list[list[str]], vendor: Vendor, handle: Callable[[list[str]], list[str]]
) -> None:
    """What is left is LOW, which opens none."""
    new, role_over, *_ = missing
    assert handle([*new, *role_over]) == []
    (incident,) = vendor.incidents
    assert incident.said[-1].startswith("RESOLVED IN PART")


def test_the_queue_gets_the_end_of_any_severity() -> None:
    """A filter of SNS by severity would drop the end of a HIGH problem whose last cause is a LOW one."""
    wanted = template()["Resources"]["Subscription"]["Properties"]
    assert wanted["FilterPolicy"] == {"schema": ["pull-responder/notification"]}


@pytest.mark.parametrize("vendor", ["pagerduty", "jira"], indirect=True)
def test_a_digest_opens_its_worst_and_closes_all_that_are_over(
    scene: Scene, vendor: Vendor, handle: Callable[[list[str]], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox, nodes = Inbox(scene), [scene.role() for _ in range(4)]
    # The first is told by itself, and its problem is closed by a digest.
    scene.respond(nodes[0].denied(scene.clock.now), DIGEST_ABOVE="2")
    assert handle(inbox.take()) == []
    scene.clock.forward(minutes=20)
    scene.respond(*(each.denied(scene.clock.now) for each in nodes[1:]), DIGEST_ABOVE="2")
    monkeypatch.setattr(import_module("incident"), "MOST_OF_A_DIGEST", 2)
    digest = inbox.take()
    assert edges(digest) == ["digest"]
    assert handle(digest) == []
    assert [each.is_open for each in vendor.incidents] == [True] * 3

    scene.recheck(*map(scene.allow, nodes), DIGEST_ABOVE="2")
    scene.clock.forward(minutes=6)
    scene.recheck(DIGEST_ABOVE="2")
    over = inbox.take()
    assert "digest" in edges(over)
    assert handle(over) == []
    assert [each.is_open for each in vendor.incidents] == [False] * 3


def test_a_problem_with_an_open_cause_is_not_over_in_a_digest(scene: Scene) -> None:
    inbox, nodes = Inbox(scene), [scene.role() for _ in range(3)]
    _guard(scene, nodes[0])
    scene.respond(*(each.denied(scene.clock.now) for each in nodes), DIGEST_ABOVE="1")
    opened = {
        each["resource"]["id"]: each.get("problem") or document["problem"]
        for document in map(json.loads, inbox.take())
        for each in document["findings"]
    }
    scene.recheck(*map(scene.allow, nodes), DIGEST_ABOVE="1")
    scene.clock.forward(minutes=6)
    scene.recheck(DIGEST_ABOVE="1")
    told = [json.loads(body) for body in inbox.take()]
    over = [each for document in told if document["edge"] == "digest" for each in document["over"]]
    ended = {
        each["resource"]["id"] for document in told if document["edge"] == "digest" for each in document["findings"]
    }
    guarded = f"arn:aws:iam::{ACCOUNT}:role/{nodes[0].role}"
    assert guarded in ended
    assert sorted(over) == sorted(opened.get(each, "") for each in ended - {guarded})


def test_the_page_deploys_what_the_template_takes() -> None:
    (script,) = blocks("Incidents", "sh")
    given = dict(re.findall(r"(\w+)=(\S+)", script.partition("--parameter-overrides")[2]))
    parameters = template()["Parameters"]
    assert given.keys() == parameters.keys()
    assert given["Severities"] == parameters["Severities"]["Default"]
    assert sorted(parameters["Vendor"]["AllowedValues"]) == sorted(VENDORS)


@pytest.mark.parametrize(
    ("heading", "name"),
    [("PagerDuty", "pagerduty"), ("Opsgenie", "opsgenie"), ("Jira", "jira"), ("ServiceNow", "servicenow")],
)
def test_the_secret_on_the_page_is_the_one_that_is_read(heading: str, name: str) -> None:
    (secret,) = (json.loads(each) for each in blocks(heading, "json"))
    optional = {"url", "close_code"}
    assert set(secret) - optional == set(VENDORS[name][1])
    assert all(isinstance(each, str) for each in secret.values())


def test_the_queue_waits_longer_than_the_function_runs_and_keeps_a_days_failures() -> None:
    resources: dict[str, Any] = template()["Resources"]
    queue, function = resources["Queue"]["Properties"], resources["Function"]["Properties"]
    assert queue["VisibilityTimeout"] > function["Timeout"]
    tries = queue["RedrivePolicy"]["maxReceiveCount"]
    assert tries * queue["VisibilityTimeout"] > 24 * 3600
    assert queue["MessageRetentionPeriod"] > 24 * 3600
