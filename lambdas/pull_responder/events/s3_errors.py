"""Errors of Amazon S3, where a runtime shows what S3 answered to the request for a layer."""

from __future__ import annotations

import re
from typing import Final

from pull_responder.events.meaning import Meaning
from pull_responder.model.pull import Answer, Symptom

_CODES: Final = {
    "AccessDenied": Meaning(Symptom.ACCESS_DENIED),
    "RequestTimeTooSkewed": Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL),
    "SignatureDoesNotMatch": Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL),
    "InvalidAccessKeyId": Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL),
    "AuthorizationQueryParametersError": Meaning(Symptom.REGISTRY_ERROR, answer=Answer.SIGNED_URL),
    "ExpiredToken": Meaning(Symptom.REGISTRY_ERROR, answer=Answer.SIGNED_URL),
    "InvalidToken": Meaning(Symptom.REGISTRY_ERROR, answer=Answer.SIGNED_URL),
    "NoSuchBucket": Meaning(Symptom.NOT_FOUND, answer=Answer.OBJECT),
    "NoSuchKey": Meaning(Symptom.NOT_FOUND, answer=Answer.OBJECT),
    "NoSuchVersion": Meaning(Symptom.NOT_FOUND, answer=Answer.OBJECT),
    "InternalError": Meaning(Symptom.REGISTRY_ERROR),
    "ServiceUnavailable": Meaning(Symptom.REGISTRY_ERROR),
    "SlowDown": Meaning(Symptom.REGISTRY_ERROR),
}
"""Error codes of Amazon S3, with the kind of HTTP status that each has (Amazon S3 API Reference, "Error responses")."""

_URL_EXPIRED: Final = "request has expired"
"""S3's message with AccessDenied where a signed URL is too old (re:Post, "Why is my presigned URL for an Amazon S3
bucket expiring before the expiration time that I specified?")."""

_KEY_REFUSED: Final = re.compile(r"\bkms\b|customer master key", re.IGNORECASE)
"""What S3's code or message has where the KMS key is the reason."""

# S3 answers in XML. A line break of it has become a separator of links.
_ERROR: Final = re.compile(
    r"<Error>[:\s]{0,8}<Code>([A-Za-z.]{1,60})</Code>(?:[:\s]{0,8}<Message>([^<]{0,500}))?", re.IGNORECASE
)


# The start of such an answer, which CRI-O cuts (containers/image, docker/errors.go). ECR's own answers are JSON.
_START: Final = re.compile(r"<\?xml[^>]{0,80}>[:\s]{0,8}<Error>")


def is_from_s3(text: str) -> bool:
    """Return whether `text` has the start of an answer of S3."""
    return _START.search(text) is not None


def read_s3_error(text: str) -> Meaning | None:
    """Return the meaning of S3's error in `text`, None where it has none. `text` has no escapes."""
    found = None
    for found in _ERROR.finditer(text):  # noqa: B007 -- the last one is wanted
        pass
    if found is None:
        return None
    code, message = found[1], found[2] or ""
    meaning = _CODES.get(code, Meaning(Symptom.UNKNOWN, answer=Answer.HTTP))
    if _KEY_REFUSED.search(f"{code} {message}"):
        return Meaning(Symptom.ACCESS_DENIED, answer=Answer.KEY)
    if code == "AccessDenied" and message.lower().startswith(_URL_EXPIRED):
        return meaning._replace(answer=Answer.SIGNED_URL)
    return meaning


def read_s3_words(link: str) -> Meaning | None:
    """Return the meaning of a link of a message about S3's answer, where it is a code of S3 or the message of one."""
    words = link.strip("\"' .")
    if words.lower().startswith(_URL_EXPIRED):
        return Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL)
    return _CODES.get(words)
