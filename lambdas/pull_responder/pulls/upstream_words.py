"""What ECR says of an upstream registry: in its event on a pull through cache, or in its answer to the node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure

# Amazon ECR API Reference, ImageFailure (UpstreamAccessDenied, UpstreamTooManyRequests, UpstreamUnavailable) and
# BatchGetImage (UnableToGetUpstreamImageException); "The authentication to the upstream registry failed" is what nodes
# get (aws/containers-roadmap#2354).
_UPSTREAM: Final = ("upstream registry", "upstream image", "upstreamaccessdenied", "upstreamunavailable")
_THROTTLED: Final = ("toomanyrequests", "too many requests", "rate limit")


def speaks_of_upstream(pull: PullFailure) -> bool:
    """Return whether somebody said that the upstream registry is at fault."""
    return bool(pull.upstream_failure) or any(words in (pull.message or "").lower() for words in _UPSTREAM)


def is_throttled(pull: PullFailure) -> bool:
    """Return whether the upstream registry is said to have had too many requests."""
    return any(words in (pull.upstream_failure or "").lower() for words in _THROTTLED)
