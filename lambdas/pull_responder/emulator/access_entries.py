"""Access entries for moto 5.2.5, which answers 404 for them. ministack has only the type EC2_LINUX for nodes.

Entries can be created, listed, described and deleted, with a type and nothing else.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from importlib import import_module
from typing import Any, Final
from urllib.parse import unquote, urlparse

_PATH: Final = re.compile(r"/clusters/(?P<cluster>[^/]+)/access-entries(?:/(?P<principal>.+))?")
_TYPES: Final[dict[str, dict[str, str]]] = defaultdict(dict)

_Reply = tuple[int, dict[str, str], str]


def apply() -> None:
    """Add access entries to moto in this process. Call it before moto's server starts."""
    paths = import_module("moto.eks.urls").url_paths
    paths["{0}/clusters/(?P<cluster>[^/]+)/access-entries$"] = _answer
    paths["{0}/clusters/(?P<cluster>[^/]+)/access-entries/(?P<principal>.+)$"] = _answer


def forget() -> None:
    """Delete all access entries."""
    _TYPES.clear()


def _answer(request: Any, full_url: str, _: object) -> _Reply:  # noqa: ANN401 -- a request of moto's server
    found = _PATH.fullmatch(unquote(urlparse(full_url).path))
    if found is None:
        return _refusal("InvalidParameterException", full_url)
    entries, principal = _TYPES[found["cluster"]], found["principal"]
    if request.method == "POST":
        body = json.loads(request.get_data(as_text=True))
        principal = body["principalArn"]
        entries[principal] = body.get("type", "STANDARD")
    elif principal is None:
        return 200, {}, json.dumps({"accessEntries": list(entries)})
    elif request.method == "DELETE":
        entries.pop(principal, None)
        return 200, {}, "{}"
    if principal not in entries:
        return _refusal("ResourceNotFoundException", principal)
    entry = {"clusterName": found["cluster"], "principalArn": principal, "type": entries[principal]}
    return 200, {}, json.dumps({"accessEntry": entry})


def _refusal(code: str, message: str) -> _Reply:
    return 404, {"x-amzn-errortype": code}, json.dumps({"__type": code, "message": message})
