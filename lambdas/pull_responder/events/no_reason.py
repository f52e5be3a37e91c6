"""Recognize texts that do not say why a pull failed, and what they say in place of it.

kubelet shows a pod's state in one word, such as ImagePullBackOff. Some of its words mean that it asked no registry
(kubernetes pkg/kubelet/images, types.go and image_manager.go).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from pull_responder.events.http_statuses import STATUS_TEXTS
from pull_responder.events.kubelet_link import says


class NoReason(StrEnum):
    """What a text says in place of the reason of a failed pull, as the predicate of "this text"."""

    OTHER_MATTER = "is not about a failed image pull"
    NOT_SAID = "does not say why a pull failed: take the message from the Events of `kubectl describe pod`"
    NEVER_PULLED = (
        "says that the image is not on the node, and that no registry was asked: the imagePullPolicy is Never"
    )
    NOT_INSPECTED = "says that the node could not tell whether it has the image, before any registry was asked"
    MISSPELT = "says that the image is spelt wrong, so that no registry was asked"


UNASKED: Final = frozenset({NoReason.NEVER_PULLED, NoReason.NOT_INSPECTED, NoReason.MISSPELT})
"""Those that mean that the node asked no registry."""

_PHRASES: Final = (
    (NoReason.NEVER_PULLED, ("is not present with pull policy of never",)),
    (NoReason.NOT_INSPECTED, ("failed to inspect image",)),
    (
        NoReason.MISSPELT,
        (
            "failed to apply default image tag",
            "couldn't parse image reference",
            "failed to parse image reference",
            "invalid reference format",
        ),
    ),
    (
        NoReason.OTHER_MATTER,
        (
            "failed to setup network for sandbox",
            "failed to set up sandbox container",
            "error received from addnetwork grpc call",
            "probe failed",
            "denied the request",  # an admission webhook
            "mountvolume.setup failed",
            "unable to attach or mount volumes",
            "failed to create containerd task",
            "failed to create shim task",
            "failed to start container",
            # Argo CD makes manifests of another kind (reposerver/repository, controller/state.go).
            "failed to generate manifest",
            "failed to load target state",
            "manifest generation error",
        ),
    ),
)


def _word(*names: str) -> re.Pattern[str]:
    """Return a pattern of one of kubelet's reasons as a word by itself, not as a part of a pod's name."""
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(names)})(?![\w.-])", re.IGNORECASE)


# In the order of what helps most: of some pods of a table there is more to be read.
_REASONS: Final = (
    (NoReason.NOT_SAID, _word("ErrImagePull", "ImagePullBackOff", "RegistryUnavailable")),
    (NoReason.NEVER_PULLED, _word("ErrImageNeverPull")),
    (NoReason.NOT_INSPECTED, _word("ImageInspectError")),
    (NoReason.MISSPELT, _word("InvalidImageName")),
)
_STATUS: Final = re.compile(
    r"(?:(?:error|failed|got|with|http(?:/[0-9.]{1,3})?|unexpected|response|status|code)[\s:=]{1,3}){0,6}"
    r"[45][0-9]{2}(?:[\s:-]{1,3}([a-z ]{1,40}))?",
    re.IGNORECASE,
)


def no_reason_of_link(words: list[str]) -> NoReason | None:
    """Return what a link of a chain says that has nothing to do with the registry, None if it says nothing such."""
    return next((what for what, phrases in _PHRASES if says(words, phrases)), None)


def no_reason_of_text(text: str) -> NoReason:
    """Return what a text says that names neither an image nor an error of a pull."""
    by_reason = next((what for what, reason in _REASONS if reason.search(text)), None)
    return by_reason or (NoReason.NOT_SAID if _is_bare_status(text.strip(" .:\"'")) else NoReason.OTHER_MATTER)


def _is_bare_status(text: str) -> bool:
    """Whether a text is an HTTP status of an error and no more: whose answer it was, and to what, is not said."""
    status = _STATUS.fullmatch(text)
    named = text if status is None else status[1]
    return named is None or STATUS_TEXTS.get(named.lower(), "").startswith(("4", "5")) or named.lower() == "not found"
