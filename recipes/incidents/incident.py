"""What an incident says, and whether it is over, from a notification of Pull Responder (schema 2.x).

Vendors' modules have a function `tell(incident, secret)` that opens, updates or closes the incident of `incident.key`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

SCHEMA = "pull-responder/notification"
# A digest may be about thousands of problems. Only its worst open incidents: nobody is to be paged a thousand times.
MOST_OF_A_DIGEST = 10
_SECONDS = 10


@dataclass(frozen=True)
class Incident:
    """One problem, as one notification tells it.

    - `key`: the same in all notifications about the problem.
    - `is_over`: whether nothing that is known stops its pulls any more.
    - `is_new`: whether this is the first notification about it.
    - `title`: one line. `text`: several.
    - `severity`: CRITICAL, HIGH, MEDIUM, LOW or INFORMATIONAL.
    - `link`: the page of the cause, or AWS's page about the fix; None if there is neither.
    """

    key: str
    is_over: bool
    is_new: bool
    title: str
    text: str
    severity: str
    cause: str = ""
    resource: str = ""
    cluster: str = ""
    account: str = ""
    region: str = ""
    at: str = ""
    link: str | None = None


def read_document(body: str) -> dict[str, Any] | None:
    """Return the notification in a message, None if it is something else, as an alarm of CloudWatch is."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    is_ours = isinstance(document, dict) and document.get("schema") == SCHEMA
    return document if is_ours and str(document.get("version")).startswith("2.") else None


def incidents(document: dict[str, Any]) -> list[Incident]:
    """Return the incidents that a notification is about: one, or several for a digest."""
    return _of_digest(document) if document["edge"] == "digest" else [_of_alert(document)]


def send(method: str, url: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 -- JSON
    """Send a request, and return the JSON of its answer. Raises OSError unless the status is 2xx."""
    data = None if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", "Accept": "application/json", **headers}
    # The URL is from your secret.
    with urlopen(Request(url, data, given, method=method), timeout=_SECONDS) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None


def _of_alert(document: dict[str, Any]) -> Incident:
    worst = document["findings"][0]
    is_resolved = document["edge"] == "resolved"
    others = document["others"]
    lines = [f"{document['edge'].upper()} {document['severity']}"]
    for finding in document["findings"]:
        lines += _resolved(finding) if is_resolved else _broken(finding)
    if others is None:
        lines += ["", "Whether something else stops the same pulls could not be read."]
    elif others:
        lines += ["", "Also stops these pulls:"]
        lines += [_plain(f"- {each['title']}: {each['resource']['id']}") for each in others]
    return Incident(
        key=document["problem"],
        # A problem may have several causes. While one of them is open, or that is not known, pulls may still fail.
        is_over=is_resolved and others == [],
        is_new=document["edge"] == "new",
        title=_title(worst),
        text="\n".join([*lines, "", *_hit(document["reach"])]),
        severity=document["severity"],
        cause=worst["cause"],
        resource=worst["resource"]["id"],
        cluster=worst["cluster"] or "",
        account=worst["account"] or "",
        region=worst["region"] or "",
        at=document["at"],
        link=worst["runbook_url"] or worst["remediation"]["docs_url"],
    )


def _of_digest(document: dict[str, Any]) -> list[Incident]:
    """Return the worst problems of a digest that are open, and all that are over."""
    opened = [each for each in document["findings"] if each["edge"] != "resolved"]
    worst = {each["problem"]: each for each in reversed(opened)}
    told = f"Told in a digest of {document['count']} findings. Security Hub has all of them."
    found = [
        Incident(
            key=key,
            is_over=False,
            is_new=each["edge"] == "new",
            title=_title(each),
            text="\n".join(
                [f"{each['edge'].upper()} {each['severity']}", *_fix(each["remediation"]), f"Id: {each['id']}", told]
            ),
            severity=each["severity"],
            cause=each["cause"],
            resource=each["resource"]["id"],
            cluster=each["cluster"] or "",
            account=each["account"] or "",
            region=each["region"] or "",
            at=document["at"],
            link=each["remediation"]["docs_url"],
        )
        for key, each in list(reversed(worst.items()))[:MOST_OF_A_DIGEST]
    ]
    over = f"RESOLVED: the causes are gone. {told}"
    return found + [
        Incident(key, is_over=True, is_new=False, title="", text=over, severity=document["severity"], at=document["at"])
        for key in document["over"]
    ]


def _title(finding: dict[str, Any]) -> str:
    where = f", cluster {finding['cluster']}" if finding["cluster"] else ""
    return _plain(f"{finding['title']}: {finding['resource']['id'].rsplit(':', 1)[-1]}{where}")


def _broken(finding: dict[str, Any]) -> list[str]:
    changed = finding["broken_by"]
    by = [f"Changed by {changed['by']} with {changed['call']} at {changed['at']}"] if changed else []
    because = [finding["because"]] if finding["because"] else []
    said = [finding["title"], finding["resource"]["id"], finding["explanation"], *because, *by]
    return ["", *map(_plain, said), *_fix(finding["remediation"])]


def _resolved(finding: dict[str, Any]) -> list[str]:
    by = [f"{each['call']} by {each['by']} at {each['at']}" for each in finding["fixed_by"]]
    return ["", *map(_plain, [finding["title"], finding["resource"]["id"], finding["because"], *by])]


def _fix(remediation: dict[str, Any]) -> list[str]:
    commands = remediation.get("commands", [])
    where = f"Run in account {remediation.get('account')}, region {remediation.get('region')}:"
    return [_plain(f"Do this: {remediation['summary']}"), *([where, *commands] if commands else [])]


def _hit(reach: dict[str, Any]) -> list[str]:
    """Return who is hit, and since when."""
    counts = f"{reach['pod_count']} pods on {reach['node_count']} nodes, {reach['events']} failures"
    said = [counts, f"Since {reach['first_seen_at']}"]
    said += [f"Pods: {', '.join(reach['pods'])}"] if reach["pods"] else []
    return [_plain(each) for each in said]


def _plain(text: str) -> str:
    """Return text that may come from a pod or an event, with URLs that nobody can click."""
    return text.replace("://", "[:]//")
