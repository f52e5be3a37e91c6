"""Find URLs in a runtime's messages: the stage of the pull that each belongs to, and the image that it names.

Sources of the paths: OCI distribution specification (https://github.com/opencontainers/distribution-spec). Sources of
the hosts of layer buckets and of the ECR API: ECR User Guide, "Amazon ECR interface VPC endpoints"; AWS General
Reference, "Amazon ECR endpoints and quotas".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pull_responder.events.image_reference import ImageReference, parse_image
from pull_responder.events.registry_hosts import read_private_host
from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.model.pull import ECR_PUBLIC_HOSTS, Stage

# People and documentation use placeholders: "https://<account id>.dkr.ecr...".
_URL: Final = re.compile(
    r"(?<![A-Za-z0-9])https?://((?:<[a-zA-Z_ -]{1,60}>)?[^\s/?#\"'<>@]{1,300})(/[^\s?#\"'<>]{0,2048})?"
)
_LAYER_HOST: Final = re.compile(r"prod-[a-z0-9-]{1,60}-starport-layer-bucket\.|[a-z0-9]{1,40}\.cloudfront\.net$")
_BUCKET_HOST: Final = re.compile(r"prod-[a-z0-9-]{1,60}-starport-layer-bucket\.")
# Dual-stack domains of APIs: the AWS SDK's partitions.json.
_API_SUFFIXES: Final = "|".join(
    re.escape(each)
    for each in sorted({*DNS_SUFFIXES.values(), "api.aws", "api.amazonwebservices.com.cn", "api.amazonwebservices.eu"})
)
_TOKEN_HOST: Final = re.compile(
    rf"(?:api\.ecr[.-]|ecr(?:-fips|-public)?\.|sts[.-])(?:[a-z0-9.-]{{1,100}}\.)?(?:{_API_SUFFIXES})(?::[0-9]{{1,5}})?$|"
    r"auth\.docker\.io(?::[0-9]{1,5})?$|169\.254\.169\.254|\[fd00:ec2::254\]"
)
_METADATA_HOSTS: Final = frozenset({"169.254.169.254", "[fd00:ec2::254]", "169.254.170.2", "169.254.170.23"})
_V2: Final = re.compile(r"/v2(?:/|$)")


@dataclass(frozen=True, slots=True)
class RegistryUrl:
    """One URL. `stage` is the stage of a pull that requests it, None if no pull does. `image` is the image it names."""

    host: str
    stage: Stage | None
    image: ImageReference | None

    @property
    def is_metadata(self) -> bool:
        """Whether the node's metadata service, or the agent of EKS Pod Identity, answers here with credentials."""
        return self.host.partition(":80")[0] in _METADATA_HOSTS

    @property
    def is_layer_bucket(self) -> bool:
        """Whether the host is the storage of layers (Amazon S3 or CloudFront), not the registry."""
        return _LAYER_HOST.match(self.host) is not None


def find_urls(text: str) -> list[RegistryUrl]:
    """Return the URLs in `text`, in order. Query strings are ignored."""
    return [_read(match[1].lower(), (match[2] or "").rstrip(":,.;)]")) for match in _URL.finditer(text)]


def is_of_ecr(host: str) -> bool:
    """Return whether a host, given without port, is one of ECR: a registry, the API or the storage of its layers."""
    if read_private_host(host) or host in ECR_PUBLIC_HOSTS:
        return True
    return host.startswith(("api.ecr", "ecr.", "ecr-")) or _BUCKET_HOST.match(host) is not None


def _read(host: str, path: str) -> RegistryUrl:
    if _LAYER_HOST.match(host):
        return RegistryUrl(host, Stage.LAYER, None)
    if _TOKEN_HOST.match(host) or path.rstrip("/").endswith("/token"):
        return RegistryUrl(host, Stage.TOKEN, None)
    if not _V2.match(path):
        return RegistryUrl(host, None, None)
    repository, kind, reference = _split(path.removeprefix("/v2/"))
    if kind == "blobs":
        return RegistryUrl(host, Stage.LAYER, parse_image(f"{host}/{repository}"))
    # A request of /v2/ alone checks that the registry answers. It takes the same network path as the manifest.
    mark = "@" if ":" in reference else ":"
    image = parse_image(f"{host}/{repository}{mark}{reference}") if kind and reference else None
    return RegistryUrl(host, Stage.MANIFEST, image)


def _split(path: str) -> tuple[str, str, str]:
    """Return the repository, "manifests" or "blobs", and the tag or digest. Repositories may have these words, too."""
    rest, _, reference = path.rpartition("/")
    repository, _, kind = rest.rpartition("/")
    return (repository, kind, reference) if repository and kind in ("manifests", "blobs") else ("", "", "")
