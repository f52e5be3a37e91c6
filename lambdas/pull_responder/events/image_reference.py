"""Parse image references, which pods have in `image:`.

Grammar: distribution/reference (https://pkg.go.dev/github.com/distribution/reference), which kubelet and the container
runtimes use, and the ECR API model for names of ECR repositories. A reference with a spelling mistake is parsed as far
as possible, and `problem` says what is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from pull_responder.events import names
from pull_responder.events.redaction import redact
from pull_responder.events.registry_hosts import is_nearly_private, read_private_host
from pull_responder.model.pull import ECR_PUBLIC_HOSTS

TEXT_LIMIT: Final = 1024
"""The longest reference that is read, in characters. The longest valid one, with tag and digest, is shorter."""

_DOCKER_HUB: Final = "docker.io"
_SCHEMES: Final = ("https://", "http://", "docker://", "oci://")

_WORD: Final = re.compile(r"[\x21-\x7e]++")
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9._:/@+\[\]-]")
# No character can be both a separator and part of a label. So there is only one way to match, without backtracking.
_HOST: Final = re.compile(r"[A-Za-z0-9]++(?:-++[A-Za-z0-9]++|\.[A-Za-z0-9]++)*+|\[[0-9A-Fa-f:]{2,39}\]")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_PATH: Final = re.compile(r"[a-z0-9]++(?:(?:[._/]|__|-++)[a-z0-9]++)*+")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")

_PATH_LIMIT: Final = 255
_PORT_LIMIT: Final = 65535


class RegistryKind(Enum):
    """The kind of registry that an image is in."""

    ECR_PRIVATE = auto()
    ECR_PUBLIC = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image reference.

    - `text`: the reference as written.
    - `host`, `repository`: in full for Docker Hub, too ("nginx" is library/nginx of docker.io).
    - `tag`, `digest`: None if absent. Without both, a pull uses the tag "latest".
    - `problem`: the spelling mistake, in a few words, because of which no runtime can pull it; else None.
    - `registry_account`, `region`, `partition`, `fips`, `dual_stack`: from the host of a private ECR registry. None and
      False for other registries, and where the host is spelt wrong.
    """

    text: str
    kind: RegistryKind
    host: str
    port: int | None
    repository: str
    tag: str | None
    digest: str | None
    problem: str | None
    registry_account: str | None
    region: str | None
    partition: str | None
    fips: bool
    dual_stack: bool

    @property
    def registry_host(self) -> str | None:
        """The host, with its port if any, of an ECR registry. None for a private registry's default host."""
        plain = self.kind is RegistryKind.ECR_PRIVATE and not (self.fips or self.dual_stack or self.port)
        if self.kind is RegistryKind.OTHER or plain:
            return None
        return f"{self.host}:{self.port}" if self.port else self.host

    def __str__(self) -> str:
        return self.text


def parse_image(text: str) -> ImageReference | None:
    """Return the image reference in `text`, or None if it is not one at all.

    White space around it is ignored. Text with white space inside, or with a credential, is not a reference.
    """
    text = text.strip()
    if len(text) > TEXT_LIMIT or not _WORD.fullmatch(text) or redact(text) != text:
        return None
    scheme = next((scheme for scheme in _SCHEMES if text.startswith(scheme)), "")
    name, at, digest = text[len(scheme) :].partition("@")
    domain, path = _split_domain(name)
    path, colon, tag = path.partition(":")
    host, port = _split_port(domain)
    if not any(map(str.isalnum, path if host == _DOCKER_HUB else domain)):
        return None
    private = read_private_host(host)
    kind = RegistryKind.OTHER
    if private or host.lower() in ECR_PUBLIC_HOSTS:
        kind = RegistryKind.ECR_PRIVATE if private else RegistryKind.ECR_PUBLIC
    problem = (
        _scheme_problem(scheme)
        or _character_problem(text[len(scheme) :])
        or _host_problem(host, port)
        or (private.problem if private else _nearly_problem(host))
        or _path_problem(path, kind)
        or (_tag_problem(tag) if colon else None)
        or (_digest_problem(digest) if at else None)
    )
    return ImageReference(
        text=text,
        kind=kind,
        host=host,
        port=int(port) if port and _PORT.fullmatch(port) else None,
        repository=f"library/{path}" if host == _DOCKER_HUB and "/" not in path else path,
        tag=tag or None,
        digest=digest or None,
        problem=problem,
        registry_account=private.account if private else None,
        region=private.region if private else None,
        partition=private.partition if private else None,
        fips=private.fips if private else False,
        dual_stack=private.dual_stack if private else False,
    )


def _split_domain(name: str) -> tuple[str, str]:
    """Return the host with its port, and the rest. The first part is a host if it cannot be a name on Docker Hub."""
    head, slash, rest = name.partition("/")
    host = head.partition(":")[0]
    if not slash and (read_private_host(host) or is_nearly_private(host)):
        # A runtime would look for this on Docker Hub. But the author meant an ECR host and forgot the repository.
        return host, ""
    if slash and ("." in head or ":" in head or head == "localhost" or head != head.lower()):
        return (_DOCKER_HUB if head == "index.docker.io" else head), rest
    return _DOCKER_HUB, name


def _split_port(domain: str) -> tuple[str, str | None]:
    if domain.endswith("]"):
        return domain, None
    host, colon, port = domain.rpartition(":")
    return (host, port) if colon else (domain, None)


def _scheme_problem(scheme: str) -> str | None:
    return f"an image reference does not begin with {scheme!r}" if scheme else None


def _character_problem(written: str) -> str | None:
    foreign = _FOREIGN.search(written)
    return f"an image reference cannot contain the character {foreign[0]!r}" if foreign else None


def _host_problem(host: str, port: str | None) -> str | None:
    if not _HOST.fullmatch(host):
        return f"{host!r} is not a valid host"
    if port is not None and not (_PORT.fullmatch(port) and 0 < int(port) <= _PORT_LIMIT):
        return f"{port!r} is not a valid port"
    return None


def _nearly_problem(host: str) -> str | None:
    if not is_nearly_private(host):
        return None
    return "an image in Amazon ECR is written 123456789012.dkr.ecr.us-east-1.amazonaws.com/name:tag; this host differs"


def _path_problem(path: str, kind: RegistryKind) -> str | None:
    if not path:
        return "it names a registry but no repository"
    if path != path.lower():
        return f"the repository {path!r} has upper case letters"
    if not _PATH.fullmatch(path):
        return f"{path!r} is not a repository name: lower case letters and digits, joined by . _ - or /"
    if len(path) > _PATH_LIMIT:
        return f"the repository name is longer than {_PATH_LIMIT} characters"
    too_short = kind is RegistryKind.ECR_PRIVATE and not names.repository(path)
    return f"{path!r} is too short for a repository of Amazon ECR" if too_short else None


def _tag_problem(tag: str) -> str | None:
    if not tag:
        return "the tag after the colon is missing"
    if not _TAG.fullmatch(tag):
        return f"{tag!r} is not a tag: up to 128 letters, digits, _ . or -, beginning with a letter, a digit or _"
    return None


def _digest_problem(digest: str) -> str | None:
    return None if names.digest(digest) else f"{digest!r} is not a digest: sha256: and 64 hexadecimal digits"
