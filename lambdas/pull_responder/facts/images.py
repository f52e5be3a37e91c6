"""A repository's images, as ECR returns them.

All but one of these reads leave no trace. `read_platforms` calls ecr:BatchGetImage, the only call that returns a
manifest. ECR counts it as a pull. It makes a pull through cache fetch a missing image from the upstream registry, and
it sets the image's last recorded pull time (Amazon ECR User Guide, "Pull-time update exclusions"). `platforms` in
registry_facts.py decides when it may be called.
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef, ImageIdentifierTypeDef

    from pull_responder.facts.reader import Reader

REPOSITORY_PERMISSIONS: Final = ("ecr:DescribeRepositories",)
IMAGE_PERMISSIONS: Final = ("ecr:DescribeImages", "ecr:ListImages")
MANIFEST_PERMISSIONS: Final = ("ecr:BatchGetImage",)

ACTIVE: Final = "ACTIVE"
ARCHIVED: Final = "ARCHIVED"
# The two media types of a manifest that lists others, one for each platform.
INDEX_TYPES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_NO_REPOSITORY: Final = frozenset({"RepositoryNotFoundException"})
MOST_NEW: Final = 3
"""How many of the newest tags are told."""

# Ten pages.
_MOST_DESCRIBED: Final = 10_000
_PAGE: Final = {"PageSize": 1000}


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository. `key_arn` is the KMS key that encrypts it, None where KMS does not."""

    arn: str
    name: str
    key_arn: str | None = None


@dataclass(frozen=True, slots=True)
class ImageName:
    """The image's name in the pod. A digest outranks a tag: nodes then resolve the image by the digest alone."""

    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its manifest's digest. `status` is "ACTIVE", "ARCHIVED" or "ACTIVATING". `size` is in bytes.

    `pushed_at` is when it was last pushed, None where ECR does not say.
    """

    digest: str
    media_type: str | None = None
    status: str = ACTIVE
    size: int | None = None
    pushed_at: datetime | None = None

    @property
    def is_index(self) -> bool:
        """Whether the manifest is a list of manifests, one for each platform."""
        return self.media_type in INDEX_TYPES


@dataclass(frozen=True, slots=True)
class NewTag:
    """A tag, and when the image that has it was pushed."""

    name: str
    pushed_at: datetime

    def __str__(self) -> str:
        return f"{self.name} ({self.pushed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})"


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system and architecture, in Go's words ("linux", "amd64")."""

    os: str
    architecture: str

    def __str__(self) -> str:
        return f"{self.os}/{self.architecture}"


def read_repository(reader: Reader, account: str, region: str, name: str) -> Repository | Unread | None:
    """Return the repository, None if this registry has none of this name."""

    def request(client: ECRClient) -> Repository | None:
        found = client.describe_repositories(registryId=account, repositoryNames=[name])["repositories"]
        if not found:
            return None
        encryption = found[0].get("encryptionConfiguration", {})
        return Repository(found[0]["repositoryArn"], name, encryption.get("kmsKey"))

    return reader.call(
        "ecr:DescribeRepositories", account=account, region=region, request=request, absent=_NO_REPOSITORY
    )


def read_repository_names(reader: Reader, account: str, region: str) -> tuple[str, ...] | Unread:
    """Return the names of all repositories of a registry."""

    def request(client: ECRClient) -> tuple[str, ...]:
        found = pages(client, "describe_repositories", "repositories", registryId=account, PaginationConfig=_PAGE)
        return tuple(each["repositoryName"] for each in found)

    return reader.call("ecr:DescribeRepositories", account=account, region=region, request=request) or ()


def read_image(reader: Reader, account: str, region: str, wanted: ImageName) -> Image | Unread | None:
    """Return the image of this name. None if the repository or the image does not exist.

    Inference: AWS does not document whether a tag finds an archived image. So an image that is not found by its tag
    may be archived: read_archived tells.
    """
    by: ImageIdentifierTypeDef = {"imageDigest": wanted.digest} if wanted.digest else {"imageTag": wanted.tag or ""}

    def request(client: ECRClient) -> Image | None:
        answer = client.describe_images(registryId=account, repositoryName=wanted.repository, imageIds=[by])
        found = answer["imageDetails"]
        return _image(found[0]) if found else None

    return reader.call(
        "ecr:DescribeImages",
        account=account,
        region=region,
        request=request,
        absent=_NO_REPOSITORY | {"ImageNotFoundException"},
    )


