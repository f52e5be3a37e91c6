"""Find the host that answered with an HTTP status in the registry's place.

It is a mirror of containerd's hosts.toml, a mirror's token service, or a portal that a request was sent on to.

Source: containerd, docs/hosts.md and core/remotes/docker (resolver.go, fetcher.go). containerd asks each host of the
file in turn, and may report the status of a mirror. Such a status says nothing about Amazon ECR.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.events.image_reference import ImageReference, RegistryKind
from pull_responder.events.kubelet_link import is_status_place
from pull_responder.events.meaning import Meaning, Weight
from pull_responder.events.registry_hosts import read_private_host
from pull_responder.events.registry_urls import RegistryUrl, is_of_ecr
from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.model.pull import ECR_PUBLIC_HOSTS, Answer, Stage, Symptom

if TYPE_CHECKING:
    from collections.abc import Sequence

MIRROR_ANSWERED: Final = Meaning(Symptom.UNKNOWN, Weight.SOMEBODY_ELSE, answer=Answer.MIRROR)
"""A status of a mirror. What the mirror says after it weighs less."""

# Names of interface endpoints: "vpce-….dkr.ecr.us-east-1.vpce.amazonaws.com". ECR answers there.
_OF_ENDPOINT: Final = tuple(f".vpce.{each}" for each in sorted(set(DNS_SUFFIXES.values())))
_OF_AWS: Final = (*(f".{each}" for each in DNS_SUFFIXES.values()), ".api.aws", ".on.aws", ".cloudfront.net")
_FROM_HOST: Final = ["pulling", "from", "host"]
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")


def mirror_of(
    words: Sequence[str],
    before: Sequence[str],
    url: RegistryUrl | None,
    image: ImageReference | None,
    stage: Stage | None = None,
) -> str:
    """Return the host, without port, whose HTTP status a link has. Empty where it is ECR's, or not known whose.

    `words` and `before` are the words of the link and of the one before it, `url` is the last URL before the status,
    `stage` is the stage of the pull so far.
    """
    if image is None or image.kind is RegistryKind.OTHER:
        return ""
    place = next((list(each) for each in (words, before) if is_status_place(list(each))), None)
    if place is None:
        return ""
    if place[:3] == _FROM_HOST:
        asked = place[len(_FROM_HOST)]
    elif url is not None and _is_asked(url, place, stage):
        asked = url.host
    else:
        return ""
    host = asked.partition(":")[0]
    if read_private_host(host) or host in ECR_PUBLIC_HOSTS or host.endswith(_OF_ENDPOINT):
        return ""
    return host if _HOST.fullmatch(host) else ""


def is_upstreams(url: RegistryUrl | None, image: ImageReference | None) -> bool:
    """Return whether the last URL before a status is of a host outside AWS, such as an upstream registry's storage.

    Without a URL, the image's registry was asked.
    """
    if url is None:
        return image is not None and image.kind is RegistryKind.OTHER
    host = url.host.partition(":")[0]
    return not (url.is_metadata or url.is_layer_bucket or is_of_ecr(host) or host.endswith(_OF_AWS))


def _is_asked(url: RegistryUrl, place: Sequence[str], stage: Stage | None) -> bool:
    """Whether a status is the answer of a URL's host to a request of a pull.

    Before a layer, a request may have been sent on to a URL that is no registry's, such as a portal's or that of a
    mirror's token service. Only a link that names it together with the status shows that.
    """
    if url.is_metadata or url.is_layer_bucket:
        return False
    if url.stage in (Stage.MANIFEST, Stage.LAYER):
        return True
    if stage is Stage.LAYER:
        return False  # an upstream's storage, which the registry itself may name
    host = url.host.partition(":")[0]
    is_of_aws = is_of_ecr(host) or host.startswith("sts.") or host.endswith(_OF_AWS)
    return not is_of_aws and any(f"://{url.host}" in word for word in place)
