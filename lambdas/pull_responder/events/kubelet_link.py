"""Read one link of a runtime's chain of errors: its words, and what they mean after the link before it."""

from __future__ import annotations

import re
from typing import Final

from pull_responder.events.http_statuses import OF_PROXY, STATUS_PLACES, STATUS_TEXTS, STATUSES, UNKNOWN_STATUS
from pull_responder.events.kubelet_phrases import NODE_REFUSED, NOT_PERMITTED, PHRASES, WHOLE_LINKS
from pull_responder.events.meaning import Meaning, Weight
from pull_responder.events.phrase import PhraseTable
from pull_responder.events.runtime_faults import read_runtime_fault
from pull_responder.model.pull import Symptom

_GRPC_STATUS: Final = re.compile(r"code = [A-Za-z]{1,20} desc = ")
_STATUS: Final = re.compile(r"[1-5][0-9]{2}")
_REASON_PHRASE: Final = re.compile(r"[A-Z][^\W\d_A-Z]{3,30}|[A-Z][\w'-]*+(?: [\w'()./&-]++){1,11}")
# Go's words for an answer without a reason phrase.
_NO_PHRASE: Final = ["unknown", "status", "code"]
# A credential helper of docker, nerdctl or BuildKit (docker/docker-credential-helpers, client/command.go).
_HELPER: Final = "docker-credential-"
_NO_CREDENTIALS: Final = Meaning(Symptom.NOT_AUTHENTICATED, Weight.EXACT)
# Why a program did not start, in the words of Go's os/exec.
_NOT_STARTED: Final = (
    "executable file not found",
    "no such file or directory",
    "permission denied",
    "exec format error",
)
_NO_MANIFEST: Final = ["could", "not", "fetch", "content"]

_MEANINGS: Final = PhraseTable(PHRASES)
_STATUS_PLACES: Final = PhraseTable(dict.fromkeys(STATUS_PLACES, True))


def words_of(link: str) -> list[str]:
    """Return the words of a link in lower case, without punctuation at their ends."""
    link = link.strip().removeprefix("[").removeprefix("`")
    status = _GRPC_STATUS.match(link)
    words = link[status.end() if status else 0 :].split()
    if words and words[0].startswith('"') and not words[0].endswith('"'):
        words[0] = words[0][1:]  # a quoted message; a quoted name is one word and keeps its quotes
    return [word.lower().rstrip("\"'`.,;:)]}") for word in words]


def read_link(words: list[str], before: list[str], link: str) -> Meaning | None:
    """Return the meaning of a link, None if it is not known. `before` is the words of the link before it."""
    status = read_status(words, before)
    if status:
        return STATUSES.get(status, UNKNOWN_STATUS)
    if _is_refusal_of_proxy(words, before, link):
        return OF_PROXY
    if before[:3] == ["error", "from", "registry"] and (named := STATUS_TEXTS.get(" ".join(words))):
        return STATUSES.get(named, UNKNOWN_STATUS)
    if refused := _refusal_of_kernel(words, before) or read_runtime_fault(words, before):
        return refused
    if words[:2] == ["not", "found"]:
        # containerd: 'failed to resolve reference "REF": REF: not found'.
        names_it = before[:3] == ["failed", "to", "resolve"] or (len(before) == 1 and "/" in before[0])
        return Meaning(Symptom.NOT_FOUND) if names_it else None
    meaning = WHOLE_LINKS.get(" ".join(words)) or _MEANINGS.find(words)
    return None if _is_word(meaning) and len(words) > 1 else meaning


def _refusal_of_kernel(words: list[str], before: list[str]) -> Meaning | None:
    """Return what it means that the node's kernel did not send a request or start a credential helper."""
    if before in (["connect"], ["socket"]) and " ".join(words) in NOT_PERMITTED:
        return NODE_REFUSED
    return _NO_CREDENTIALS if before and _HELPER in before[-1] and says(words, _NOT_STARTED) else None


def _is_word(meaning: Meaning | None) -> bool:
    """Whether a phrase is one of the short error codes: alone it is a code, in a sentence a common word."""
    return meaning is not None and meaning.code is not None and " " not in meaning.code


def _is_refusal_of_proxy(words: list[str], before: list[str], link: str) -> bool:
    """Whether a link is what a proxy said in place of the registry.

    Where a proxy refuses CONNECT, Go gives no more than the reason phrase, after the URL (net/http,
    Transport.dialConn). A proxy may have a phrase of its own. Inference: one that begins with a capital letter is none
    of Go's own errors.
    """
    if any("text/html" in word for word in words):
        # A page for people where the manifest should be: something between the node and the registry answered.
        return words[:4] == _NO_MANIFEST or "media" in (*before, *words)
    if not _is_https(before):
        return False
    if words == _NO_PHRASE:
        return True
    meaning = _MEANINGS.find(words)
    phrase = link.strip('" ').partition('"')[0].rstrip(" ].")
    is_known = meaning is not None and not _is_word(meaning)
    return not is_known and _REASON_PHRASE.fullmatch(phrase) is not None


def read_status(words: list[str], before: list[str]) -> str | None:
    """Return the HTTP status, if it is in a place where runtimes write it; else None."""
    for link, rest in ((words, []), (before, words)):
        place = _STATUS_PLACES.match(link)
        if place:
            after = [*link[place[0] : place[0] + 1], *rest[:1]]
            return next((word for word in after if _STATUS.fullmatch(word)), None)
    return None


def says(words: list[str], phrases: tuple[str, ...]) -> bool:
    """Return whether a link has one of the phrases, anywhere in it."""
    padded = f" {' '.join(words)} "
    return any(f" {phrase} " in padded for phrase in phrases)


def _is_https(words: list[str]) -> bool:
    """Whether a link is Go's url.Error of an HTTPS request: a method and a quoted URL. A proxy must connect for it."""
    is_request = words[:1] in (["get"], ["head"], ["post"], ["put"])
    return is_request and len(words) == 2 and "https:" in words[1][:7]  # noqa: PLR2004 -- a method and a URL


def is_status_place(words: list[str]) -> bool:
    """Return whether a link begins with what runtimes write before an HTTP status."""
    return _STATUS_PLACES.match(words) is not None
