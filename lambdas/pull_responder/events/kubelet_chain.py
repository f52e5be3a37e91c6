"""Read one chain of Go errors, "outer: inner: innermost": which of its links decides, and the stage at that link.

The start of each link is compared with known phrases (kubelet_phrases.py). Names of images, pods and files are single
words inside a link, so no name can pass for a phrase.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.events.http_statuses import API_STATUSES, GATEWAY_STATUSES, OF_PROXY, UNKNOWN_STATUS
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.kubelet_link import is_status_place, read_link, read_status, words_of
from pull_responder.events.kubelet_phrases import AWS_ERROR_CODES, STAGES
from pull_responder.events.meaning import Meaning, Weight
from pull_responder.events.mirrors import MIRROR_ANSWERED, is_upstreams, mirror_of
from pull_responder.events.pages import has_html, is_cloudflares, is_gateways, is_page
from pull_responder.events.phrase import PhraseTable
from pull_responder.events.registry_urls import RegistryUrl, find_urls
from pull_responder.events.s3_errors import is_from_s3, read_s3_error, read_s3_words
from pull_responder.model.pull import Answer, Denial, Stage, Symptom

if TYPE_CHECKING:
    from pull_responder.events.image_reference import ImageReference

# Kubelet's longest known chain has some twenty links. What follows is read as one.
_MOST_LINKS: Final = 100
# Separators of links. Log lines of kubelet (klog) begin with the place in its source. Structured ones have the error in
# `err="..."`, those in JSON have it between `":"` and `","`.
LINK: Final = re.compile(r"[:,;] ++|\",\"|\":\"|Exception:(?=User:)| - | err=(?=\")|\.go:[0-9]{1,6}\] ++")
"""What stands between two links."""

_PROGRESS: Final = (None, Stage.TOKEN, Stage.MANIFEST, Stage.LAYER, Stage.UNPACK)
_IN_PROGRESS: Final = frozenset(
    {Symptom.TIMEOUT, Symptom.THROTTLED, Symptom.NOT_FOUND, Symptom.REGISTRY_ERROR, Symptom.DOWNLOAD_CORRUPT}
)
# What a registry answers with 401, 403, 404 or 429, if it is the registry that answers.
_REFUSED: Final = frozenset(
    {Symptom.ACCESS_DENIED, Symptom.NOT_FOUND, Symptom.NOT_AUTHENTICATED, Symptom.THROTTLED, Symptom.TOKEN_EXPIRED}
)
_PUBLIC: Final = "public.ecr.aws"
_OF_PUBLIC_TOKEN: Final = frozenset({Symptom.ACCESS_DENIED, Symptom.THROTTLED, Symptom.REGISTRY_ERROR})
_PART: Final = re.compile(r"\"?(manifest|index|layer|config)-sha256:")

# containerd, with the digest's manifest or blob in the URL. BuildKit's "source metadata" has the layers, too.
_RESOLVING: Final = [["failed", "to", "resolve", word] for word in ("reference", "image", "ref")]

# AWS SDK for Go v2: "operation error ECR: GetAuthorizationToken, https response error StatusCode: 400, …".
_API_STATUS: Final = ["https", "response", "error", "statuscode"]
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")

NOT_AUTHORIZED: Final = " is not authorized to perform: "
"""What stands between the principal and the action in AWS's denials."""

# Timeouts and refusals have the same words for any operation. A message without one of these is not about a pull.
_PULL_WORDS: Final = re.compile(r"pull|image|registry|manifest|blob|docker|credential|authorization token|\becr\b")
_CARRIERS: Final = ("rpc error", "error response from daemon")
_STAGES: Final = PhraseTable(STAGES)


