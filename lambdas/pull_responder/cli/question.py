"""The question that `diagnose` takes before anything has failed: can these nodes of a cluster pull an image."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from pull_responder.checks import CHECKS
from pull_responder.cli.asked_nodes import Chosen, find_asked
from pull_responder.diagnosis import Diagnosis
from pull_responder.diagnosis import diagnose as diagnose_pull
from pull_responder.events.image_reference import ImageReference, RegistryKind, parse_image
from pull_responder.facts.facts import Facts
from pull_responder.facts.node_role import principal_of
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.network import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.checks.check import Check
    from pull_responder.facts.aws import Aws
    from pull_responder.facts.node import Nodes
    from pull_responder.facts.reading import Reading

_PATH_CAUSES: Final = frozenset(Cause)


@dataclass(frozen=True, slots=True)
class Answer:
    """The diagnosis for one kind of node, with the facts it was made of."""

    nodes: Nodes
    diagnosis: Diagnosis
    facts: Facts


def read_image(text: str, aws: Aws) -> ImageReference:
    """Return the image that is asked about. Raises click.ClickException for what no ECR registry can serve."""
    image = parse_image(text)
    if image is None:
        raise click.ClickException(f"--image: {text[:200]!r} is no image reference")
    if image.kind is not RegistryKind.OTHER and image.problem:
        raise click.ClickException(f"--image: {image.problem}")
    if image.region:
        check_region("--image", image.region, aws)
    return image


def check_region(option: str, region: str, aws: Aws) -> None:
    """Raise click.ClickException for a region that is spelt wrong: much like a known one, and of no known family."""
    known = aws.known_regions()
    families = {each.rstrip("0123456789") for each in known}
    near = difflib.get_close_matches(region, known, 3, 0.75)
    if region.rstrip("0123456789") not in families and near:
        raise click.ClickException(f"{option}: there is no region {region!r}; did you mean {' or '.join(near)}?")


def ask(reading: Reading, image: ImageReference, chosen: Chosen, known_principals: tuple[str, ...]) -> Iterator[Answer]:
    """Diagnose the pull of `image` by the chosen nodes, by all kinds of node where none is chosen.

    Raises click.ClickException where the cluster or the chosen nodes do not exist.
    """
    host = image.host if image.kind is not RegistryKind.OTHER else None
    for nodes in find_asked(Facts(reading), chosen):
        facts = Facts(reading, known_principals=known_principals, asked=nodes, registry_host=host)
        pull = _pull(image, nodes, facts)
        yield Answer(nodes, diagnose_pull(pull, facts, checks=_checks(image)), facts)


def _checks(image: ImageReference) -> tuple[Check, ...]:
    if image.kind is RegistryKind.ECR_PRIVATE:
        return CHECKS
    # ECR Public is pulled from without credentials, so only the way there matters.
    return tuple(check for check in CHECKS if check.id in _PATH_CAUSES)


def _pull(image: ImageReference, nodes: Nodes, facts: Facts) -> PullFailure:
    private = image.kind is RegistryKind.ECR_PRIVATE
    return PullFailure(
        symptom=Symptom.UNKNOWN,
        stage=None,
        region=image.region or nodes.region,
        account=nodes.account,
        principal=principal_of(nodes, facts),
        registry_account=image.registry_account,
        repository=image.repository if private else None,
        tag=image.tag or (None if image.digest else "latest"),
        digest=image.digest,
        cluster=nodes.cluster,
        node=nodes.instances[0].id if nodes.instances else None,
    )


def not_in_ecr(image: ImageReference) -> str:
    """Say why an image is not looked into."""
    return f"{image} is not in Amazon ECR but in {image.host}"
