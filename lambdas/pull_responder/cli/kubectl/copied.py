"""Take a terminal's and a paste's additions from what kubectl prints: colours, indentation, and what stands around it.

kubectl writes its warnings and errors to standard error, and its logs in klog's text format (kubernetes
staging/src/k8s.io/kubectl/pkg/cmd/util/helpers.go); `2>&1` and a copied terminal put them around the objects.
"""

from __future__ import annotations

import re
from typing import Final

from pull_responder.model.printable import strip_escapes

# No line that begins an object.
_COMMAND: Final = r"(?![ \t]*+(?:\{|\[[ \t]*+[{\"]))[^\n]{0,200}[$#%>] ?(?:kubectl|kubecolor|oc|k) [^\n]*+"
# Of klog's lines those of client-go: kubelet's log has the same form.
_CLIENT: Final = r"(?:warnings|memcache|reflector|request|round_trippers|cached_discovery|versioner|loader)\.go:"
_WARNING: Final = rf"(?:Warning: |[WIE][0-9]{{4}} [0-9:.]{{8,20}} +[0-9]{{1,10}} {_CLIENT})[^\n]*+"
_ERROR: Final = r"(?:Error from server|error: |Unable to connect to the server)[^\n]*+"
_FENCE: Final = r"```[a-z]{0,10}"
_BEFORE: Final = re.compile(rf"(?:[ \t\r\n]*+(?:{_COMMAND}|{_WARNING}|{_ERROR}|{_FENCE})[ \t\r]*+\n)++")
_AFTER: Final = re.compile(rf"(?:{_WARNING}|{_ERROR}|{_FENCE})[ \t\r]*+")
_SAID: Final = re.compile(_ERROR)
_INDENTED: Final = re.compile(r"[\r\n]*+([ \t]{1,64}+)\S")
_MOST_AFTER: Final = 100


def without_surroundings(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a text without what a terminal added, and the errors of kubectl's that stood before or after the rest.

    Lines keep their numbers. A text that is nothing but such lines is returned whole, without an error.
    """
    if "\x1b" in text:
        text = strip_escapes(text)
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    end = _end(text, start)
    if not text[start:end].strip():
        return text, ()
    around = [line.strip() for line in (text[:start] + "\n" + text[end:]).split("\n")]
    body = text[start:end]
    if start:
        body = "\n" * text.count("\n", 0, start) + body
    return body, tuple(dict.fromkeys(line for line in around if _SAID.match(line)))


def _end(text: str, start: int) -> int:
    """Return where the last line ends that is neither empty nor one of kubectl's own."""
    end = len(text)
    for _ in range(_MOST_AFTER):
        line = text.rfind("\n", start, end) + 1
        if line <= start or not (_AFTER.fullmatch(text, line, end) or not text[line:end].strip()):
            return end
        end = line - 1
    return end


def at_the_margin(text: str) -> str:
    """Return a text whose lines are all indented, as in a message or a document, at the margin."""
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    found = _INDENTED.match(text)
    if found is None:
        return text
    lines = text.split("\n")
    if not all(line.startswith(found[1]) or not line.strip() for line in lines):
        return text
    return "\n".join(line.removeprefix(found[1]) for line in lines)
