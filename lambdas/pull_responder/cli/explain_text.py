"""What `explain` says for people: what the message tells, the likeliest causes, and what to run next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from pull_responder.cli.lines import NARROW, labelled, shown
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.no_reason import NoReason
from pull_responder.known_causes import known_causes
from pull_responder.meanings import can_mean
from pull_responder.model.pull import registry_answered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.cli.pasted import Pasted

_INDENT: Final = 12
_LIKELIEST: Final = 3
_MOST_NAMES: Final = 12
_MOST_PODS: Final = 3
BACK_OFF: Final = (
    "kubelet waits before it tries again, and does not say here why the pull failed. The reason stands in the pod's "
    "events."
)


def lines_of(pasted: Pasted, look: str | None, width: int) -> list[str]:
    """Return the lines about one message. `look` is where to look, where the message rules out the rest."""
    rows = [
        (head + part).rstrip()
        for label, text in _rows(pasted, look)
        for head, part in labelled(label, shown(text), width, indent=_INDENT)
    ]
    return [*rows, *_commands(pasted, width)]


def _commands(pasted: Pasted, width: int) -> Iterator[str]:
    """Yield the commands, each whole on its line, so that it can be copied."""
    commands = list(map(shown, commands_for(pasted)))
    if width < NARROW:
        yield from ["Run next", *(f"  {command}" for command in commands)] if commands else []
        return
    for number, command in enumerate(commands):
        yield f"{'' if number else 'Run next':<{_INDENT}}{command}"


def commands_for(pasted: Pasted) -> list[str]:
    """Return the commands that find the cause, the best one first. None for a text that is about no failed pull.

    Names in upper case are to be filled in. They mean nothing to a shell.
    """
    read, image = pasted.read, pasted.read.image
    if read.no_reason not in (None, NoReason.NOT_SAID) or (image and image.problem):
        return []
    if image and image.kind is RegistryKind.OTHER and not read.denial:
        return []
    named = next(iter(pasted.pods), (None, "POD"))
    namespace, pod = shlex.quote(named[0] or "NAMESPACE"), shlex.quote(named[1])
    commands = [f"pull-responder diagnose --pod {namespace}/{pod}"]
    if read.no_reason or pasted.is_back_off:
        return [*commands, f"kubectl describe pod {pod} --namespace {namespace}"]
    if image and image.kind is not RegistryKind.OTHER:
        commands.append(f"pull-responder diagnose --image {shlex.quote(str(image))} --cluster CLUSTER")
    return commands


def _rows(pasted: Pasted, look: str | None) -> Iterator[tuple[str, str]]:
    read, image = pasted.read, pasted.read.image
    if pasted.pods:
        names = [f"{namespace}/{pod}" if namespace else pod for namespace, pod in pasted.pods]
        more = len(names) - _MOST_PODS
        yield (
            "Pods" if len(names) > 1 else "Pod",
            ", ".join(names[:_MOST_PODS]) + (f" and {more} more" if more > 0 else ""),
        )
    yield "Symptom", read.symptom
    yield "Stage", read.stage or "not known"
    yield "Image", str(image) if image else "not named"
    if image and image.problem:
        yield "Spelt wrong", image.problem
    elif image and image.kind is RegistryKind.OTHER:
        yield "", "not in Amazon ECR: a diagnosis would skip it"
    if registry_answered(read.symptom) is False or read.answer:
        seen = {"Asked": read.sighting.host, "Dialled": read.sighting.address, "DNS server": read.sighting.server}
        yield from ((label, value) for label, value in (seen | {"Proxy": read.sighting.proxy}).items() if value)
    if read.denial:
        yield "AWS said", read.denial.message
    yield from _meanings(pasted, look)


def _meanings(pasted: Pasted, look: str | None) -> Iterator[tuple[str, str]]:
    read, image = pasted.read, pasted.read.image
    causes = can_mean(read)
    if pasted.is_back_off:
        yield "Can mean", BACK_OFF
        return
    titles = {each.check.id: each.check.title for each in known_causes()}
    for number, cause in enumerate(causes[:_LIKELIEST]):
        yield "" if number else "Can mean", f"{cause}: {titles[cause]}"
    if more := causes[_LIKELIEST:]:
        few = len(more) <= _MOST_NAMES
        yield "", f"and {len(more)} more: {', '.join(more) if few else '--format json names them'}"
    if read.no_reason and not (read.no_reason is NoReason.MISSPELT and image and image.problem):
        yield "Can mean", f"nothing: this text {read.no_reason}"
    elif not causes and not look and not (image and image.problem):
        yield "Can mean", "none of the causes that a diagnosis knows"
    if look:
        yield "Look next", look