def _image(found: ImageDetailTypeDef) -> Image:
    return Image(
        digest=found["imageDigest"],
        media_type=found.get("imageManifestMediaType"),
        status=found.get("imageStatus", ACTIVE),
        size=found.get("imageSizeInBytes"),
        pushed_at=found.get("imagePushedAt"),
    )


def read_tags(reader: Reader, account: str, region: str, name: str) -> tuple[str, ...] | Unread:
    """Return the tags of the repository's images that can be pulled."""
    found = _list(reader, account, region, name, {"tagStatus": "TAGGED"})
    return found if isinstance(found, Unread) else tuple(tag for tag, _ in found if tag)


def read_newest_tags(reader: Reader, account: str, region: str, name: str) -> tuple[NewTag, ...] | Unread | None:
    """Return the tags of the images that were pushed last, the newest first. None for a repository too large to tell.

    ECR lists images in no order, so only who reads all of them knows the newest. Of a large repository that would take
    as long as the rest of a diagnosis.
    """

    def request(client: ECRClient) -> tuple[NewTag, ...] | None:
        where = {"registryId": account, "repositoryName": name}
        # One more than is read, which shows that there are more.
        limit = {**_PAGE, "MaxItems": _MOST_DESCRIBED + 1}
        chosen = {"tagStatus": "TAGGED"}
        found = pages(client, "describe_images", "imageDetails", **where, filter=chosen, PaginationConfig=limit)
        if len(found) > _MOST_DESCRIBED:
            return None
        tagged = ((each.get("imagePushedAt"), tag) for each in found for tag in each.get("imageTags", []))
        timed = (NewTag(tag, pushed_at) for pushed_at, tag in tagged if pushed_at is not None)
        return tuple(heapq.nsmallest(MOST_NEW, timed, key=lambda each: (-each.pushed_at.timestamp(), each.name)))

    return reader.call("ecr:DescribeImages", account=account, region=region, request=request, absent=_NO_REPOSITORY)


def read_archived(reader: Reader, account: str, region: str, wanted: ImageName) -> str | Unread | None:
    """Return the digest of the archived image of this name, None if there is none.

    Source: Amazon ECR API Reference, ListImagesFilter. Without imageStatus only active images are listed.
    """
    found = _list(reader, account, region, wanted.repository, {"imageStatus": ARCHIVED})
    if isinstance(found, Unread):
        return found
    same = (digest for tag, digest in found if (digest == wanted.digest if wanted.digest else tag == wanted.tag))
    return next(filter(None, same), None)


def _list(
    reader: Reader, account: str, region: str, name: str, chosen: dict[str, str]
) -> tuple[tuple[str | None, str | None], ...] | Unread:
    def request(client: ECRClient) -> tuple[tuple[str | None, str | None], ...]:
        where = {"registryId": account, "repositoryName": name}
        found = pages(client, "list_images", "imageIds", **where, filter=chosen, PaginationConfig=_PAGE)
        return tuple((each.get("imageTag"), each.get("imageDigest")) for each in found)

    listed = reader.call("ecr:ListImages", account=account, region=region, request=request, absent=_NO_REPOSITORY)
    return () if listed is None else listed


def read_platforms(
    reader: Reader, account: str, region: str, name: str, digest: str
) -> tuple[Platform | None, ...] | Unread | None:
    """Return the platforms that an image index lists. None if the image is gone.

    An entry without a platform is None. Attestations, which have the platform unknown/unknown, are left out. Source:
    OCI image specification, "Image Index".
    """

    def request(client: ECRClient) -> str | None:
        answer = client.batch_get_image(
            registryId=account,
            repositoryName=name,
            imageIds=[{"imageDigest": digest}],
            acceptedMediaTypes=list(INDEX_TYPES),
        )
        return answer["images"][0].get("imageManifest") if answer["images"] else None

    text = reader.call("ecr:BatchGetImage", account=account, region=region, request=request, absent=_NO_REPOSITORY)
    if text is None or isinstance(text, Unread):
        return text
    try:
        document = json.loads(text)
        listed = document["manifests"]
        return tuple(platform for entry in listed if (platform := _platform(entry)) != Platform("unknown", "unknown"))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return Unread(
            Reason(
                f"the manifest of {digest} is no image index: {type(error).__name__}",
                f"Run `docker buildx imagetools inspect` on the image with the digest {digest}.",
            )
        )


def _platform(entry: dict[str, Any]) -> Platform | None:
    platform = entry.get("platform") or {}
    os, architecture = platform.get("os"), platform.get("architecture")
    return Platform(os, architecture) if isinstance(os, str) and isinstance(architecture, str) else None
