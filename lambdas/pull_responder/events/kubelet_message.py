"""What kubelet and the container runtimes say when a pull fails: `state.waiting.message`, events and log lines.

Such a message is a chain of Go errors, "outer: inner: innermost". It is cut into its links, and only the start of a
link is compared with the runtimes' own phrases (kubelet_phrases.py): the names of images, pods and files are single
words inside a link, so none of them can pass for a phrase. What is not known reads as Symptom.UNKNOWN.
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
"""Characters of a message that are read; Kubernetes cuts those of events at 1024."""

_PLAIN_QUOTES: Final = str.maketrans({"\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'"})
_ESCAPED_QUOTE: Final = re.compile(r"(?<!\\)\\++(?=[\"'])")
_LINE_BREAK: Final = re.compile(r"\r?\n|(?<!\\)\\++[nr]")
# Queries sign URLs and tell nothing; the colon after one belongs to the chain, not to the query.
_QUERY: Final = re.compile(r"(?<=://)([^\s?\"'<>]++)(\?[^\s\"'<>]*+)?+")
_PADDED_NAME: Final = re.compile(r"\"([^\"\s]++) ++\"")
# kubelet's log lines (klog) begin with the place in its source, and have their error in `err="..."` where they are
# structured; all else is a chain of Go errors.
_LINK: Final = re.compile(r"[:,;] ++| - | err=(?=\")|\.go:[0-9]{1,6}\] ++")
_GRPC_STATUS: Final = re.compile(r"code = [A-Za-z]{1,20} desc = ")
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")

# CRI-O tries mirrors before the registry itself, kubelet one credential after the other, its own last: the last attempt
# is what the pull failed by. CRI-O's second try, to read the image as an artifact, says nothing of the image.
_ATTEMPT: Final = re.compile(r"\]\): |, rpc error: ")
_ARTIFACT_ATTEMPT: Final = "; artifact err: "

_NOT_AUTHORIZED: Final = " is not authorized to perform: "
_ECR_ACTIONS: Final = ("ecr:", "ecr-public:")

# Timeouts and refusals have the same words whatever failed: without one of these a message is not about a pull.
_OF_A_PULL: Final = re.compile(r"pull|image|registry|manifest|blob|docker|credential|authorization token|\becr\b")
_POD_SANDBOX: Final = "pod sandbox"
_CARRIERS: Final = ("rpc error", "error response from daemon")
# CRI-O says so before the registry's own words, which the redaction of passwords would take away with it.
_LOGIN_REFUSED: Final = ("invalid username/password: ", "invalid username or password, ")

_MEANINGS: Final = PhraseTable(PHRASES)
_STAGES: Final = PhraseTable(STAGES)
_STATUS_PLACES: Final = PhraseTable(dict.fromkeys(STATUS_PLACES, True))


@dataclass(frozen=True, slots=True)
class KubeletMessage:
    """What one message says.

    `image` is the one that the pod names, and may be spelt wrong (see its `problem`); `denial` is set where the
    runtime passed AWS's words on. `error_code` is the registry's own ("name unknown", "manifest unknown", "denied",
    ...), where the message has one; `from_layer_bucket` says that Amazon S3 was asked, not the registry.
    """

    symptom: Symptom
    stage: Stage | None
    image: ImageReference | None
    denial: Denial | None = None
    error_code: str | None = None
    from_layer_bucket: bool = False


def read_message(text: str) -> KubeletMessage:
    """Return what a message says. Any text is accepted; characters beyond TEXT_LIMIT are not looked at."""
    text = _plain(text[:TEXT_LIMIT])
    attempt = _ATTEMPT.split(text.partition(_ARTIFACT_ATTEMPT)[0])[-1]
    denial = _denial(attempt)
    image = find_image(text, denial)
    if any(_is_other_trouble(_words(link)) for link in _LINK.split(text)):
        return KubeletMessage(Symptom.UNKNOWN, None, image)
    if image is None and _POD_SANDBOX in text.lower():
        # Networks and the runtime fail there, too; where it is the sandbox's image, the message names it.
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


def _plain(text: str) -> str:
    """The text on one line, without escapes, secrets and queries: line breaks part links, as in joined Go errors."""
    text = _LINE_BREAK.sub(": ", _ESCAPED_QUOTE.sub("", text.translate(_PLAIN_QUOTES))).replace(*_LOGIN_REFUSED)
    text = _QUERY.sub(lambda query: query[1] + (":" if (query[2] or "").endswith(":") else ""), text)
    return _PADDED_NAME.sub(r'"\1"', redact(text, limit=TEXT_LIMIT))


class _Chain:
    """One chain of errors, read from its outermost link on. The heaviest phrase counts, of equals the innermost.

    `stage` and the others are what held where that phrase stands.
    """

    def __init__(self, attempt: str, *, text: str, denial: Denial | None) -> None:
        self.meaning = Meaning(Symptom.UNKNOWN, Weight.WRAPPER)
        self.stage: Stage | None = None
        self.error_code: str | None = None
        self.from_layer_bucket = False
        self._stage: Stage | None = None
        self._at_bucket = self._is_resolving = self._is_elsewhere = False
        self._is_pull = "pull" in text
        self._is_about_a_pull = _OF_A_PULL.search(text) is not None
        self._labels: list[str] = []  # links around the cause that say neither what failed nor how
        self._is_carried = False
        # AWS may have refused something that is no part of a pull, such as a secret or a volume.
        self._refused_other = _NOT_AUTHORIZED in attempt and denial is None
        self._is_ecr = "ecr" in attempt.lower() and "perform sts:" not in attempt and not self._refused_other
        before: list[str] = []
        for link in _LINK.split(attempt):
            words = _words(link)
            self._follow(link, words)
            meaning = _meaning(words, before) or self._aws_error(link)
            if meaning and not self._is_beside(meaning, words):
                self._keep(meaning)
            elif not meaning:
                self._note(words)
            before = words
        if self.meaning.symptom is Symptom.UNKNOWN:
            self.stage, self.from_layer_bucket = self._stage, self._at_bucket

    def _follow(self, link: str, words: list[str]) -> None:
        """Note how far the pull is, by what the link says was being done and by what was asked for."""
        self._stage = _STAGES.find(words) or self._stage
        self._is_resolving = self._is_resolving or words[:3] == ["failed", "to", "resolve"]
        if "ecr authorization token" in link.lower():
            self._stage = Stage.TOKEN
        for url in find_urls(link):
            stage = url.stage
            if self._is_resolving and stage is Stage.LAYER and not url.is_layer_bucket:
                stage = Stage.MANIFEST  # a digest that is no manifest's is looked for among the blobs
            self._is_elsewhere = stage is None and not self._is_pull
            self._stage, self._at_bucket = stage or self._stage, url.is_layer_bucket

    def _aws_error(self, link: str) -> Meaning | None:
        return AWS_ERROR_CODES.get(link.rstrip("\"' .").rpartition(" ")[2]) if self._is_ecr else None

    def _is_beside(self, meaning: Meaning, words: list[str]) -> bool:
        """Whether a phrase tells of something else than this pull."""
        if self._is_elsewhere or self._is_foreign():
            return True
        if meaning.symptom is Symptom.NOT_FOUND and self._stage is Stage.TOKEN:
            return True  # a token service that is not found says nothing of the image
        return self._refused_other and words[1:3] == ["is", "not"]

    def _note(self, words: list[str]) -> None:
        link = " ".join(words)
        if link.endswith(_CARRIERS):
            self._is_carried = True
        elif link and not _STATUS_PLACES.match(words):
            self._labels.append(link)

    def _is_foreign(self) -> bool:
        """Whether the chain begins with something that is no pull, such as a volume or a hook that failed."""
        if self._is_about_a_pull or self._stage or not self._labels:
            return False
        return not self._is_carried or any(" " in label for label in self._labels)

    def _keep(self, meaning: Meaning) -> None:
        if meaning.weight < self.meaning.weight:
            return
        self.meaning, self.stage, self.from_layer_bucket = meaning, self._stage, self._at_bucket
        self.error_code = meaning.code or self.error_code


def _words(link: str) -> list[str]:
    """The words of a link in lower case, without the punctuation that closes a sentence, a list or a quotation."""
    link = link.strip().removeprefix("[")
    status = _GRPC_STATUS.match(link)
    words = link[status.end() if status else 0 :].split()
    if words and words[0].startswith('"') and not words[0].endswith('"'):
        words[0] = words[0][1:]  # a quoted message; a quoted name is one word and keeps its mark
    return [word.lower().rstrip("\"'.,;:)]}") for word in words]


def _meaning(words: list[str], before: list[str]) -> Meaning | None:
    """What a link says; `before` is the link that it explains."""
    status = _status(words, before)
    if status:
        return STATUSES.get(status)
    if words[:2] == ["not", "found"]:
        # containerd: 'failed to resolve reference "REF": REF: not found'.
        names_it = before[:3] == ["failed", "to", "resolve"] or (len(before) == 1 and "/" in before[0])
        return Meaning(Symptom.NOT_FOUND) if names_it else None
    meaning = _MEANINGS.find(words)
    # The short error codes are common words: alone they are codes, in a sentence they are not.
    is_word = meaning is not None and meaning.code is not None and " " not in meaning.code
    return None if is_word and len(words) > 1 else meaning


def _status(words: list[str], before: list[str]) -> str | None:
    """The HTTP status, if it stands where runtimes put it."""
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
    """AWS's own words about an ECR action, as far as the message passes them on."""
    before, found, after = attempt.rpartition(_NOT_AUTHORIZED)
    if not found or not after.startswith(_ECR_ACTIONS):
        return None
    principal = before.rpartition("User: ")[2]
    _, denial = parse_denial(f"User: {principal}{found}{after}", action=after.split(maxsplit=1)[0])
    return denial
