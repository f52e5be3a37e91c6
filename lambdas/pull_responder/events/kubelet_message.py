"""Parse the messages of kubelet and container runtimes about a failed pull: from pods, events and log lines.

A message is a chain of Go errors, "outer: inner: innermost". The parser splits it into links and compares the start of
each link with known phrases (kubelet_phrases.py). Names of images, pods and files are single words inside a link, so
no name can pass for a phrase. An unknown message gives Symptom.UNKNOWN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pull_responder.events.cloudtrail import PULL_STAGES
from pull_responder.events.denial import parse_denial
from pull_responder.events.image_reference import ImageReference
from pull_responder.events.kubelet_image import find_image
from pull_responder.events.kubelet_phrases import (
    AWS_ERROR_CODES,
    OTHER_TROUBLE,
    PHRASES,
    STAGES,
    STATUS_PLACES,
    STATUSES,
    Meaning,
    Weight,
)
from pull_responder.events.phrase import PhraseTable
from pull_responder.events.redaction import redact
from pull_responder.events.registry_urls import find_urls
from pull_responder.model.pull import Denial, Stage, Symptom

TEXT_LIMIT: Final = 8192
"""The number of characters of a message that are read. Kubernetes cuts event messages at 1024."""

_PLAIN_QUOTES: Final = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
_ESCAPED_QUOTE: Final = re.compile(r"(?<!\\)\\++(?=[\"'])")
_LINE_BREAK: Final = re.compile(r"\r?\n|(?<!\\)\\++[nr]")
# The query of a URL holds its signature and says nothing about the failure. A colon after it separates links.
_QUERY: Final = re.compile(r"(?<=://)([^\s?\"'<>]++)(\?[^\s\"'<>]*+)?+")
_PADDED_NAME: Final = re.compile(r"\"([^\"\s]++) ++\"")
# Separators of links. Log lines of kubelet (klog) begin with the place in its source. Structured ones have the error in
# `err="..."`.
_LINK: Final = re.compile(r"[:,;] ++| - | err=(?=\")|\.go:[0-9]{1,6}\] ++")
_GRPC_STATUS: Final = re.compile(r"code = [A-Za-z]{1,20} desc = ")
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")

# The pull failed with its last attempt. CRI-O tries mirrors first and the registry last. kubelet tries one credential
# after the other, its own last. CRI-O's extra attempt to read the image as an artifact says nothing about the image.
_ATTEMPT: Final = re.compile(r"\]\): |, rpc error: ")
_ARTIFACT_ATTEMPT: Final = "; artifact err: "

_NOT_AUTHORIZED: Final = " is not authorized to perform: "
_ECR_ACTIONS: Final = ("ecr:", "ecr-public:")

# Timeouts and refusals have the same words for any operation. A message without one of these is not about a pull.
_PULL_WORDS: Final = re.compile(r"pull|image|registry|manifest|blob|docker|credential|authorization token|\becr\b")
_POD_SANDBOX: Final = "pod sandbox"
_CARRIERS: Final = ("rpc error", "error response from daemon")
# CRI-O puts this before the registry's error. The redaction of passwords would remove that error, too.
_LOGIN_REFUSED: Final = ("invalid username/password: ", "invalid username or password, ")

_MEANINGS: Final = PhraseTable(PHRASES)
_STAGES: Final = PhraseTable(STAGES)
_STATUS_PLACES: Final = PhraseTable(dict.fromkeys(STATUS_PLACES, True))


@dataclass(frozen=True, slots=True)
class KubeletMessage:
    """The meaning of one message.

    - `symptom`, `stage`: what failed, and how far the pull had come.
    - `image`: the image as the pod names it. It may be spelt wrong; see its `problem`.
    - `denial`: AWS's denial, if the runtime passed it on.
    - `error_code`: the registry's error code ("name unknown", "manifest unknown", "denied", ...), if there is one.
    - `from_layer_bucket`: whether Amazon S3 answered, not the registry.
    """

    symptom: Symptom
    stage: Stage | None
    image: ImageReference | None
    denial: Denial | None = None
    error_code: str | None = None
    from_layer_bucket: bool = False


def read_message(text: str) -> KubeletMessage:
    """Return the meaning of a message. Any text is accepted. Characters beyond TEXT_LIMIT are ignored."""
    text = _normalize(text[:TEXT_LIMIT])
    attempt = _ATTEMPT.split(text.partition(_ARTIFACT_ATTEMPT)[0])[-1]
    denial = _denial(attempt)
    image = find_image(text, denial)
    if any(_is_other_trouble(_words(link)) for link in _LINK.split(text)):
        return KubeletMessage(Symptom.UNKNOWN, None, image)
    if image is None and _POD_SANDBOX in text.lower():
        # A pod sandbox can fail for other reasons, such as its network. If its image is at fault, the message names it.
        return KubeletMessage(Symptom.UNKNOWN, None, None)
    chain = _Chain(attempt, text=text.lower(), denial=denial)
    denied = chain.meaning.symptom is Symptom.ACCESS_DENIED
    return KubeletMessage(
        symptom=chain.meaning.symptom,
        stage=PULL_STAGES.get(denial.action.partition(":")[2], chain.stage) if denied and denial else chain.stage,
        image=image,
        denial=denial if denied else None,
        error_code=chain.error_code,
        from_layer_bucket=chain.from_layer_bucket,
    )


def _normalize(text: str) -> str:
    """Return the text on one line, without escapes, secrets and queries. Line breaks become separators of links."""
    text = _LINE_BREAK.sub(": ", _ESCAPED_QUOTE.sub("", text.translate(_PLAIN_QUOTES))).replace(*_LOGIN_REFUSED)
    text = _QUERY.sub(lambda query: query[1] + (":" if (query[2] or "").endswith(":") else ""), text)
    return _PADDED_NAME.sub(r'"\1"', redact(text, limit=TEXT_LIMIT))


class _Chain:
    """One chain of errors, read from the outermost link to the innermost.

    The phrase with the greatest weight decides; of equal ones, the innermost. The attributes `stage`, `error_code` and
    `from_layer_bucket` belong to the place of that phrase.
    """

    def __init__(self, attempt: str, *, text: str, denial: Denial | None) -> None:
        self.meaning = Meaning(Symptom.UNKNOWN, Weight.WRAPPER)
        self.stage: Stage | None = None
        self.error_code: str | None = None
        self.from_layer_bucket = False
        self._stage: Stage | None = None
        self._at_bucket = self._is_resolving = self._is_elsewhere = False
        self._is_pull = "pull" in text
        self._is_about_a_pull = _PULL_WORDS.search(text) is not None
        self._labels: list[str] = []  # links without a known phrase
        self._is_carried = False
        # AWS may have refused something that is not part of a pull, such as a secret or a volume.
        self._refused_other = _NOT_AUTHORIZED in attempt and denial is None
        self._is_ecr = "ecr" in attempt.lower() and "perform sts:" not in attempt and not self._refused_other
        before: list[str] = []
        for link in _LINK.split(attempt):
            words = _words(link)
            self._update_stage(link, words)
            meaning = _meaning(words, before) or self._aws_error(link)
            if meaning and not self._is_unrelated(meaning, words):
                self._keep_if_heavier(meaning)
            elif not meaning:
                self._add_label(words)
            before = words
        if self.meaning.symptom is Symptom.UNKNOWN:
            self.stage, self.from_layer_bucket = self._stage, self._at_bucket

    def _update_stage(self, link: str, words: list[str]) -> None:
        """Update the stage of the pull, from the operation and the URLs in the link."""
        self._stage = _STAGES.find(words) or self._stage
        self._is_resolving = self._is_resolving or words[:3] == ["failed", "to", "resolve"]
        if "ecr authorization token" in link.lower():
            self._stage = Stage.TOKEN
        for url in find_urls(link):
            stage = url.stage
            if self._is_resolving and stage is Stage.LAYER and not url.is_layer_bucket:
                stage = Stage.MANIFEST  # to resolve a digest, the runtime also asks for a blob with that digest
            self._is_elsewhere = stage is None and not self._is_pull
            self._stage, self._at_bucket = stage or self._stage, url.is_layer_bucket

    def _aws_error(self, link: str) -> Meaning | None:
        return AWS_ERROR_CODES.get(link.rstrip("\"' .").rpartition(" ")[2]) if self._is_ecr else None

    def _is_unrelated(self, meaning: Meaning, words: list[str]) -> bool:
        """Whether a phrase is about something other than this pull."""
        if self._is_elsewhere or self._is_foreign():
            return True
        if meaning.symptom is Symptom.NOT_FOUND and self._stage is Stage.TOKEN:
            return True  # a token service that is not found says nothing about the image
        return self._refused_other and words[1:3] == ["is", "not"]

    def _add_label(self, words: list[str]) -> None:
        link = " ".join(words)
        if link.endswith(_CARRIERS):
            self._is_carried = True
        elif link and not _STATUS_PLACES.match(words):
            self._labels.append(link)

    def _is_foreign(self) -> bool:
        """Whether the chain begins with something other than a pull, such as a failed volume or hook."""
        if self._is_about_a_pull or self._stage or not self._labels:
            return False
        return not self._is_carried or any(" " in label for label in self._labels)

    def _keep_if_heavier(self, meaning: Meaning) -> None:
        if meaning.weight < self.meaning.weight:
            return
        self.meaning, self.stage, self.from_layer_bucket = meaning, self._stage, self._at_bucket
        self.error_code = meaning.code or self.error_code


def _words(link: str) -> list[str]:
    """Return the words of a link in lower case, without punctuation at their ends."""
    link = link.strip().removeprefix("[")
    status = _GRPC_STATUS.match(link)
    words = link[status.end() if status else 0 :].split()
    if words and words[0].startswith('"') and not words[0].endswith('"'):
        words[0] = words[0][1:]  # a quoted message; a quoted name is one word and keeps its quotes
    return [word.lower().rstrip("\"'.,;:)]}") for word in words]


def _meaning(words: list[str], before: list[str]) -> Meaning | None:
    """Return the meaning of a link, None if it is not known. `before` is the words of the link before it."""
    status = _status(words, before)
    if status:
        return STATUSES.get(status)
    if words[:2] == ["not", "found"]:
        # containerd: 'failed to resolve reference "REF": REF: not found'.
        names_it = before[:3] == ["failed", "to", "resolve"] or (len(before) == 1 and "/" in before[0])
        return Meaning(Symptom.NOT_FOUND) if names_it else None
    meaning = _MEANINGS.find(words)
    # The short error codes are common words. Alone they are codes; in a sentence they are not.
    is_word = meaning is not None and meaning.code is not None and " " not in meaning.code
    return None if is_word and len(words) > 1 else meaning


def _status(words: list[str], before: list[str]) -> str | None:
    """Return the HTTP status, if it is in a place where runtimes write it."""
    for link, rest in ((words, []), (before, words)):
        place = _STATUS_PLACES.match(link)
        if place:
            after = [*link[place[0] : place[0] + 1], *rest[:1]]
            return next((word for word in after if _STATUS.fullmatch(word)), None)
    return None


def _is_other_trouble(words: list[str]) -> bool:
    padded = f" {' '.join(words)} "
    return words == ["signaturevalidationfailed"] or any(f" {phrase} " in padded for phrase in OTHER_TROUBLE)


def _denial(attempt: str) -> Denial | None:
    """Return AWS's denial of an ECR action, as far as the message contains it."""
    before, found, after = attempt.rpartition(_NOT_AUTHORIZED)
    if not found or not after.startswith(_ECR_ACTIONS):
        return None
    principal = before.rpartition("User: ")[2]
    _, denial = parse_denial(f"User: {principal}{found}{after}", action=after.split(maxsplit=1)[0])
    return denial