class Chain:
    """One chain of errors, read from the outermost link to the innermost.

    The phrase with the greatest weight decides; of equal ones, the innermost. The attributes `stage` and `error_code`
    belong to the place of that phrase.
    """

    def __init__(self, attempt: str, *, text: str, denial: Denial | None, image: ImageReference | None) -> None:
        self.meaning = Meaning(Symptom.UNKNOWN, Weight.WRAPPER)
        self.stage: Stage | None = None
        self.error_code: str | None = None
        self.answer: Answer | None = None
        self.url: RegistryUrl | None = None
        self.mirror = ""
        self._image = image
        self._stage: Stage | None = None
        self._at_bucket = self._is_from_bucket = self._is_resolving = self._is_elsewhere = False
        self._is_pull = "pull" in text
        self._is_about_a_pull = _PULL_WORDS.search(text) is not None
        self._service = ""
        self._labels: list[str] = []  # links without a known phrase
        self._is_carried = self._is_of_daemon = self._is_of_imds = False
        # AWS may have refused something that is not part of a pull, such as a secret or a volume.
        self._refused_other = NOT_AUTHORIZED in attempt and denial is None
        self._is_ecr = "ecr" in attempt.lower() and "perform sts:" not in attempt and not self._refused_other
        before: list[str] = []
        for link in LINK.split(attempt, maxsplit=_MOST_LINKS):
            words = words_of(link)
            self._update_stage(link, words)
            meaning = self._meaning_of(words, before, link)
            if meaning and not self._is_unrelated(words):
                self._keep_if_heavier(meaning)
            elif not meaning:
                self._add_label(words)
            before = words
        if denial is None and self._is_about_a_pull and not self._is_elsewhere:
            self._add_page(attempt)
        self._add_s3_error(attempt)
        if self.meaning.symptom is Symptom.UNKNOWN and not self.answer:
            self.stage = self._stage
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

    def _add_page(self, attempt: str) -> None:
        """Take a page, or a gateway's words, as the answer of somebody in the registry's place.

        Registries outside ECR may answer with pages. So may a load balancer of Amazon, with a server error, and Amazon
        CloudFront for ECR Public: such a page leaves open whose it is.
        """
        kind = self._image.kind if self._image else None
        said = self.meaning.symptom
        if kind is RegistryKind.OTHER:
            return
        if said is Symptom.UNKNOWN and self.answer is None and has_html(attempt):
            self.meaning, self.answer = UNKNOWN_STATUS, UNKNOWN_STATUS.answer
        if said not in _REFUSED and said is not Symptom.REGISTRY_ERROR:
            return
        is_early = self.stage in (Stage.MANIFEST, Stage.TOKEN) or (self.stage is None and self._is_of_daemon)
        if not is_page(attempt, may_be_storage=not is_early):
            return
        is_open = kind is RegistryKind.ECR_PUBLIC or said is Symptom.REGISTRY_ERROR
        # Cloudflare serves the layers of other registries, to which ECR may send a cache rule's client on.
        is_upstream = is_upstreams(self.url, self._image) or (self.stage is Stage.LAYER and is_cloudflares(attempt))
        self.meaning = UNKNOWN_STATUS if is_upstream or (is_open and not is_gateways(attempt)) else OF_PROXY
        self.answer, self.error_code = self.meaning.answer, None

    def _add_s3_error(self, attempt: str) -> None:
        """Add what S3 said in words. Without them only its status is known."""
        if self.answer is Answer.MIRROR:
            return
        said = read_s3_error(attempt)
        if said and self._is_about_a_pull and not self._is_elsewhere:
            # S3's status says less than its words about a key.
            if self.meaning.symptom in (Symptom.UNKNOWN, said.symptom) or said.answer is Answer.KEY:
                self._keep_if_heavier(said._replace(weight=self.meaning.weight))
            self._is_from_bucket = True
            if said.answer is not Answer.HTTP or self.meaning.symptom is Symptom.UNKNOWN:
                self.answer = said.answer
            self.stage = self.stage or Stage.LAYER
        elif self.stage is Stage.LAYER and is_from_s3(attempt):
            self._is_from_bucket = True
        if self.meaning.symptom is Symptom.NOT_FOUND and self.answer is None:
            if self._is_from_bucket:
                self.answer = Answer.OBJECT
            elif self.error_code == "blob unknown" and self.stage is Stage.LAYER:
                self.answer = Answer.BLOB
        # ECR signed the URL, so it had let the role through (Amazon ECR API Reference, GetDownloadUrlForLayer).
        if self.meaning.symptom is Symptom.ACCESS_DENIED and self._is_from_bucket and self.answer is None:
            self.answer = Answer.STORAGE

    def _meaning_of(self, words: list[str], before: list[str], link: str) -> Meaning | None:
        if words and before == _API_STATUS and self._service == "ecr" and _STATUS.fullmatch(words[0]):
            return API_STATUSES.get(words[0], UNKNOWN_STATUS)
        meaning = read_link(words, before, link) or self._aws_error(link)
        if meaning and (mirror := mirror_of(words, before, self.url, self._image, self._stage)):
            self.mirror = mirror
            return MIRROR_ANSWERED
        if meaning and self._is_of_upstream(meaning, read_status(words, before)):
            return UNKNOWN_STATUS
        if meaning and meaning.symptom is Symptom.NOT_FOUND and self._stage is Stage.TOKEN:
            return UNKNOWN_STATUS  # a token service that is not found says nothing about the image
        return meaning

    def _is_of_upstream(self, meaning: Meaning, status: str | None) -> bool:
        """Whether a status is one of an upstream registry's own storage or gateway, so no policy's and no proxy's."""
        if status is None or not is_upstreams(self.url, self._image):
            return False
        is_private = self._image is not None and self._image.kind is not RegistryKind.OTHER
        is_refusal = meaning.symptom is Symptom.ACCESS_DENIED and self._stage is Stage.LAYER and is_private
        return status in GATEWAY_STATUSES or is_refusal

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
        if meaning.symptom is Symptom.UNKNOWN is not self.meaning.symptom and meaning.weight < Weight.SOMEBODY_ELSE:
            return  # an answer that means nothing by itself is no reason against one that does
        self.answer = meaning.answer or (self.answer if meaning.symptom is self.meaning.symptom else None)
        self.meaning, self.stage, self._is_from_bucket = meaning, self._stage, self._at_bucket
        self.error_code = meaning.code or self.error_code


def _part(words: list[str]) -> Stage | None:
    """Return the stage of the part of an image that containerd names: "manifest-sha256:…", "layer-sha256:…"."""
    parts = (_PART.match(word) for word in words)
    kind = next((match[1] for match in parts if match), None)
    return None if kind is None else Stage.MANIFEST if kind in ("manifest", "index") else Stage.LAYER
