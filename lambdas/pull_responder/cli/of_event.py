"""Answers `diagnose --event`: every pull in an event, and the nodes that an event asks to inspect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks import CHECKS, no_route_to_ecr, node_group_unhealthy
from pull_responder.cli.answered import Answer, Answered, NotAsked
from pull_responder.diagnosis import diagnose, skip_reason
from pull_responder.events.intake import Inspection, distinct
from pull_responder.events.joining import join
from pull_responder.events.outcome import Skipped
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure
from pull_responder.model.unread import Unread
from pull_responder.pulls.addons import event_questions
from pull_responder.pulls.path import PullPath, pull_path
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pull_responder.facts.aws import Aws
    from pull_responder.settings import Settings


def answers_to(read: Sequence[PullFailure | Inspection | Skipped], aws: Aws, settings: Settings) -> Iterator[Answer]:
    """Diagnose every distinct pull in what was read of an event, then its inspections; then say what is skipped."""
    facts = PullFacts(Reader(aws), known_principals=settings.known_principals)
    for pull in distinct(join([each for each in read if isinstance(each, PullFailure) and not skip_reason(each)])):
        yield Answered(diagnose(pull, facts), path_of(pull, facts))
    for each in read:
        if isinstance(each, Inspection):
            yield from _of_inspection(each, aws, settings)
    yield from skipped_in(read)


def skipped_in(read: Sequence[PullFailure | Inspection | Skipped]) -> Iterator[Skipped]:
    """Say what is not asked about, and why."""
    for each in read:
        if isinstance(each, Skipped):
            yield each
        elif isinstance(each, PullFailure) and (reason := skip_reason(each)):
            yield Skipped(reason)


def regions_of(read: Sequence[PullFailure | Inspection | Skipped]) -> list[str]:
    """Return the regions of what AWS is asked about, each once; none if nothing is asked."""
    asked = (each for each in read if not isinstance(each, Skipped))
    return list(dict.fromkeys(each.region for each in asked if isinstance(each, Inspection) or not skip_reason(each)))


def accounts_of(read: Sequence[PullFailure | Inspection | Skipped], aws_registries: Collection[str]) -> list[str]:
    """Return the accounts that an event names: of its nodes, roles and registries, except AWS's own registries.

    None if it names none for one of its pulls.
    """
    accounts: list[str] = []
    for each in read:
        if isinstance(each, Inspection):
            named: list[str | None] = [each.account]
        elif isinstance(each, PullFailure):
            named = [each.account, each.principal_account, each.registry_account]
        else:
            continue
        known = [account for account in named if account and account not in aws_registries]
        if not known:
            return []
        accounts += known
    return list(dict.fromkeys(accounts))


def path_of(pull: PullFailure, facts: PullFacts) -> PullPath | None:
    """Return the path to the registry, which the checks have read, for symptoms that it can explain."""
    if pull.symptom not in no_route_to_ecr.CHECK.symptoms:
        return None
    path = pull_path(pull, facts)
    return path if isinstance(path, PullPath) else None


def _of_inspection(inspection: Inspection, aws: Aws, settings: Settings) -> Iterator[Answer]:
    checks = (node_group_unhealthy.CHECK,) if inspection.health_only else CHECKS
    asked_about = list(event_questions(inspection, Reader(aws), known_principals=settings.known_principals))
    if not asked_about:
        where = f"cluster {inspection.cluster}" if inspection.cluster else "the account"
        yield Skipped(f"{where} has no nodes in {inspection.region}")
    for asked in asked_about:
        if isinstance(asked, Skipped):
            yield asked
        elif isinstance(asked, Unread):
            yield NotAsked(f"some nodes could not be examined: {asked.reason}")
        else:
            diagnosis = diagnose(asked.pull, asked.facts, checks=checks)
            yield Answered(diagnosis, None if inspection.health_only else path_of(asked.pull, asked.facts))
            if asked.not_asked:
                yield Skipped(asked.not_asked)
