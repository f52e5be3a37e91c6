"""Answers `diagnose --manifests`: every image of a rollout, for the nodes that its workloads may run on.

The same image is asked about once for the same nodes and credentials, however many workloads use it.
"""

from __future__ import annotations

from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli import question
from pull_responder.cli.answered import Answer, Answered, NotAsked, UsedBy
from pull_responder.cli.asked_nodes import Chosen, find_asked
from pull_responder.cli.manifest_files import read_files
from pull_responder.cli.manifests import Manifests, read_manifests
from pull_responder.cli.node_kinds import NodeKinds, Run
from pull_responder.cli.of_event import path_of
from pull_responder.cli.other_credentials import Account, with_secrets
from pull_responder.cli.own_role import answer_for_role
from pull_responder.events import kubernetes_names
from pull_responder.events.image_reference import RegistryKind, parse_image
from pull_responder.events.outcome import Skipped
from pull_responder.events.redaction import redact
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.pulls.cluster_nodes import ClusterPlace
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.cli.workload import Credentials, Placement, Use, UsedImage, Workload
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.image_reference import ImageReference
    from pull_responder.facts.aws import Aws
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.settings import Settings

# Each diagnosis reads in threads of its own.
_AT_ONCE: Final = 4
# Diagnoses that are begun before the first of them is shown.
_AHEAD: Final = 16


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An image of a workload, as one of ECR."""

    image: ImageReference
    workload: Workload
    use: Use


@dataclass(slots=True)
class _Question:
    """An image, the nodes that pull it and the service account with whose role they do, with everyone who asks.

    `used_by` has the workloads by their pull secrets.
    """

    image: ImageReference
    nodes: Nodes
    account: Account | None
    used_by: dict[tuple[str, ...], list[UsedBy]] = field(default_factory=dict)


def read_rollout(source: str, namespace: str | None) -> Manifests:
    """Return what a folder, a file or standard input (`-`) holds; see `read_manifests`.

    Raises click.ClickException where it holds nothing that can be asked about.
    """
    if namespace and not kubernetes_names.object_name(namespace):
        raise click.ClickException(f"--namespace: {namespace[:120]!r} cannot be the name of a namespace")
    found = read_manifests(read_files(source), namespace)
    if not found.objects and not found.problems:
        raise click.ClickException(f"--manifests: {source} holds no object of Kubernetes, with apiVersion and kind")
    return found


def answers_about(manifests: Manifests, chosen: Chosen, aws: Aws, settings: Settings) -> Iterator[Answer]:
    """Yield what could not be read, what is not in ECR, and a diagnosis of each image by each kind of node.

    Raises click.ClickException where the cluster or its nodes cannot be asked about.
    """
    for problem in manifests.problems:
        yield NotAsked(problem)
    if not manifests.workloads and not manifests.problems:
        yield Skipped(f"none of the {manifests.objects} objects in the manifests has pods")
    wanted: list[_Wanted] = []
    elsewhere: dict[str, set[tuple[str, str]]] = {}
    for workload in manifests.workloads:
        for used in workload.images:
            found = _wanted(workload, used, aws)
            if isinstance(found, NotAsked):
                yield found
            elif found.image.kind is RegistryKind.OTHER:
                key = question.not_in_ecr(found.image)
                elsewhere.setdefault(key, set()).add((found.use.workload, found.use.file))
            else:
                wanted.append(found)
    for reason, users in elsewhere.items():
        yield Skipped(f"{reason} ({_count(len(users), 'workload')})")
    if wanted:
        yield from _ask(wanted, chosen, aws, settings)


def _wanted(workload: Workload, used: UsedImage, aws: Aws) -> _Wanted | NotAsked:
    use = workload.use(used)
    image = parse_image(used.text)
    if image is None:
        return NotAsked(f"{use.place}: {redact(used.text, limit=200)!r} is no image reference ({use.workload})")
    if image.problem:
        return NotAsked(f"{use.place}: {image}: {image.problem} ({use.workload})")
    if image.region:
        try:
            question.check_region(use.place, image.region, aws)
        except click.ClickException as error:
            return NotAsked(error.message)
    return _Wanted(image, workload, use)


def _ask(wanted: list[_Wanted], chosen: Chosen, aws: Aws, settings: Settings) -> Iterator[Answer]:
    reader = Reader(aws)
    facts = PullFacts(reader, known_principals=settings.known_principals)
    kinds = _kinds(facts, chosen, wanted)
    runs: dict[Placement, list[Run]] = {}
    questions: dict[object, _Question] = {}
    for each in wanted:
        placement, credentials = each.workload.placement, each.workload.credentials
        if placement not in runs:
            runs[placement] = kinds.of(placement)
        for run in runs[placement]:
            account = _account(credentials, placement.namespace)
            key = (_pulled(each.image), run.nodes.name, account)
            asked = questions.setdefault(key, _Question(each.image, run.nodes, account))
            asked.used_by.setdefault(credentials.secrets, []).append(UsedBy(each.use, run.doubt))
    # Questions about one image stand together, where the image is used first.
    firsts: dict[object, int] = {}
    for one in questions.values():
        firsts.setdefault(_pulled(one.image), len(firsts))
    ordered = sorted(questions.values(), key=lambda one: firsts[_pulled(one.image)])
    waiting: deque[Future[list[Answered]]] = deque()
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="image")
    try:
        for one in ordered:
            waiting.append(pool.submit(copy_context().run, _answer, reader, one, settings))
            if len(waiting) >= _AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _kinds(facts: PullFacts, chosen: Chosen, wanted: list[_Wanted]) -> NodeKinds:
    regions = Counter(each.image.region or facts.region or "" for each in wanted)
    region = regions.most_common(1)[0][0]
    found = facts.side_by_side(lambda find: find(), find_asked(facts, chosen, region))
    identity = facts.identity()
    account = "" if isinstance(identity, Unread) else identity.account  # find_asked has raised where it is not known
    place = ClusterPlace(facts, account, facts.region or "", chosen.cluster, region)
    return NodeKinds(place, [each for each in found if each])


def _pulled(image: ImageReference) -> tuple[object, ...]:
    """Return what is pulled, however it is written: without a tag it is `latest`."""
    tag = image.tag or (None if image.digest else "latest")
    return (image.registry_host, image.registry_account, image.region, image.repository, tag, image.digest)


def _account(credentials: Credentials, namespace: str | None) -> Account | None:
    """Return the service account, if it has a role with which its pods pull."""
    if not credentials.role_arn:
        return None
    return Account(credentials.role_arn, credentials.service_account, namespace)


def _answer(reader: Reader, asked: _Question, settings: Settings) -> list[Answered]:
    """Return the answer, several where pull secrets make a difference."""
    pull, known = question.asked_pull(asked.image, asked.nodes.region), settings.known_principals
    if asked.account:
        found = answer_for_role(reader, pull, asked.nodes, asked.account, known)
    else:
        found = question.answer_for(reader, pull, asked.nodes, known)
    path = path_of(found.diagnosis.pull, found.facts)
    by_diagnosis: list[tuple[Diagnosis, list[UsedBy]]] = []
    for secrets, used_by in asked.used_by.items():
        diagnosis = with_secrets(found.diagnosis, secrets)
        same = next((users for each, users in by_diagnosis if each == diagnosis), None)
        if same is None:
            by_diagnosis.append((diagnosis, list(used_by)))
        else:
            same.extend(used_by)
    image, nodes = str(asked.image), asked.nodes.name
    return [Answered(each, path, asked=image, nodes=nodes, used_by=tuple(users)) for each, users in by_diagnosis]


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
