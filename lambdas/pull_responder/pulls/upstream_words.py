"""What ECR says of an upstream registry, in its event on a pull through cache or in its answer to the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure

# Amazon ECR API Reference, ImageFailure (UpstreamAccessDenied, UpstreamTooManyRequests, UpstreamUnavailable) and
# BatchGetImage (UnableToGetUpstreamImageException). Nodes get "The authentication to the upstream registry failed"
# (aws/containers-roadmap#2354).
_UPSTREAM: Final = ("upstream registry", "upstream image", "upstreamaccessdenied", "upstreamunavailable")
_THROTTLED: Final = ("toomanyrequests", "too many requests", "rate limit")


def blames_upstream(pull: PullFailure) -> bool:
    """Return whether a message blames the upstream registry."""
    return bool(pull.upstream_failure) or any(words in (pull.message or "").lower() for words in _UPSTREAM)


def is_throttled(pull: PullFailure) -> bool:
    """Return whether a message says that the upstream registry throttled the requests."""
    return any(words in (pull.upstream_failure or "").lower() for words in _THROTTLED)
