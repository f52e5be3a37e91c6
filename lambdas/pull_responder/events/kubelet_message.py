"""Parse the messages of kubelet and container runtimes about a failed pull: from pods, events and log lines.

A message is a chain of Go errors, "outer: inner: innermost". The parser splits it into links and compares the start of
each link with known phrases (kubelet_phrases.py). Names of images, pods and files are single words inside a link, so
no name can pass for a phrase. An unknown message gives Symptom.UNKNOWN.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from pull_responder.events.cloudtrail import PULL_STAGES
from pull_responder.events.denial import parse_denial
from pull_responder.events.http_statuses import API_STATUSES, UNKNOWN_STATUS
from pull_responder.events.image_reference import ImageReference
from pull_responder.events.kubelet_image import find_image
from pull_responder.events.kubelet_link import is_status_place, read_link, says, words_of
from pull_responder.events.kubelet_phrases import (
    AWS_ERROR_CODES,
    NO_FAILURE,
    OTHER_TROUBLE,
    SIGNATURE_REJECTED,
    STAGES,
)
from pull_responder.events.meaning import Meaning, Weight
from pull_responder.events.mirrors import MIRROR_ANSWERED, mirror_of
from pull_responder.events.phrase import PhraseTable
from pull_responder.events.redaction import join_wrapped, redact
from pull_responder.events.registry_urls import RegistryUrl, find_urls, is_of_ecr
from pull_responder.events.s3_errors import is_from_s3, read_s3_error, read_s3_words
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
_QUERY: Final = re.compile(r"(?<=://)([^\s?\"'<>]++)(\?[^\s\"'<>]*+)?+")
_PADDED_NAME: Final = re.compile(r"\"([^\"\s]++) ++\"")
# Kubelet's longest known chain has some twenty links. What follows is read as one.
_MOST_LINKS: Final = 100
# Separators of links. Log lines of kubelet (klog) begin with the place in its source. Structured ones have the error in
# `err="..."`, those in JSON have it between `":"` and `","`.
_LINK: Final = re.compile(r"[:,;] ++|\",\"|\":\"|Exception:(?=User:)| - | err=(?=\")|\.go:[0-9]{1,6}\] ++")

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

_PROGRESS: Final = (None, Stage.TOKEN, Stage.MANIFEST, Stage.LAYER, Stage.UNPACK)
_IN_PROGRESS: Final = frozenset(
    {Symptom.TIMEOUT, Symptom.THROTTLED, Symptom.NOT_FOUND, Symptom.REGISTRY_ERROR, Symptom.DOWNLOAD_CORRUPT}
)
_PUBLIC: Final = "public.ecr.aws"
_OF_PUBLIC_TOKEN: Final = frozenset({Symptom.ACCESS_DENIED, Symptom.THROTTLED, Symptom.REGISTRY_ERROR})
_PART: Final = re.compile(r"\"?(manifest|index|layer|config)-sha256:")

# containerd, with the digest's manifest or blob in the URL. BuildKit's "source metadata" has the layers, too.
_RESOLVING: Final = [["failed", "to", "resolve", word] for word in ("reference", "image", "ref")]

# AWS SDK for Go v2: "operation error ECR: GetAuthorizationToken, https response error StatusCode: 400, …".
_API_STATUS: Final = ["https", "response", "error", "statuscode"]
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")

_NOT_AUTHORIZED: Final = " is not authorized to perform: "
_ECR_ACTIONS: Final = ("ecr:", "ecr-public:")

# Timeouts and refusals have the same words for any operation. A message without one of these is not about a pull.
_PULL_WORDS: Final = re.compile(r"pull|image|registry|manifest|blob|docker|credential|authorization token|\becr\b")
_PULL: Final = re.compile(r"\bpull(?:ing|ed)?\b", re.IGNORECASE)
_POD_SANDBOX: Final = "pod sandbox"
# The event before a pull. kubelet's other events have "pulling" in lower case.
_PULLING: Final = re.compile(r"\bPulling image \"[^\"\s]++\"\W*+$")
_FAILED: Final = re.compile(r"fail|ErrImagePull|BackOff|Back-off", re.IGNORECASE)
_CARRIERS: Final = ("rpc error", "error response from daemon")
# CRI-O puts this before the registry's error. The redaction of passwords would remove that error, too.
_LOGIN_REFUSED: Final = ("invalid username/password: ", "invalid username or password, ")

_STAGES: Final = PhraseTable(STAGES)


@dataclass(frozen=True, slots=True)
class KubeletMessage:
    """The meaning of one message.

    - `symptom`, `stage`: what failed, and how far the pull had come.
    - `image`: the image as the pod names it. It may be spelt wrong; see its `problem`.
    - `denial`: AWS's denial, if the runtime passed it on.
    - `error_code`: the registry's error code ("name unknown", "manifest unknown", "denied", ...), if there is one.
    - `from_layer_bucket`: whether Amazon S3 answered, not the registry.
    - `tells_of_pull`: false if the text is about something other than an image that could not be pulled.
    - `answer`: what the text shows of an answer, where the symptom does not say it. None if it shows nothing.
    - `sighting`: the host, address and DNS server of the connection that failed. Empty if the text tells none.
    """

    symptom: Symptom
    stage: Stage | None
    image: ImageReference | None
    denial: Denial | None = None
    error_code: str | None = None
    from_layer_bucket: bool = False
    tells_of_pull: bool = True
    answer: Answer | None = None
    sighting: Sighting = field(default_factory=Sighting)


def read_message(text: str) -> KubeletMessage:
    """Return the meaning of a message. Any text is accepted. Characters beyond TEXT_LIMIT are ignored."""
    text = plain_text(text)
    whole = text.partition(_ARTIFACT_ATTEMPT)[0]
    links = [words_of(link) for link in _LINK.split(text)]
    if any(says(words, SIGNATURE_REJECTED) for words in links):
        return KubeletMessage(Symptom.SIGNATURE_REJECTED, None, find_image(text, None))
    if any(says(words, OTHER_TROUBLE) for words in links):
        return KubeletMessage(Symptom.UNKNOWN, None, find_image(text, _denial(whole)), tells_of_pull=False)
    attempts = [_MIRROR.split(each)[-1] for each in _CREDENTIAL.split(whole)]
    denials = [_denial(each) for each in attempts]
    image = next((found for denial in (*denials, None) if (found := find_image(text, denial))), None)
    if image is None and _POD_SANDBOX in text.lower():
        # A pod sandbox can fail for other reasons, such as its network. If its image is at fault, the message names it.
        return KubeletMessage(Symptom.UNKNOWN, None, None, tells_of_pull=False)
    chains = [
        _Chain(each, text=text.lower(), denial=denial, image=image)
        for each, denial in zip(attempts, denials, strict=True)
    ]
    # The attempt that got furthest counts; of equals the last, which used kubelet's own credentials.
    number, chain = max(enumerate(chains), key=lambda each: (each[1].progress, each[0]))
    denial = denials[number]
    is_pull = (
        chain.meaning.symptom is not Symptom.UNKNOWN or bool(image or chain.stage) or _PULL.search(text) is not None
    )
    if chain.meaning.symptom is Symptom.UNKNOWN and chain.stage is None and _is_no_failure(text, links[0]):
        is_pull = False
    denied = chain.meaning.symptom is Symptom.ACCESS_DENIED
    is_mirror = chain.answer is Answer.MIRROR
    return KubeletMessage(
        symptom=chain.meaning.symptom,
        stage=PULL_STAGES.get(denial.action.partition(":")[2], chain.stage) if denied and denial else chain.stage,
        image=image,
        denial=denial if denied else None,
        error_code=chain.error_code,
        from_layer_bucket=chain.from_layer_bucket,
        tells_of_pull=is_pull,
        answer=chain.answer if is_mirror or chain.url is None or _is_asked(chain.url, image) else None,
        sighting=Sighting(host=chain.mirror) if is_mirror else read_sighting(attempts[number]),
    )


def plain_text(text: str) -> str:
    """Return the text on one line, without escapes, secrets and queries. It has the same meaning for `read_message`.

    Line breaks become separators of links. Characters beyond TEXT_LIMIT are cut.
    """
    text = join_wrapped(text[:TEXT_LIMIT])
    text = _WRAP.sub(" ", _ESCAPED_QUOTE.sub("", text.translate(_PLAIN_QUOTES)))
    text = _LINE_BREAK.sub(": ", text).replace(*_LOGIN_REFUSED)
    text = _QUERY.sub(lambda query: query[1] + (":" if (query[2] or "").endswith(":") else ""), text)
    return _PADDED_NAME.sub(r'"\1"', redact(text, limit=TEXT_LIMIT))


class _Chain:
    """One chain of errors, read from the outermost link to the innermost.

    The phrase with the greatest weight decides; of equal ones, the innermost. The attributes `stage`, `error_code` and
    `from_layer_bucket` belong to the place of that phrase.
    """

    def __init__(self, attempt: str, *, text: str, denial: Denial | None, image: ImageReference | None) -> None:
        self.meaning = Meaning(Symptom.UNKNOWN, Weight.WRAPPER)
        self.stage: Stage | None = None
        self.error_code: str | None = None
        self.from_layer_bucket = False
        self.answer: Answer | None = None
        self.url: RegistryUrl | None = None
        self.mirror = ""
        self._image = image
        self._stage: Stage | None = None
        self._at_bucket = self._is_resolving = self._is_elsewhere = False
        self._is_pull = "pull" in text
        self._is_about_a_pull = _PULL_WORDS.search(text) is not None
        self._service = ""
        self._labels: list[str] = []  # links without a known phrase
        self._is_carried = self._is_of_daemon = self._is_of_imds = False
        # AWS may have refused something that is not part of a pull, such as a secret or a volume.
        self._refused_other = _NOT_AUTHORIZED in attempt and denial is None
        self._is_ecr = "ecr" in attempt.lower() and "perform sts:" not in attempt and not self._refused_other
        before: list[str] = []
        for link in _LINK.split(attempt, maxsplit=_MOST_LINKS):
            words = words_of(link)
            self._update_stage(link, words)
            meaning = self._meaning_of(words, before, link)
            if meaning and not self._is_unrelated(words):
                self._keep_if_heavier(meaning)
            elif not meaning:
                self._add_label(words)
            before = words
        self._add_s3_error(attempt)
        if self.meaning.symptom is Symptom.UNKNOWN and not self.answer:
            self.stage, self.from_layer_bucket = self._stage, self._at_bucket
        else:
            self.stage = self._of_docker(attempt, is_public=_PUBLIC in text)

    @property
    def progress(self) -> tuple[int, bool]:
        """How far the pull came, for comparison: its stage, then whether it has read the manifest.

        A manifest that lacks the platform has been read.
        """
        return _PROGRESS.index(self.stage), self.meaning.symptom is Symptom.PLATFORM_MISMATCH

    def _of_docker(self, attempt: str, *, is_public: bool) -> Stage | None:
        """Return the stage. For errors of dockerd, which name none, it follows from the form of the error.

        Until dockerd has the manifest, its API returns the error, and the client prefixes it with "Error response from
        daemon". After that, the error comes in the progress messages, without the prefix (moby, api/server and
        distribution). dockerd reports an error of ECR Public's token endpoint as an error of the manifest (Inference:
        seen of dockerd 20.10 to 28.5).
        """
        if self._is_of_daemon and is_public and self.meaning.symptom in _OF_PUBLIC_TOKEN and not self._is_resolving:
            named = self.stage is Stage.MANIFEST or "error from registry" in self._labels
            return Stage.TOKEN if named else self.stage
        if self.stage is not None:
            return self.stage
        if self._is_of_daemon:
            return Stage.MANIFEST
        # kubelet's own deadline, and that of its call to the runtime, are no errors of dockerd.
        is_of_runtime = "code = Unknown desc = " in attempt and "context deadline exceeded" not in attempt
        return Stage.LAYER if is_of_runtime and self.meaning.symptom in _IN_PROGRESS else None

    def _update_stage(self, link: str, words: list[str]) -> None:
        """Update the stage of the pull, from the operation and the URLs in the link."""
        self._stage = _part(words) or _STAGES.find(words) or self._stage
        self._is_resolving = self._is_resolving or words[:4] in _RESOLVING
        if words[:2] == ["operation", "error"]:
            self._service = words[-1]
        if "ecr authorization token" in link.lower():
            self._stage = Stage.TOKEN
        for url in find_urls(link):
            stage = url.stage
            if self._is_resolving and stage is Stage.LAYER and not url.is_layer_bucket:
                stage = Stage.MANIFEST  # to resolve a digest, the runtime also asks for a blob with that digest
            self._is_elsewhere = stage is None and not self._is_pull
            self._stage, self._at_bucket = stage or self._stage, url.is_layer_bucket
            self._is_of_imds, self.url = url.is_metadata, url

    def _add_s3_error(self, attempt: str) -> None:
        """Add what S3 said in words. Without them only its status is known."""
        if self.answer is Answer.MIRROR:
            return
        said = read_s3_error(attempt)
        if said and self._is_about_a_pull and not self._is_elsewhere:
            self._stage, self._at_bucket = self._stage or Stage.LAYER, True
            # S3's status says less than its words about a key.
            if self.meaning.symptom in (Symptom.UNKNOWN, said.symptom) or said.answer is Answer.KEY:
                self._keep_if_heavier(said._replace(weight=self.meaning.weight))
            self.from_layer_bucket = True
            if said.answer is not Answer.HTTP or self.meaning.symptom is Symptom.UNKNOWN:
                self.answer = said.answer
            self.stage = self.stage or Stage.LAYER
        elif self.stage is Stage.LAYER and is_from_s3(attempt):
            self.from_layer_bucket = True
        if self.meaning.symptom is Symptom.NOT_FOUND and self.answer is None:
            if self.from_layer_bucket:
                self.answer = Answer.OBJECT
            elif self.error_code == "blob unknown" and self.stage is Stage.LAYER:
                self.answer = Answer.BLOB

    def _meaning_of(self, words: list[str], before: list[str], link: str) -> Meaning | None:
        if before == _API_STATUS and self._service == "ecr" and _STATUS.fullmatch(words[0] if words else ""):
            return API_STATUSES.get(words[0], UNKNOWN_STATUS)
        meaning = read_link(words, before, link) or self._aws_error(link)
        if meaning and (mirror := mirror_of(words, before, self.url, self._image)):
            self.mirror = mirror
            return MIRROR_ANSWERED
        if meaning and meaning.symptom is Symptom.NOT_FOUND and self._stage is Stage.TOKEN:
            return UNKNOWN_STATUS  # a token service that is not found says nothing about the image
        return meaning

    def _aws_error(self, link: str) -> Meaning | None:
        if self._at_bucket and (said := read_s3_words(link)):
            return said
        return AWS_ERROR_CODES.get(link.rstrip("\"' .").rpartition(" ")[2]) if self._is_ecr else None

    def _is_unrelated(self, words: list[str]) -> bool:
        """Whether a phrase is about something other than this pull."""
        if self._is_elsewhere or self._is_foreign():
            return True
        return self._refused_other and words[1:3] == ["is", "not"]

    def _add_label(self, words: list[str]) -> None:
        link = " ".join(words)
        if link.endswith(_CARRIERS):
            self._is_carried = True
            self._is_of_daemon = self._is_of_daemon or link.endswith(_CARRIERS[1])
        elif link and not is_status_place(words):
            self._labels.append(link)

    def _is_foreign(self) -> bool:
        """Whether the chain begins with something other than a pull, such as a failed volume or hook."""
        if self._is_about_a_pull or self._stage or not self._labels:
            return False
        return not self._is_carried or any(" " in label for label in self._labels)

    def _keep_if_heavier(self, meaning: Meaning) -> None:
        if meaning.weight < self.meaning.weight:
            return
        if self._is_of_imds and meaning.symptom in (Symptom.TIMEOUT, Symptom.NOT_FOUND):
            # Not the way to the registry failed: the node gets no credentials.
            meaning = Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT)
        if meaning.symptom is Symptom.UNKNOWN is not self.meaning.symptom and meaning is not MIRROR_ANSWERED:
            return  # an answer that means nothing by itself is no reason against one that does
        self.answer = meaning.answer or (self.answer if meaning.symptom is self.meaning.symptom else None)
        self.meaning, self.stage, self.from_layer_bucket = meaning, self._stage, self._at_bucket
        self.error_code = meaning.code or self.error_code


def _is_no_failure(text: str, first: list[str]) -> bool:
    return says(first, NO_FAILURE) or (_PULLING.search(text) is not None and _FAILED.search(text) is None)


def _is_asked(url: RegistryUrl, image: ImageReference | None) -> bool:
    """Whether the host of `url` is the image's registry or its storage. A mirror proves nothing about those."""
    host = url.host.partition(":")[0]
    of_image = image is not None and url.host == image.host.lower()
    return of_image or is_of_ecr(host) or url.is_layer_bucket or (url.stage is None and not url.is_metadata)


def _part(words: list[str]) -> Stage | None:
    """Return the stage of the part of an image that containerd names: "manifest-sha256:…", "layer-sha256:…"."""
    parts = (_PART.match(word) for word in words)
    kind = next((match[1] for match in parts if match), None)
    return None if kind is None else Stage.MANIFEST if kind in ("manifest", "index") else Stage.LAYER


def _denial(attempt: str) -> Denial | None:
    """Return AWS's denial of an ECR action, as far as the message contains it."""
    before, found, after = attempt.rpartition(_NOT_AUTHORIZED)
    if not found or not after.startswith(_ECR_ACTIONS):
        return None
    principal = before.rpartition("User: ")[2]
    _, denial = parse_denial(f"User: {principal}{found}{after}", action=after.split(maxsplit=1)[0])
    return replace(denial, quoted=True)
