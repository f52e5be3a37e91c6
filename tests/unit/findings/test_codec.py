"""Findings and problems as items of the table: nothing is lost, and items that others wrote do no harm."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest
from boto3.dynamodb.types import TypeDeserializer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.events.eks_change import Inspection
from pull_responder.findings.burst import Side
from pull_responder.findings.codec import (
    UnusableItem,
    life_item,
    page_item,
    problem_item,
    read_life,
    read_page,
    read_problem,
    read_version,
)
from pull_responder.findings.left_inspection import LeftInspection, left_item
from pull_responder.findings.life import LastNotice, Life, Pending, State
from pull_responder.findings.notice import Edge
from pull_responder.findings.pages import Page
from pull_responder.findings.problem import Names, Problem
from pull_responder.findings.reach import Reach
from pull_responder.findings.suppression import Suppression
from tests.unit.findings.lives import NOON, close, find, tell
from tests.unit.publish.examples import FINDING, PULL, findings, optional, region, text

if TYPE_CHECKING:
    from enum import StrEnum

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

_MOST: Final = 400 * 1024  # DynamoDB's quota for an item

_seconds = st.floats(0, 4e9)
_pending = st.builds(
    Pending,
    edge=st.sampled_from(Edge),
    because=text,
    at=_seconds,
    due=_seconds,
    claimed_until=_seconds,
    claimant=st.text(max_size=32),
    tries=st.integers(0, 50),
    digest=st.booleans(),
    perhaps_heard=st.booleans(),
)
_inspection = st.builds(
    Inspection,
    account=st.just("111111111111"),
    region=region,
    cluster=optional,
    node_group=optional,
    health_only=st.booleans(),
    role_arn=optional,
    addons=st.lists(st.text(), max_size=3).map(tuple),
    only_addons=st.booleans(),
)
_any_lives = st.builds(
    Life,
    finding=findings,
    state=st.sampled_from(State),
    created_at=_seconds,
    opened_at=_seconds,
    version=st.integers(0, 10**6),
    reach=st.builds(
        Reach,
        events=st.integers(0, 10**9),
        pods=st.lists(st.text(), max_size=20).map(tuple),
        more=st.lists(st.sampled_from(["events", "pods"]), unique=True).map(tuple),
    ),
    problems=st.lists(st.text(), max_size=5).map(tuple),
    pending=st.none() | _pending,
    told=st.none() | st.builds(LastNotice, at=_seconds, severity_rank=st.integers(0, 4), step=st.integers(0, 6)),
    resolved_at=_seconds,
    because=text,
    hub_at=_seconds,
    hub_due=st.booleans(),
    hub_account=st.sampled_from(["", "222222222222"]),
    hub_region=st.sampled_from(["", "eu-west-1"]),
    hub_refused=st.sampled_from(["", "InvalidAccessException: not subscribed"]),
    inspection=st.none() | _inspection,
    breaks=st.lists(_seconds, max_size=5).map(tuple),
    flapping=st.booleans(),
)
# As it is stored: a character takes up to twelve bytes.
_lives = _any_lives.filter(lambda life: len(json.dumps(asdict(life))) < 300_000)
_name = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=60)
_names = st.builds(lambda names, most: Names().add_all(names, most=most), st.lists(_name, max_size=30), st.just(25))
_milliseconds = st.integers(0, 4 * 10**12).map(lambda each: each / 1000)
_problems = st.builds(
    Problem,
    id=st.just("problem/a"),
    version=st.integers(0, 10**6),
    count=st.integers(0, 10**9),
    first_seen=_milliseconds,
    last_seen=_milliseconds,
    marks=st.binary(max_size=30).map(lambda each: each * 10),
    pods=_names,
    nodes=_names,
    quiet_until=_milliseconds,
    leased_until=_milliseconds,
    leased_by=st.text(max_size=32),
    pull=st.none() | findings.map(lambda finding: finding.pull),
    findings=st.lists(_name, max_size=5).map(tuple),
    unexplained_since=_milliseconds,
    unexplained_count=st.integers(0, 10**9),
    tries=st.integers(0, 5),
    unread_tries=st.integers(0, 5),
    look_at=_milliseconds,
    cluster=st.none() | _name,
    paged=st.booleans(),
    forgotten=_milliseconds,
    more=st.booleans(),
)
_pages = st.builds(
    Page,
    id=st.just("page/a/3"),
    version=st.integers(0, 10**6),
    count=st.integers(0, 10**9),
    first_seen=_milliseconds,
    last_seen=_milliseconds,
    marks=st.binary(max_size=30).map(lambda each: each * 10),
    pods=_names,
    nodes=_names,
    forgotten=_milliseconds,
    more=st.booleans(),
)


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(_lives)
def test_a_finding_is_read_as_it_was_written(life: Life) -> None:
    item = life_item(life, expires_at=None)
    assert read_life(item) == replace(life, version=life.version + 1)
    assert read_version(item) == life.version + 1


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(_problems)
def test_a_problem_is_read_as_it_was_written(problem: Problem) -> None:
    written = problem_item(problem, expires_at=5)
    assert read_problem(written) == replace(problem, version=problem.version + 1)
    assert written["expires_at"] == {"N": "5"}


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(_pages)
def test_a_page_is_read_as_it_was_written(page: Page) -> None:
    written = page_item(page, expires_at=5)
    assert read_page(written) == replace(page, version=page.version + 1)
    assert (written["expires_at"], "queue" in written) == ({"N": "5"}, False)


def test_a_page_that_somebody_has_edited_does_no_harm() -> None:
    edited_page: dict[str, Value] = {
        "id": {"S": "page/a/3"},
        "version": {"N": "2"},
        "count": {"S": "many"},
        "marks": {"B": b"cut off"},
        "pod_marks": {"S": "none"},
        "forgotten": {"N": "-1"},
        "more": {"S": "yes"},
    }
    assert read_page(edited_page) == Page("page/a/3", version=2)
    del edited_page["version"]
    assert read_page(edited_page) == Page("page/a/3")


def test_only_items_that_wait_for_a_run_are_indexed() -> None:
    told = replace(tell(find(None, NOON), NOON), hub_due=False)
    assert life_item(told, expires_at=None)["queue"] == {"S": "finding"}
    assert life_item(told, expires_at=None)["look_at"] == {"N": str(int(told.look_at))}
    over = replace(tell(close(told, NOON), NOON + 300), hub_due=False)
    item = life_item(over, expires_at=7)
    assert "queue" not in item
    assert "look_at" not in item
    assert item["expires_at"] == {"N": "7"}
    assert "queue" not in problem_item(Problem("problem/a"), expires_at=0)
    found = Problem("problem/a", version=1, cluster="prod")
    assert read_problem(problem_item(replace(found, version=0), expires_at=0)) == found
    left = problem_item(Problem("problem/a", look_at=NOON + 0.25), expires_at=0)
    assert (left["queue"], left["look_at"]) == ({"S": "problem"}, {"N": f"{int(NOON)}.25"})
    unread = problem_item(Problem("problem/a", look_at=NOON, unread_tries=1), expires_at=0)
    assert unread["queue"] == {"S": "problem/unread"}


def test_the_words_in_the_table_are_the_same_in_every_version() -> None:
    stored: dict[type[StrEnum], set[str]] = {
        State: {"open", "resolved"},
        Edge: {"new", "worse", "back", "reminder", "resolved"},
        Suppression: {"people", "lost", "planted", "planted_told"},
        Side: {"broken", "over"},
    }
    for kind, words in stored.items():
        assert {each.value for each in kind} == words


def test_notices_do_not_wait_behind_rechecks() -> None:
    told = tell(find(None, NOON), NOON)
    queues = [
        life_item(replace(life, hub_due=hub_due), expires_at=None)["queue"]
        for life in (find(None, NOON), told)
        for hub_due in (True, False)
    ]
    assert queues == [{"S": "notice"}] * 3 + [{"S": "finding"}]


def test_dynamodb_has_a_type_for_every_attribute() -> None:
    """An attribute of another type makes it refuse the whole item."""
    names = Names().add_all(["a", "b"], most=1)
    problem = Problem(
        "problem/a",
        count=3,
        marks=b"12345678",
        pods=names,
        nodes=names,
        leased_by="run",
        pull=PULL,
        findings=("a", "b"),
        look_at=NOON,
        cluster="prod",
        paged=True,
        forgotten=NOON,
        more=True,
    )
    page = Page("page/a/3", count=3, marks=b"12345678", pods=names, nodes=names, forgotten=NOON, more=True)
    left = LeftInspection(Inspection("111111111111", "eu-west-1", "prod"), since=NOON)
    items = [
        life_item(find(None, NOON), expires_at=7),
        problem_item(problem, expires_at=7),
        page_item(page, expires_at=7),
        left_item(left),
    ]
    for item in items:
        read = {name: TypeDeserializer().deserialize(value) for name, value in item.items()}
        assert (read["version"], isinstance(read["expires_at"], Decimal)) == (1, True)


def test_people_can_read_the_item() -> None:
    life = replace(find(None, NOON), reach=Reach(events=12))
    item = life_item(life, expires_at=None)
    shown = {name: next(iter(item[name].values())) for name in ("id", "state", "cause", "resource", "events")}
    assert shown == {
        "id": FINDING.id,
        "state": "open",
        "cause": "role_lacks_pull_permissions",
        "resource": "arn:aws:iam::111111111111:role/eks/prod-node",
        "events": "12",
    }


def edited(**changes: Any) -> dict[str, Value]:  # noqa: ANN401 -- any JSON
    """The item of a finding, with these parts of its life changed; None takes one away."""
    item = life_item(find(None, NOON), expires_at=None)
    document = {**json.loads(item["life"]["S"]), **changes}
    document = {name: value for name, value in document.items() if value is not None}
    return {**item, "life": {"S": json.dumps(document)}}


def test_an_attribute_that_an_older_version_did_not_write_has_its_default() -> None:
    whole = find(None, NOON)
    needed = {"finding", "state", "created_at", "opened_at"}
    document = json.loads(life_item(whole, expires_at=None)["life"]["S"])
    finding = {
        name: value
        for name, value in document["finding"].items()
        if name not in {"related", "cluster", "first_observed_at", "last_observed_at"}
    }
    finding["pull"] = {name: document["finding"]["pull"][name] for name in ("symptom", "region", "stage")}
    older = {name: value for name, value in document.items() if name in needed} | {"finding": finding}
    life = read_life({"id": {"S": whole.id}, "life": {"S": json.dumps(older)}})
    assert (life.version, life.pending, life.told, life.problems, life.reach) == (0, None, None, (), Reach())
    assert (life.finding.cluster, life.finding.pull.denial) == (None, None)
    assert life.finding.title == FINDING.title


def test_an_attribute_of_a_newer_version_is_ignored() -> None:
    assert read_life(edited(mood="calm")) == replace(find(None, NOON), version=1)


def test_an_inspection_of_an_older_and_of_a_newer_version_is_read() -> None:
    older = {"account": "111111111111", "region": "eu-west-1", "cluster": "prod", "health_only": False}
    read = Inspection("111111111111", "eu-west-1", "prod")
    assert read_life(edited(inspection=older)).inspection == read
    assert read_life(edited(inspection={**older, "pod": "web"})).inspection == read


@pytest.mark.parametrize(
    "item",
    [
        {"life": {"S": "{"}},
        {"life": {"S": "null"}},
        {"life": {"S": "[]"}},
        {"life": {"S": '"text"'}},
        {"life": {"S": "[" * 100_000}},
        {"life": {"M": {}}},
        {"life": {"S": "{}"}},
        {},
    ],
    ids=["cut", "null", "a list", "a text", "deeper than can be read", "a map", "empty", "nothing"],
)
def test_an_unusable_item_is_reported_in_one_line(item: dict[str, Value]) -> None:
    written: dict[str, Value] = {"id": {"S": "pull-responder/x"}, "version": {"N": "4"}}
    with pytest.raises(UnusableItem) as refused:
        read_life({**written, **item})
    assert (refused.value.item_id, refused.value.version) == ("pull-responder/x", 4)
    message = str(refused.value)
    assert message.startswith("item pull-responder/x of the findings table: its life cannot be read: ")
    assert "\n" not in message
    assert len(message) <= 300


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "closed"},
        {"state": "closed " * 1_000},
        {"state": None},
        {"finding": None},
        {"finding": "role_lacks_pull_permissions"},
        {"created_at": "yesterday"},
        {"created_at": float("nan")},
        {"opened_at": float("inf")},
        {"opened_at": -1},
        {"look_at": 1e300},
        {"hub_at": [1]},
        {"problems": [1, 2]},
        {"pending": {"edge": "worse", "because": "", "at": 1, "due": 1e300}},
        {"pending": {"edge": "gone", "because": "", "at": 1, "due": 1}},
        {"pending": {"because": ""}},
        {"told": {"at": 1e18, "severity_rank": 1, "step": 0}},
        {"told": {"at": 1, "severity_rank": "HIGH", "step": 0}},
        {"hub_due": "no"},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_values_that_people_wrote_and_cannot_be_read(changes: dict[str, Any]) -> None:
    item = edited(**changes)
    with pytest.raises(UnusableItem, match=r": its life cannot be read: [a-zA-Z]") as refused:
        read_life(item)
    assert len(str(refused.value)) <= 300


def test_an_item_with_the_life_of_another_finding() -> None:
    another: dict[str, Value] = {"id": {"S": "pull-responder/another"}}
    item = {**edited(), **another}
    with pytest.raises(UnusableItem, match=r"item pull-responder/another .* holds finding 'pull-responder/role_lacks"):
        read_life(item)


@pytest.mark.parametrize(
    ("attribute", "version"),
    [({"N": "7"}, 7), ({"N": "0"}, 0), ({"S": "7"}, None), ({"N": "2.5"}, None), ({"NULL": True}, None), (None, None)],
)
def test_versions(attribute: Value | None, version: int | None) -> None:
    assert read_version({"version": attribute} if attribute else {}) == version


def test_a_problem_that_cannot_be_read_is_new() -> None:
    odd: dict[str, Value] = {
        "id": {"S": "problem/a"},
        "version": {"S": "3"},
        "count": {"S": "many"},
        "first_seen": {"N": "-5"},
        "last_seen": {"N": "1E125"},
        "marks": {"S": "AAAA"},
        "pods": {"L": []},
        "pod_marks": {"B": b"12345"},
        "quiet_until": {"NULL": True},
        "pull": {"S": '{"symptom": "bored", "region": "eu-west-1", "stage": null}'},
        "findings": {"N": "1"},
        "look_at": {"S": "now"},
    }
    assert read_problem(odd) == Problem("problem/a")


@pytest.mark.parametrize("pull", ["", "{", "[]", "null", '{"symptom": "access_denied"}', "[" * 100_000])
def test_a_pull_that_cannot_be_read_is_none(pull: str) -> None:
    assert read_problem({"id": {"S": "problem/a"}, "pull": {"S": pull}}).pull is None


def test_marks_of_a_wrong_length_are_dropped() -> None:
    item = problem_item(replace(Problem("problem/a", marks=b"0123456789" * 3), pull=PULL), expires_at=0)
    marks: dict[str, Value] = {"marks": {"B": b"0123456789" * 3 + b"012"}}
    assert read_problem(item).marks == b"0123456789" * 3
    assert read_problem({**item, **marks}).marks == b""


def test_a_finding_with_whole_policies_in_its_evidence_and_commands_fits_into_an_item() -> None:
    # IAM and Organizations quotas: a role's inline policies have 10,240 characters, managed ones 6,144, an SCP 10,240.
    quote, policy = '{"Effect": "Deny", "Action": "ecr:*"}' * 40, '{"Version": "2012-10-17"}' * 400
    finding = replace(
        FINDING,
        evidence=(quote,) * 60,
        remediation=replace(FINDING.remediation, commands=(("aws", "iam", "put-role-policy", policy),) * 5),
    )
    item = life_item(replace(find(None, NOON), finding=finding), expires_at=None)
    assert len(item["life"]["S"]) < _MOST
    assert read_life(item).finding == finding


def test_a_finding_of_any_length_fits_into_an_item_and_says_what_was_left_out() -> None:
    finding = replace(
        FINDING,
        evidence=tuple(f"{number} " + "ü" * 5_000 for number in range(500)),
        remediation=replace(FINDING.remediation, commands=(("aws", "x" * 200_000),)),
    )
    item = life_item(replace(find(None, NOON), finding=finding), expires_at=None)
    assert len(item["life"]["S"]) < _MOST
    kept = read_life(item).finding
    assert (len(kept.evidence), kept.evidence[0][:4], kept.evidence[39][:4]) == (41, "0 üü", "39 ü")
    assert kept.evidence[40] == "460 more lines of evidence were too many to store."
    assert kept.remediation.commands == ()
    assert kept.remediation.summary.startswith(FINDING.remediation.summary)
    assert "too long to store" in kept.remediation.summary
    assert kept.pull == FINDING.pull


def test_what_just_fits_is_kept_whole_and_the_rest_is_cut_to_what_fits() -> None:
    """Sizes are those of the text as stored, with its quotes."""
    line, command, longer = "a" * 1_498, "a" * 99_998, "a" * 20_000
    remediation = replace(FINDING.remediation, docs_url=longer, commands=((command,),))
    finding = replace(
        FINDING,
        explanation=longer,
        evidence=(line, *[longer] * 39),
        remediation=remediation,
        related=(replace(FINDING.resource, id=line), replace(FINDING.resource, id=f"{line}a")),
    )
    kept = read_life(life_item(replace(find(None, NOON), finding=finding), expires_at=None)).finding
    assert (len(kept.evidence), kept.evidence[0]) == (40, line)
    assert [len(json.dumps(each)) for each in kept.evidence] == [1_500] * 40
    assert len(json.dumps(kept.explanation)) == len(json.dumps(kept.remediation.docs_url)) == 8_000
    assert (kept.remediation.commands, kept.remediation.summary) == (((command,),), FINDING.remediation.summary)
    assert [each.id for each in kept.related] == [line]
    longer_by_one = replace(finding, remediation=replace(remediation, commands=((f"{command}a",),)))
    item = life_item(replace(find(None, NOON), finding=longer_by_one), expires_at=None)
    assert read_life(item).finding.remediation.commands == ()
    # DynamoDB charges by the size.
    assert item["life"]["S"] == json.dumps(json.loads(item["life"]["S"]), separators=(",", ":"))


@settings(max_examples=50, suppress_health_check=list(HealthCheck))
@given(_any_lives)
def test_a_life_of_any_text_fits_into_an_item_and_stays_itself(life: Life) -> None:
    # What an event says is cut where it is read (events/), so the pull and the resource are kept as they are.
    life = replace(life, finding=replace(life.finding, pull=PULL, resource=FINDING.resource, cluster="prod"))
    read = read_life(life_item(life, expires_at=None))
    assert len(life_item(life, expires_at=None)["life"]["S"]) < _MOST
    assert (read.id, read.state, read.told, read.problems) == (life.id, life.state, life.told, life.problems)


@pytest.mark.parametrize("letter", ["a", "ü", "\U0001f6a2", "\x1b", '"'])
def test_the_longest_texts_of_any_alphabet_fit_into_an_item(letter: str) -> None:
    long = letter * 100_000
    finding = replace(
        FINDING,
        title=long,
        explanation=long,
        evidence=(long,) * 60,
        remediation=replace(FINDING.remediation, summary=long, commands=(("aws", letter * 15_000),)),
        related=(replace(FINDING.resource, id=long), *FINDING.related),
    )
    life = find(None, NOON)
    assert life.pending
    life = replace(life, finding=finding, because=long, pending=replace(life.pending, because=long))
    item = life_item(life, expires_at=None)
    assert len(item["life"]["S"]) < _MOST
    read = read_life(item)
    assert read.pending
    for each in (read.finding.title, read.finding.explanation, *read.finding.evidence[:40], read.pending.because):
        assert each.rstrip("…") == letter * (len(each) - 1)
        assert 1_400 < len(json.dumps(each)) <= 8_000
    assert (read.finding.related, read.finding.pull) == (FINDING.related, PULL)
    assert bool(read.finding.remediation.commands) == (len(json.dumps(letter * 15_000)) < 100_000)
