"""A row of the table of messages: what kubelet said, and what all ways must say of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.handlers.test_signals import REGISTRY

DIGEST = f"sha256:{'a' * 64}"
HEAD = 'failed to do request: Head "https://{host}/v2/{name}/manifests/v1": '
LAYER = "failed to copy: httpReadSeeker: failed open: "


@dataclass(frozen=True, slots=True)
class Row:
    """A message of kubelet, and what all ways say of it.

    - `error` is what follows "Failed to pull image …: "; {host}, {name} and {image} stand for the image's.
    - `causes` are those found. Without any, `undecided` is one that is left, and its reason holds `why`.
    - `pushed`: the repository has the image.
    - `whole`: `error` is the whole message.
    - `in_spoke`: the node is in a spoke of a hub; else nothing about it is broken.
    - `shut_in`: no route leads out of the node's VPC, and its role may do nothing.
    - `ruled_out` are causes that no way names, neither as found nor as left.
    """

    name: str
    error: str
    symptom: str
    stage: str | None = None
    causes: tuple[str, ...] = ()
    undecided: str = ""
    why: str = ""
    in_spoke: bool = False
    reason: str = "Failed"
    whole: bool = False
    pushed: bool = True
    shut_in: bool = False
    ruled_out: frozenset[str] = frozenset()

    def text(self, name: str) -> str:
        image = f"{REGISTRY}/{name}:v1"
        prefix = "" if self.whole else 'Failed to pull image "{image}": '
        said = (prefix + self.error).replace("{image}", image)
        return said.replace("{host}", REGISTRY).replace("{name}", name)


RESOLVE = 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
UNPACK = 'failed to pull and unpack image "{image}": '
