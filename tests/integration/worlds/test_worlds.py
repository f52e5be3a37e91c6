"""Whatever the estate and whatever can be read of it, a diagnosis tells nothing that is not so.

Each example is a world with breaks, near misses and reads that fail, and a failure in it. `make worlds` tries more.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import click
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.worlds.breaks import BREAKS, NEAR_MISSES, hidden, is_needed, justified_causes, with_breaks
from tests.integration.worlds.building import CLUSTER, GROUP
from tests.integration.worlds.failures import NAMES, Failure, failure
from tests.integration.worlds.recorded import ASSUME, WorldAws
from tests.integration.worlds.world import WAYS, Part, World, works

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.worlds.building import Builder, Built

# How many examples; with a number given, they are others each time.
_ASKED: Final = os.environ.get("PULL_RESPONDER_WORLDS")
_EXAMPLES: Final = settings(
    max_examples=int(_ASKED or 110),
    derandomize=_ASKED is None,
    deadline=None,
    # The estate of one example is part of what the next one is built from. That is what makes them quick.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
_BESIDE: Final = (
    ASSUME,
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeEgressOnlyInternetGateways",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribePrefixLists",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:GetManagedPrefixListEntries",
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRepositories",
    "ecr:GetAccountSetting",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRegistryPolicy",
    "ecr:ListTagsForResource",
    "eks:DescribeCluster",
    "eks:DescribeNodegroup",
    "eks:ListAccessEntries",
    "eks:ListClusters",
    "eks:ListNodegroups",
    "iam:GetPolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListPolicies",
    "iam:ListRolePolicies",
    "organizations:DescribeOrganization",
    "route53:ListHostedZonesByVPC",
)
READS: Final = sorted({read for each in BREAKS.values() for read in each.shown_by}.union(_BESIDE))
_CODES: Final = ("AccessDenied", "ThrottlingException")


@dataclass(frozen=True, slots=True)
class Example:
    """A world with its breaks, a failure in it, and the reads that fail with `code`."""

    world: World
    breaks: frozenset[str]
    says: str
    unread: frozenset[str]
    code: str


@st.composite
def examples(draw: st.DrawFn) -> Example:
    way, shared = draw(st.sampled_from(WAYS)), draw(st.booleans())
    world, breaks = World(way, shared), frozenset[str]()
    # A break that excludes an earlier one is left out.
    for name in draw(st.lists(st.sampled_from(sorted(BREAKS)), max_size=3, unique=True)):
        if BREAKS[name].fits(world):
            world, breaks = replace(world, **BREAKS[name].changes), breaks | {name}
    misses = draw(st.frozensets(st.sampled_from(sorted(NEAR_MISSES)), max_size=3))
    made = with_breaks(way, breaks, misses, shared=shared)
    says = draw(st.sampled_from(NAMES))
    one_hidden = st.sampled_from(sorted(BREAKS)).map(lambda name: BREAKS[name].shown_by)
    unread = draw(one_hidden | st.frozensets(st.sampled_from(READS), max_size=4))
    return Example(made, breaks, says, unread, draw(st.sampled_from(_CODES)))


@settings(_EXAMPLES)
@given(example=examples())
def test_whatever_the_world_a_diagnosis_tells_nothing_that_is_not_so(builder: Builder, example: Example) -> None:
    built = builder.build(example.world)
    said = failure(example.says, built)
    diagnosis = _diagnose(example, said, built, WorldAws(builder.emulated, example.unread, example.code))
    if diagnosis is None:
        return
    note(f"{diagnosis.findings=} {diagnosis.inconclusive=} {diagnosis.passed=} {diagnosis.note=}")
    _reports_only_what_stops(example, said, diagnosis)
    _passes_nothing_broken(example, said, diagnosis)
    if not diagnosis.findings and not diagnosis.inconclusive:
        _is_clear(example, said, diagnosis)
    if not (example.unread or said.said.contradicts):
        _finds_all(example, said, diagnosis)


def _diagnose(example: Example, said: Failure, built: Built, aws: WorldAws) -> Diagnosis | None:
    """The diagnosis; None where a question finds no nodes, which is said on standard error."""
    if said.pull:
        return diagnose(said.pull, PullFacts(Reader(aws)))
    chosen = Chosen(CLUSTER, instance=built.node) if said.asks == "instance" else Chosen(CLUSTER, node_group=GROUP)
    image = parse_image(built.image)
    assert image is not None
    try:
        (answer,) = ask(Reader(aws), image, chosen, ())
    except click.ClickException:
        assert example.unread
        return None
    return answer.diagnosis


def _reports_only_what_stops(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """Each cause is one of the world's breaks, and no round of repairs is enough without its repair."""
    words = said.may_be_taken_at_their_word(example.world, example.unread)
    reported = {finding.cause for finding in diagnosis.findings}
    assert reported <= justified_causes(example.world, example.breaks) | words


def _passes_nothing_broken(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """What passes is not broken, and could not be broken in what was not read."""
    for name in example.breaks:
        if is_needed(name, example.world, example.breaks, said.parts):
            assert not BREAKS[name].causes & set(diagnosis.passed), name
    for name, causes in _may_be_hidden(example, said):
        assert not causes & set(diagnosis.passed), name


def _is_clear(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """Nothing that can explain the failure is broken or unread, and something shows what has changed since."""
    assert not said.said.contradicts
    for name in example.breaks:
        explains = said.explained_by(BREAKS[name].causes)
        assert not (explains and is_needed(name, example.world, example.breaks, said.parts)), name
    for name, causes in _may_be_hidden(example, said):
        assert not said.explained_by(causes), name
    assert diagnosis.note or diagnosis.look_next or said.pull is None or said.parts in (Part(0), Part.PLATFORM)


def _finds_all(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """Where everything can be read, one round of repairs is enough for what the failure is about."""
    reported = {finding.cause for finding in diagnosis.findings}
    for name in example.breaks:
        if is_needed(name, example.world, example.breaks, said.parts):
            assert BREAKS[name].causes & reported, name


def _may_be_hidden(example: Example, said: Failure) -> Iterator[tuple[str, frozenset[str]]]:
    """The breaks that the world could have as well, seen without the reads that fail, and that would stop the pull."""
    for name in hidden(example.world, example.unread):
        world = replace(example.world, **BREAKS[name].changes)
        if is_needed(name, world, example.breaks | {name}, said.parts):
            yield name, BREAKS[name].causes


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", sorted(BREAKS))
def test_the_reference_knows_what_a_break_breaks(name: str, way: str) -> None:
    for shared in (False, True):
        world = World(way, shared)
        assert works(world)
        if BREAKS[name].fits(world):
            broken = replace(world, **BREAKS[name].changes)
            assert works(broken) == (not justified_causes(broken, frozenset({name})))


def test_near_misses_stop_nothing() -> None:
    for way in WAYS:
        for shared in (False, True):
            assert works(with_breaks(way, frozenset(), frozenset(NEAR_MISSES), shared=shared))
