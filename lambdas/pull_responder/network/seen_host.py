"""The destination of the request that kubelet's message names, where it is another host than was expected.

A credential provider may ask a FIPS host for the token. The layers of a pull through cache rule come from the
upstream's own storage until ECR has stored them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.events.registry_hosts import read_private_host
from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.model.pull import Stage
from pull_responder.network.model import RegistryPlace
from pull_responder.network.resolution import Destination, destinations

if TYPE_CHECKING:
    from pull_responder.model.sighting import Sighting

_REGION: Final = r"([a-z]{2,4}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2})"
_SUFFIXES: Final = (
    *dict.fromkeys(DNS_SUFFIXES.values()),
    "api.aws",
    *(f"api.amazonwebservices.{end}" for end in ("com.cn", "eu")),
)
_AWS: Final = f"(?:{'|'.join(map(re.escape, _SUFFIXES))})"
# Source: AWS General Reference, "Amazon ECR endpoints and quotas".
_TOKEN_HOST: Final = re.compile(rf"(api\.ecr|ecr(?:-fips)?)\.{_REGION}\.{_AWS}")
_BUCKET: Final = re.compile(rf"prod-{_REGION}-starport-layer-bucket\.s3[.-](.{{1,80}})")
_OF_AWS: Final = (
    *(f".{each}" for each in DNS_SUFFIXES.values()),
    ".aws",
    ".amazonwebservices.com.cn",
    ".amazonwebservices.eu",
)
# Public registries and their storage. Any other host may have a private address.
_PUBLIC: Final = (
    "docker.com",
    "docker.io",
    "quay.io",
    "ghcr.io",
    "githubusercontent.com",
    "registry.k8s.io",
    "k8s.io",
    "pkg.dev",
    "gcr.io",
    "googleapis.com",
    "mcr.microsoft.com",
    "registry.gitlab.com",
    "cloudfront.net",
    "cloudflarestorage.com",
)


def destination_seen(
    sighting: Sighting, expected: tuple[Destination, ...], registry: RegistryPlace
) -> Destination | None:
    """Return the destination that the message is about: one of `expected`, or another one. None if it does not say."""
    host = sighting.host
    if not host:
        return next((each for each in expected if each.stage is sighting.stage), None)
    for each in expected:
        if host == each.host or (not each.service and host.endswith(f".{each.host}")):
            return each
    return _of_ecr(host, expected, registry) or Destination(
        sighting.stage or Stage.MANIFEST, host, registry.region, "", versions=(4, 6), foreign=True
    )


def _of_ecr(host: str, expected: tuple[Destination, ...], registry: RegistryPlace) -> Destination | None:
    """Return the destination of a host of ECR, of its API or of its layer buckets. None for any other host."""
    if found := read_private_host(host):
        _, manifest, *_ = destinations(RegistryPlace(host, found.region or registry.region))
        return manifest
    if match := _TOKEN_HOST.fullmatch(host):
        kind, region = match[1], match[2]
        versions = (4, 6) if "api.a" in host else (4,)
        return Destination(
            Stage.TOKEN, host, region, "ecr.api", kind == "api.ecr", versions, fips=kind.endswith("-fips")
        )
    if match := _BUCKET.fullmatch(host):
        same = (each for each in expected if each.host.partition(".")[0] == host.partition(".")[0])
        return next(same, None) or Destination(Stage.LAYER, host, match[1], "s3", "dualstack" not in match[2])
    return None


def is_unexamined(destination: Destination) -> bool:
    """Return whether nothing is known of a host but its name: it may be private, or an endpoint may serve it."""
    host = destination.host
    return destination.foreign and not any(host == each or host.endswith(f".{each}") for each in _PUBLIC)


def may_be_mirror(destination: Destination) -> bool:
    """Return whether the host may serve images in the registry's place, as a mirror does."""
    return is_unexamined(destination) and not destination.host.endswith(_OF_AWS)
