"""Answers `diagnose --image`: can these nodes of a cluster pull this image? No pull has to fail first."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli.asked_nodes import Chosen, find_asked
from pull_responder.cli.kubectl.place import Place
from pull_responder.cli.kubectl.place import of_arn as place_of_arn
from pull_responder.diagnosis import Diagnosis
from pull_responder.diagnosis import diagnose as diagnose_pull
from pull_responder.events import kubernetes_names, names
from pull_responder.events.image_reference import ImageReference, parse_image
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.pulls.image import read_image_ahead
from pull_responder.pulls.node_role import principal_of
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.pulls.session import private_dns_name

if TYPE_CHECKING:
    from pull_responder.facts.aws import Aws
    from pull_responder.facts.reader import Reader
    from pull_responder.pulls.cluster_nodes import Finder
    from pull_responder.pulls.nodes import Nodes


_DOCKER_HUB: Final = "docker.io"
_A_NAME: Final = "up to 100 letters, digits, - and _, with a letter or digit first"
_AN_INSTANCE: Final = "an EC2 instance's id: i- and 17 hexadecimal digits, or 8"


@dataclass(frozen=True, slots=True)
class Answer:
    """The diagnosis for one kind of node, with the facts that it used."""

    nodes: Nodes
    diagnosis: Diagnosis
    facts: PullFacts


def read_image(text: str, aws: Aws) -> ImageReference:
    """Return the image in `text`. Raises click.ClickException if `text` is no valid image reference."""
    image = parse_image(text)
    if image is None:
        raise click.ClickException(f"--image: {text[:200]!r} is no image reference")
    if image.problem:
        raise click.ClickException(f"--image: {image.problem}")
    if image.region:
        check_region("--image", image.region, aws)
    return image


def read_cluster(text: str | None) -> Place:
    """Return the cluster that --cluster names, by its name or ARN. Raises click.ClickException for anything else."""
    if text is None:
        return Place()
    if (place := place_of_arn(text)) is not None:
        return place
    if not kubernetes_names.cluster(text):
        raise click.ClickException(
            f"--cluster: {text[:120]!r} cannot be an EKS cluster's name: {_A_NAME}; nor is it an ARN of one, "
            "arn:aws:eks:REGION:ACCOUNT:cluster/NAME"
        )
    return Place(cluster=text)


def check_names(chosen: Chosen) -> None:
    """Raise click.ClickException for a name that EKS does not allow, or an instance ID that EC2 does not give."""
    asked = (
        ("--nodegroup", chosen.node_group, kubernetes_names.compute, f"a node group's name: {_A_NAME}"),
        ("--fargate-profile", chosen.fargate_profile, kubernetes_names.compute, f"a Fargate profile's name: {_A_NAME}"),
        ("--instance", chosen.instance, _instance_name, f"{_AN_INSTANCE}, nor a node's private DNS name"),
    )
    for option, name, read, kind in asked:
        if name is not None and not read(name):
            raise click.ClickException(f"{option}: {name[:120]!r} cannot be {kind}")


def _instance_name(text: str) -> str | None:
    return names.instance(text) or private_dns_name(text)


def check_region(option: str, region: str, aws: Aws) -> None:
    """Raise click.ClickException if `region` looks like a misspelt region.

    It does if it is similar to a known region but belongs to no known family (a family is "us-east-" without its
    number). A new region of a known family is not refused.
    """
    known = aws.known_regions
    families = {each.rstrip("0123456789") for each in known}
    near = difflib.get_close_matches(region, known, 3, 0.75)
    if region.rstrip("0123456789") not in families and near:
        raise click.ClickException(f"{option}: there is no region {region!r}; did you mean {' or '.join(near)}?")


def ask(reader: Reader, image: ImageReference, chosen: Chosen, known_principals: tuple[str, ...]) -> list[Answer]:
    """Diagnose the pull of `image` by the chosen nodes, by all kinds of node where none is chosen.

    Raises click.ClickException where the cluster or the chosen nodes do not exist.
    """
    facts = PullFacts(reader)
    asked = asked_pull(image, facts.region or "")

    def answer(find: Finder) -> Answer | None:
        nodes = find()
        return answer_for(reader, asked, nodes, known_principals) if nodes else None

    # Read the image in parallel to finding the nodes.
    facts.start([lambda: read_image_ahead(asked, facts)])
    return [each for each in facts.side_by_side(answer, find_asked(facts, chosen, asked.region)) if each]


def answer_for(reader: Reader, asked: PullFailure, nodes: Nodes, known_principals: tuple[str, ...]) -> Answer:
    """Diagnose the pull that is asked about, by these nodes."""
    facts = PullFacts(reader, known_principals=known_principals, asked=nodes)
    pull = replace(by_nodes(asked, nodes), principal=principal_of(nodes, facts))
    return Answer(nodes, diagnose_pull(pull, facts), facts)


def by_nodes(asked: PullFailure, nodes: Nodes) -> PullFailure:
    """Return the pull that is asked about as one by these nodes, without the role that they pull with.

    An image of ECR Public is pulled in the region of the nodes: its host names none.
    """
    return replace(
        asked,
        region=nodes.region if asked.from_ecr_public else asked.region,
        account=nodes.account,
        cluster=nodes.cluster,
        node=nodes.instances[0].id if nodes.instances else None,
    )


def asked_pull(image: ImageReference, region: str) -> PullFailure:
    """Return the pull of `image` without its nodes. `region` is used for ECR Public, whose host names no region."""
    return PullFailure(
        symptom=Symptom.UNKNOWN,
        stage=None,
        region=image.region or region,
        registry_account=image.registry_account,
        repository=image.repository,
        tag=image.tag or (None if image.digest else "latest"),
        digest=image.digest,
        registry_host=image.registry_host,
    )


def not_in_ecr(image: ImageReference) -> str:
    """Say why an image outside ECR is not diagnosed."""
    return f"{image} is not in Amazon ECR but in {image.host}"


def forgotten_registry(image: ImageReference) -> str:
    """Return what may be missing in an image that is in Docker Hub as it names no registry. Else nothing."""
    if image.host != _DOCKER_HUB or image.text.removeprefix("docker://").startswith(f"{_DOCKER_HUB}/"):
        return ""
    return ", as it names no registry: did you forget ACCOUNT.dkr.ecr.REGION.amazonaws.com/ before it?"
