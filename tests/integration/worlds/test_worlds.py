"""Whatever the estate and whatever can be read of it, a diagnosis tells nothing that is not so.

Each example is a world with breaks, near misses and reads that fail, and a failure in it. `make worlds` tries more.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click
import pytest
from hypothesis import HealthCheck, given, note, settings, target

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from pull_responder.pulls.pull_facts import PullFacts
from tests.first_lines import faults_of_answer
from tests.integration.worlds import properties
from tests.integration.worlds.breaks import BREAKS, NEAR_MISSES, is_justified, with_breaks
from tests.integration.worlds.building import CLUSTER, GROUP
from tests.integration.worlds.caches import CACHES, PREFIXES
from tests.integration.worlds.examples import Example, examples
from tests.integration.worlds.failures import Failure, failure
from tests.integration.worlds.hubs import BESIDE_ENDPOINTS, HUBS
from tests.integration.worlds.pullers import PROFILE, PULLERS
from tests.integration.worlds.recorded import WorldAws
from tests.integration.worlds.world import SPOKE, WAYS, World, works

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.worlds.building import Builder, Built

# How many examples; with a number given, they are others each time.
_ASKED: Final = os.environ.get("PULL_RESPONDER_WORLDS")
_EXAMPLES: Final = settings(
    max_examples=int(_ASKED or 80),
    derandomize=_ASKED is None,
    deadline=None,
    # The estate of one example is part of what the next one is built from. That is what makes them quick.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@settings(_EXAMPLES)
@given(example=examples())
def test_whatever_the_world_a_diagnosis_tells_nothing_that_is_not_so(builder: Builder, example: Example) -> None:
    check(builder, example)


def check(builder: Builder, example: Example) -> None:
    """Build the world, diagnose its failure and hold the properties against the answer."""
    built = builder.build(example.world)
    said = failure(example.says, built)
    diagnosis = _diagnose(example, said, built, WorldAws(builder.emulated, example.unread, example.code))
    if diagnosis is None:
        return
    note(_shown(diagnosis))
    assert faults_of_answer(diagnosis) == []
    example = properties.as_it_was_asked(example)
    # Worlds in which several faults meet show most.
    target(float(len(diagnosis.findings)), label="findings")
    properties.reports_only_what_stops(example, said, diagnosis)
    properties.blames_its_own((each.resource.id for each in diagnosis.findings), built)
    properties.tells_what_concerns(said, diagnosis)
    properties.passes_nothing_broken(example, said, diagnosis)
    if not diagnosis.findings and not diagnosis.inconclusive:
        properties.is_clear(example, said, diagnosis)
    if example.unread and diagnosis.findings:
        readable = _diagnose(example, said, built, WorldAws(builder.emulated, frozenset(), ""))
        if readable:
            properties.hides_nothing_and_invents_nothing(example, said, diagnosis, readable)
    if not (example.unread or said.said.contradicts or said.said.leads):
        properties.finds_all(example, said, diagnosis)


def _shown(diagnosis: Diagnosis) -> str:
    found = (f"{each.cause} of {each.resource.id}: {each.explanation}" for each in diagnosis.findings)
    open_ = (f"undecided: {each.cause}: {each.reason}" for each in diagnosis.inconclusive)
    return "\n".join((*found, *open_, f"passed: {', '.join(diagnosis.passed)}", f"note: {diagnosis.note}"))


def _diagnose(example: Example, said: Failure, built: Built, aws: WorldAws) -> Diagnosis | None:
    """The diagnosis; None where a question finds no nodes, which is said on standard error."""
    if said.pull:
        return diagnose(said.pull, PullFacts(Reader(aws)))
    chosen = Chosen(CLUSTER, instance=built.node) if said.asks == "instance" else Chosen(CLUSTER, node_group=GROUP)
    if example.world.puller == "fargate":
        chosen = Chosen(CLUSTER, fargate_profile=PROFILE)
    image = parse_image(built.image)
    assert image is not None
    try:
        (answer,) = ask(Reader(aws), image, chosen, ())
    except click.ClickException:
        assert example.unread
        return None
    return answer.diagnosis


def _kinds() -> Iterator[World]:
    for way in WAYS:
        for puller in PULLERS:
            yield from (World(way, shared, puller=puller, organization=shared) for shared in (False, True))
            yield World(way, of_aws=True, puller=puller)
    for cache in CACHES:
        for prefix in PREFIXES:
            yield from (World("nat", cache=cache, cached=cached, cache_prefix=prefix) for cached in (False, True))
    yield from (World(way, family="dual") for way in ("nat", "public"))
    yield World("nat", family="six")
    yield from (World(way, hub=hub) for way in ("nat", SPOKE) for hub in HUBS)
    yield from (World(way, hub=BESIDE_ENDPOINTS) for way in ("endpoints", "both"))


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_the_reference_knows_what_a_break_breaks(name: str) -> None:
    fitting = [world for world in _kinds() if BREAKS[name].fits(world)]
    assert fitting
    for world in fitting:
        assert works(world)
        broken = replace(world, **BREAKS[name].changes)
        assert works(broken) == (not is_justified(name, broken, frozenset({name})))


def test_near_misses_stop_nothing() -> None:
    for world in _kinds():
        assert works(with_breaks(world, frozenset(), frozenset(NEAR_MISSES)))
