"""Find the image that a kubelet message is about.

kubelet and containerd quote the image (Go's %q). Docker, containers/image and ECS write it without quotes. The pod's
own spelling has precedence; a URL and the resource of AWS's denial come last.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.events.image_reference import ImageReference, parse_image
from pull_responder.events.registry_urls import find_urls
from pull_responder.model.arn import DNS_SUFFIXES, Arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.model.pull import Denial

_QUOTED: Final = re.compile(r"\b(?:(?:[Ii]mage|image tag|reference|ref) |image=|image\":)\"([^\"\s]{1,1024})(\"|(?= ))")
_BARE: Final = re.compile(
    r"(?:failed to resolve ref|failed to resolve source metadata for|"
    r"image pull failed for|for image(?! manifest digest\b)|pull access denied for) "
    r"([^\"\s]{1,1024})"
    r"|(?:manifest for|repository) ([^\"\s]{1,1024}) not found"
    r"|docker://([^\"\s]{1,1024})"
    r"|failed to solve: ([^\"\s/]{1,300}/[^\"\s]{1,600}):(?= )"
)
# Parts of an image, as containerd names them in its content store.
_PART: Final = re.compile(r"(?:manifest|index|layer|config)-sha256:")
# Bottlerocket's host-ctr, and other clients of awslabs/amazon-ecr-containerd-resolver: the repository's ARN with a tag.
_OF_RESOLVER: Final = "ecr.aws/arn:"
_READING: Final = re.compile(r"reading manifest ([^\"\s]{1,300}) in ([^\"\s]{1,1024})")


def find_image(text: str, denial: Denial | None) -> ImageReference | None:
    """Return the image that `text` is about, None if it names none. `denial` is the AWS denial in `text`, if any."""
    return next((image for image in _candidates(text, denial) if image), None)


def _candidates(text: str, denial: Denial | None) -> Iterator[ImageReference | None]:
    for match in _QUOTED.finditer(text):
        yield _parse(match[1])
    for match in _BARE.finditer(text):
        yield _parse(match[1] or match[2] or match[3] or match[4])
    for match in _READING.finditer(text):
        mark = "@" if match[1].startswith("sha256:") else ":"
        yield _parse(f"{match[2].rstrip(':,')}{mark}{match[1]}")
    for url in find_urls(text):
        yield url.image
    yield _of_resource(denial.resource) if denial else None


def _parse(written: str) -> ImageReference | None:
    written = written.rstrip(":,;.)]'")
    if written.startswith(_OF_RESOLVER):
        return _of_resource(written.removeprefix("ecr.aws/"))
    return None if written.startswith("arn:") or _PART.match(written) else parse_image(written)


def _of_resource(resource: str) -> ImageReference | None:
    arn = Arn.parse(resource)
    if arn is None or arn.service != "ecr" or not arn.resource.startswith("repository/"):
        return None
    suffix, repository = DNS_SUFFIXES.get(arn.partition), arn.resource.removeprefix("repository/")
    return parse_image(f"{arn.account}.dkr.ecr.{arn.region}.{suffix}/{repository}") if suffix else None
