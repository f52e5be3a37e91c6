"""Incident tools, as far as docs/recipes.md uses them. Each refuses what its vendor's documentation does not allow.

- PagerDuty: Events API v2, "Send an Alert Event" and "Responses and Limits"
- Opsgenie: Alert API, "Create Alert", "Close Alert", "Add Note to Alert", "Update Alert Priority"
- Jira Cloud: REST API v3, issue search by JQL, issues, comments, transitions; Atlassian Document Format
- ServiceNow: Table API, table `incident`
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGIN: Final = "jo:secret"


class Refused(Exception):  # noqa: N818 -- what a vendor answers
    """The vendor answers with `status`."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass
class Incident:
    """An incident of a vendor, with everything that was said in it."""

    key: str
    title: str
    severity: str
    said: list[str] = field(default_factory=list)
    is_open: bool = True


@dataclass
class Vendor:
    """A vendor's tool. `refuses` makes it answer every call with a status, as when it is down."""

    secret: dict[str, str]
    incidents: list[Incident] = field(default_factory=list)
    refuses: int = 0

    def open(self, key: str) -> Incident | None:
        return next((each for each in self.incidents if each.key == key and each.is_open), None)

    def answer(self, method: str, path: str, query: dict[str, list[str]], login: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 -- JSON
        raise NotImplementedError


def bounded(text: object, most: int, *, least: int = 1) -> str:
    if not isinstance(text, str) or not least <= len(text) <= most:
        raise Refused(400, f"{text!r:.80} is no text of {least} to {most} characters")
    return text


class PagerDuty(Vendor):
    def answer(self, method: str, path: str, _query: dict[str, list[str]], _login: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 -- JSON
        if (method, path) != ("POST", "/v2/enqueue"):
            raise Refused(404, path)
        if body["routing_key"] != self.secret["routing_key"] or len(body["routing_key"]) != 32:
            raise Refused(400, "routing_key")
        key = bounded(body["dedup_key"], 255)
        known = self.open(key)
        if body["event_action"] == "resolve":
            if known:
                known.is_open = False
        elif body["event_action"] == "trigger":
            payload = body["payload"]
            title, severity = bounded(payload["summary"], 1024), payload["severity"]
            bounded(payload["source"], 10_000)
            if severity not in {"critical", "error", "warning", "info"}:
                raise Refused(400, severity)
            if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", payload["timestamp"]):
                raise Refused(400, payload["timestamp"])
            if not all(link["href"].startswith("https://") for link in body["links"]):
                raise Refused(400, "links")
            if known is None:
                known = Incident(key, title, severity)
                self.incidents.append(known)
            known.said.append(payload["custom_details"]["text"])
            known.severity = severity
        else:
            raise Refused(400, body["event_action"])
        return 202, {"status": "success", "message": "Event processed", "dedup_key": key}


class Opsgenie(Vendor):
    def answer(self, method: str, path: str, query: dict[str, list[str]], login: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 -- JSON
        if login != f"GenieKey {self.secret['api_key']}":
            raise Refused(422, "Key format is not valid")
        if (method, path) == ("POST", "/v2/alerts"):
            alias, title = bounded(body["alias"], 512), bounded(body["message"], 130)
            bounded(body["description"], 15_000)
            bounded(body["source"], 100)
            bounded(body["entity"], 512)
            if body["priority"] not in {"P1", "P2", "P3", "P4", "P5"} or len(body["tags"]) > 20:
                raise Refused(422, "priority")
            if not all(isinstance(each, str) for each in body["details"].values()):
                raise Refused(422, "details")
            if not self.open(alias):  # else the alert is only counted
                self.incidents.append(Incident(alias, title, body["priority"], [body["description"]]))
        else:
            place = re.fullmatch(r"/v2/alerts/([^/]+)/(close|notes|priority)", path)
            if place is None or query.get("identifierType") != ["alias"]:
                raise Refused(404, path)
            self._change(self.open(unquote(place[1])), f"{method} {place[2]}", body)
        return 202, {"result": "Request will be processed", "took": 0.1, "requestId": "43a29c5c"}

    def _change(self, known: Incident | None, what: str, body: Any) -> None:  # noqa: ANN401 -- JSON
        match what:
            case "POST close" | "POST notes":
                note = bounded(body["note"], 25_000)
                if known:
                    known.said.append(note)
                    known.is_open = what == "POST notes"
            case "PUT priority" if known:
                known.severity = bounded(body["priority"], 2)
            case _:
                raise Refused(405, what)


class Jira(Vendor):
    _TRANSITIONS: Final = (
        {"id": "11", "name": "Start", "to": {"name": "In Progress", "statusCategory": {"key": "indeterminate"}}},
        {"id": "31", "name": "Done", "to": {"name": "Done", "statusCategory": {"key": "done"}}},
    )

    def answer(self, method: str, path: str, _query: dict[str, list[str]], login: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 -- JSON
        check_login(login)
        if (method, path) == ("POST", "/rest/api/3/search/jql"):
            asked = re.fullmatch(r'project = "OPS" AND labels = "([^\s"]+)" AND statusCategory != Done', body["jql"])
            if asked is None:
                raise Refused(400, body["jql"])
            found = [f"OPS-{number}" for number, each in enumerate(self.incidents) if each.key == asked[1]]
            return 200, {"issues": [{"key": each} for each in found if self._issue(each).is_open], "isLast": True}
        if (method, path) == ("POST", "/rest/api/3/issue"):
            fields = body["fields"]
            if (fields["project"], fields["issuetype"]) != ({"key": "OPS"}, {"name": "Task"}):
                raise Refused(400, "project and issuetype")
            label = bounded(fields["labels"][0], 255)
            if re.search(r"\s", label) or "\n" in fields["summary"]:
                raise Refused(400, "a label has no spaces, and a summary is one line")
            made = Incident(label, bounded(fields["summary"], 255), "", [text_of(fields["description"])])
            self.incidents.append(made)
            return 201, {"id": "10000", "key": f"OPS-{len(self.incidents) - 1}"}
        place = re.fullmatch(r"/rest/api/3/issue/([A-Z]+-\d+)/(comment|transitions)", path)
        if place is None:
            raise Refused(404, path)
        issue = self._issue(place[1])
        match method, place[2]:
            case "POST", "comment":
                issue.said.append(text_of(body["body"]))
                return 201, {"id": "1"}
            case "GET", "transitions":
                return 200, {"transitions": self._TRANSITIONS}
            case "POST", "transitions":
                issue.is_open = body["transition"]["id"] != "31"
                return 204, None
        raise Refused(405, path)

    def _issue(self, key: str) -> Incident:
        return self.incidents[int(key.removeprefix("OPS-"))]


class ServiceNow(Vendor):
    def answer(self, method: str, path: str, query: dict[str, list[str]], login: str, body: Any) -> tuple[int, Any]:  # noqa: ANN401 -- JSON
        check_login(login)
        table, _, sys_id = path.removeprefix("/api/now/table/").partition("/")
        if table != "incident":
            raise Refused(404, path)
        match method, bool(sys_id):
            case "GET", False:
                asked = re.fullmatch(r"correlation_id=([^^]+)\^stateNOT IN6,7,8", query["sysparm_query"][0])
                if asked is None or query["sysparm_fields"] != ["sys_id"]:
                    raise Refused(400, str(query))
                found = [number for number, each in enumerate(self.incidents) if each.key == asked[1] and each.is_open]
                return 200, {"result": [{"sys_id": f"{each:032x}"} for each in found]}
            case "POST", False:
                made = Incident(
                    bounded(body["correlation_id"], 100),
                    bounded(body["short_description"], 160),
                    self._level(body),
                    [bounded(body["description"], 4_000)],
                )
                self.incidents.append(made)
                return 201, {"result": {"sys_id": f"{len(self.incidents) - 1:032x}"}}
            case "PATCH", True:
                known = self.incidents[int(sys_id, 16)]
                if body.get("state") == "6":
                    # The data policy of `incident`: who resolves says how.
                    known.said.append(bounded(body["close_notes"], 4_000))
                    bounded(body["close_code"], 40)
                    known.is_open = False
                else:
                    known.said.append(bounded(body["work_notes"], 4_000))
                    known.severity = self._level(body)
                return 200, {"result": {"sys_id": sys_id}}
        raise Refused(405, path)

    def _level(self, body: Any) -> str:  # noqa: ANN401 -- JSON
        if body["impact"] not in {"1", "2", "3"} or body["urgency"] not in {"1", "2", "3"}:
            raise Refused(400, "impact and urgency")
        return str(body["urgency"])


VENDORS: Final = {
    "pagerduty": (PagerDuty, {"routing_key": "0123456789abcdef0123456789abcdef"}),
    "opsgenie": (Opsgenie, {"api_key": "0a1b2c3d-0000-4000-8000-000000000001"}),
    "jira": (Jira, {"user": "jo", "token": "secret", "project": "OPS", "issue_type": "Task"}),
    "servicenow": (ServiceNow, {"user": "jo", "password": "secret"}),
}


def check_login(login: str) -> None:
    if b64decode(login.removeprefix("Basic ")).decode() != _LOGIN:
        raise Refused(401, "login")


def text_of(document: Any) -> str:  # noqa: ANN401 -- JSON
    """Return the text of a document in the Atlassian Document Format."""
    if (document["type"], document["version"]) != ("doc", 1):
        raise Refused(400, "no Atlassian Document Format")
    texts = [leaf for block in document["content"] for leaf in block["content"]]
    for each in texts:
        if each["type"] != "text" or not each["text"]:
            raise Refused(400, "a text node must not be empty")
        if not all(mark["attrs"]["href"].startswith("https://") for mark in each.get("marks", [])):
            raise Refused(400, "marks")
    return "\n".join(each["text"] for each in texts)


@contextmanager
def serve(name: str) -> Iterator[Vendor]:
    """Serve a vendor's tool on a port of this machine. The secret names its URL."""
    kind, secret = VENDORS[name]
    vendor = kind(dict(secret))

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            try:
                if vendor.refuses:
                    raise Refused(vendor.refuses, "down")  # noqa: TRY301 -- as all others
                body = json.loads(text) if text else None
                login = self.headers.get("Authorization", "")
                status, said = vendor.answer(self.command, parts.path, parse_qs(parts.query), login, body)
            except Refused as refused:
                status, said = refused.status, {"message": str(refused)}
            sent = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_PATCH = _answer  # noqa: N815 -- http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        vendor.secret["url"] = f"http://127.0.0.1:{server.server_address[1]}"
        yield vendor
        server.shutdown()
