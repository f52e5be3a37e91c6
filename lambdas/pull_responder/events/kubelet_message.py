"""Parse the messages of kubelet and container runtimes about a failed pull: from pods, events and log lines.

A message is one chain of Go errors (kubelet_chain.py), or several where a runtime or kubelet tried again. The one that
got furthest decides. An unknown message gives Symptom.UNKNOWN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from pull_responder.events.cloudtrail import PULL_STAGES
from pull_responder.events.denial import parse_denial
from pull_responder.events.image_reference import ImageReference
from pull_responder.events.kubelet_chain import LINK, NOT_AUTHORIZED, Chain
from pull_responder.events.kubelet_image import find_image
from pull_responder.events.kubelet_link import says, words_of
from pull_responder.events.kubelet_phrases import NO_FAILURE, SIGNATURE_REJECTED
from pull_responder.events.no_reason import NoReason, no_reason_of_link, no_reason_of_text
from pull_responder.events.redaction import join_wrapped, redact
from pull_responder.events.registry_urls import RegistryUrl, is_of_ecr
from pull_responder.events.sighting import read_sighting
from pull_responder.model.pull import Answer, Denial, Stage, Symptom
from pull_responder.model.sighting import Sighting

TEXT_LIMIT: Final = 8192
"""The number of characters of a message that are read. Kubernetes cuts event messages at 1024."""

_PLAIN_QUOTES: Final = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
_ESCAPED_QUOTE: Final = re.compile(r"(?<!\\)\\++(?=[\"'])")
_LINE_BREAK: Final = re.compile(r"\r?\n|(?<!\\)\\++[nr]")
# A line that is wrapped between two words goes on with a blank: no error begins there.
_WRAP: Final = re.compile(r"(?<=[A-Za-z0-9,]) ?\r?\n[ \t]{2,40}(?=[a-z(])")
# The query of a URL holds its signature and says nothing about the failure. A colon after it separates links.
_QUERY: Final = re.compile(r"(?<=://)([^\s?\"'<>]++)\?([^\s\"'<>]*+)")
_PADDED_NAME: Final = re.compile(r"\"([^\"\s]++) ++\"")

# CRI-O tries mirrors before the registry: its last attempt counts. Its extra attempt to read the image as an artifact
# says nothing about the image.
_MIRROR: Final = re.compile(r"\]\): ")
# kubelet tries one credential after the other and joins the errors. Without the prefix "rpc error: code = Unknown desc
# = ", each error begins as the runtime begins it.
_CREDENTIAL: Final = re.compile(
    r", (?:rpc error: (?=code = )|(?=(?:failed to pull and unpack image|unable to pull image|initializing source|Error "
    r"response from daemon)\b))"
)
_ARTIFACT_ATTEMPT: Final = "; artifact err: "

# AWS's words may stand in somebody else's text: an end of a quote, of JSON or of XML comes right after the action.
_ACTION: Final = re.compile(r"ecr(?:-public)?:[A-Za-z]{1,64}(?![\w*]|[<:]\w)")

_PULL: Final = re.compile(r"\bpull(?:ing|ed)?\b", re.IGNORECASE)
_POD_SANDBOX: Final = "pod sandbox"
# The event before a pull. kubelet's other events have "pulling" in lower case.
_PULLING: Final = re.compile(r"\bPulling image \"[^\"\s]++\"\W*+$")
_FAILED: Final = re.compile(r"fail|ErrImagePull|BackOff|Back-off", re.IGNORECASE)
# CRI-O puts this before the registry's error. The redaction of passwords would remove that error, too.
_LOGIN_REFUSED: Final = ("invalid username/password: ", "invalid username or password, ")


# Answers that mean the same whatever host was asked last.
_WHATEVER_HOST: Final = frozenset({Answer.MIRROR, Answer.STORAGE, Answer.FILE, Answer.RUNTIME, Answer.LOCAL})


@dataclass(frozen=True, slots=True)
class KubeletMessage:
    """The meaning of one message.

    - `symptom`, `stage`: what failed, and how far the pull had come.
    - `image`: the image as the pod names it. It may be spelt wrong; see its `problem`.
    - `denial`: AWS's denial, if the runtime passed it on.
    - `error_code`: the registry's error code ("name unknown", "manifest unknown", "denied", ...), if there is one.
    - `no_reason`: what the text says in place of why an image could not be pulled. None if it says why.
    - `answer`: what the text shows of an answer, where the symptom does not say it. None if it shows nothing.
    - `sighting`: the host, address and DNS server of the connection that failed. Empty if the text tells none.
    """

    symptom: Symptom
    stage: Stage | None
    image: ImageReference | None
    denial: Denial | None = None
    error_code: str | None = None
    no_reason: NoReason | None = None
    answer: Answer | None = None
    sighting: Sighting = field(default_factory=Sighting)

    @property
    def tells_of_pull(self) -> bool:
        """Whether the text says why an image could not be pulled."""
        return self.no_reason is None


@lru_cache(maxsize=64)
def read_message(text: str) -> KubeletMessage:
    """Return the meaning of a message. Any text is accepted. Characters beyond TEXT_LIMIT are ignored.

    Several readers ask for the same message, and thousands of pods may have it, so the latest answers are kept.
    """
    text = plain_text(text)
    whole = text.partition(_ARTIFACT_ATTEMPT)[0]
    links = [words_of(link) for link in LINK.split(text)]
    if any(says(words, SIGNATURE_REJECTED) for words in links):
        return KubeletMessage(Symptom.SIGNATURE_REJECTED, None, find_image(text, None))
    if other := next(filter(None, map(no_reason_of_link, links)), None):
        return KubeletMessage(Symptom.UNKNOWN, None, find_image(text, _denial(whole)), no_reason=other)
    attempts = [_MIRROR.split(each)[-1] for each in _CREDENTIAL.split(whole)]
    denials = [_denial(each) for each in attempts]
    image = next((found for denial in (*denials, None) if (found := find_image(text, denial))), None)
    if image is None and _POD_SANDBOX in text.lower():
        # A pod sandbox can fail for other reasons, such as its network. If its image is at fault, the message names it.
        return KubeletMessage(Symptom.UNKNOWN, None, None, no_reason=NoReason.OTHER_MATTER)
    chains = [
        Chain(each, text=text.lower(), denial=denial, image=image)
        for each, denial in zip(attempts, denials, strict=True)
    ]
    # The attempt that got furthest counts; of equals the last, which used kubelet's own credentials.
    number, chain = max(enumerate(chains), key=lambda each: (each[1].progress, each[0]))
    denial = denials[number]
    no_reason = None
    if chain.meaning.symptom is Symptom.UNKNOWN and chain.stage is None:
        if _is_no_failure(text, links[0]):
            no_reason = NoReason.OTHER_MATTER
        elif image is None and _PULL.search(text) is None:
            no_reason = no_reason_of_text(text)
    denied = chain.meaning.symptom is Symptom.ACCESS_DENIED
    is_mirror = chain.answer is Answer.MIRROR
    is_known = chain.answer in _WHATEVER_HOST
    return KubeletMessage(
        symptom=chain.meaning.symptom,
        stage=PULL_STAGES.get(denial.action.partition(":")[2], chain.stage) if denied and denial else chain.stage,
        image=image,
        denial=denial if denied else None,
        error_code=chain.error_code,
        no_reason=no_reason,
        answer=chain.answer if is_known or chain.url is None or _is_asked(chain.url, image) else None,
        sighting=Sighting(host=chain.mirror) if is_mirror else read_sighting(attempts[number]),
    )


def plain_text(text: str) -> str:
    """Return the text on one line, without escapes, secrets and queries. It has the same meaning for `read_message`.

    Line breaks become separators of links. Characters beyond TEXT_LIMIT are cut.
    """
    text = join_wrapped(text[:TEXT_LIMIT])
    text = _WRAP.sub(" ", _ESCAPED_QUOTE.sub("", text.translate(_PLAIN_QUOTES)))
    text = _LINE_BREAK.sub(": ", text).replace(*_LOGIN_REFUSED)
    text = _QUERY.sub(lambda query: query[1] + (":" if query[2].endswith(":") else ""), text)
    return _PADDED_NAME.sub(r'"\1"', redact(text, limit=TEXT_LIMIT))


def _is_no_failure(text: str, first: list[str]) -> bool:
    return says(first, NO_FAILURE) or (_PULLING.search(text) is not None and _FAILED.search(text) is None)


def _is_asked(url: RegistryUrl, image: ImageReference | None) -> bool:
    """Whether the host of `url` is the image's registry or its storage. A mirror proves nothing about those."""
    host = url.host.partition(":")[0]
    of_image = image is not None and url.host == image.host.lower()
    return of_image or is_of_ecr(host) or url.is_layer_bucket or (url.stage is None and not url.is_metadata)


def _denial(attempt: str) -> Denial | None:
    """Return AWS's denial of an ECR action, as far as the message contains it."""
    before, found, after = attempt.rpartition(NOT_AUTHORIZED)
    refused = _ACTION.match(after)
    if not found or not refused:
        return None
    principal = before.rpartition("User:")[2].strip()
    _, denial = parse_denial(f"User: {principal}{found}{after}", action=refused[0])
    return replace(denial, quoted=True)
