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
# The edges of a finding whose cause is gone.
_RESOLVED = ("resolved", "resolved_in_part")


@dataclass(frozen=True)
class Incident:
    """One problem, as one notification tells it.

    - `key`: the same in all notifications about the problem.
    - `is_over`: whether nothing that is known stops its pulls any more.
    - `is_new`: whether this is the first notification about it.
    - `title`: one line. `text`: several.
    - `severity`: CRITICAL, HIGH, MEDIUM, LOW or INFORMATIONAL.
    - `had`: of what is resolved in part, the severity of the part that is over; else empty.
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
    had: str = ""


def read_document(body: str) -> dict[str, Any] | None:
    """Return the notification in a message, None if it is something else, as an alarm of CloudWatch is."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    is_ours = isinstance(document, dict) and document.get("schema") == SCHEMA
    return document if is_ours and str(document.get("version")).startswith("2.") else None


def incidents(document: dict[str, Any]) -> list[Incident]:
    """Return the incidents that a notification is about: one or several."""
    if document["edge"] == "digest":
        return [*_of_digest(document), *_over(document, document["over"], f"the causes are gone. {_told(document)}")]
    incident = _of_alert(document)
    # The end of a finding may end others' incidents, which were opened before it was known that they share a pull.
    beside = [key for key in document.get("over", []) if key != incident.key]
    return [incident, *_over(document, beside, f"the last cause is gone: {incident.title}")]


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
    is_resolved = document["edge"] in _RESOLVED
    others = document["others"]
    key = document["problem"]
    # A problem may have several causes. While one of them is open, or that is not known, pulls may still fail.
    # Documents without `over` are of an earlier version.
    is_over = key in document["over"] if "over" in document else is_resolved and others == []
    # What is resolved in part is from now on about what is left.
    told = {each["id"] for each in (*document["findings"], *(others or []))}
    still_open = [each for each in document.get("still_open", []) if each["id"] not in told]
    left = [*(others or []), *still_open] if is_resolved and not is_over else []
    open_beside = [
        *_named("Also stops these pulls:", others or [], with_fix=bool(left)),
        *_named("Told as this incident, too, and still open:", still_open, with_fix=bool(left)),
    ]
    lines = [f"{document['edge'].upper()} {document['severity']}"]
    if left:
        lines = ["RESOLVED IN PART", *open_beside, "", "This part is over:"]
    for finding in document["findings"]:
        lines += _resolved(finding) if is_resolved else _broken(finding)
    if others is None:
        lines += ["", "Whether something else stops the same pulls could not be read."]
    if not left:
        lines += open_beside
    return _incident(
        document,
        key,
        {**worst, **left[0]} if left else worst,
        lines=[*lines, "", *_hit(document["reach"])],
        severity=left[0]["severity"] if left else document["severity"],
        link=(left[0] if left else worst).get("runbook_url"),
        is_over=is_over,
        had=document["severity"] if left else "",
    )


def _of_digest(document: dict[str, Any]) -> list[Incident]:
    """Return the worst problems of a digest that are open."""
    opened = [each for each in document["findings"] if each["edge"] not in _RESOLVED]
    worst = {each["problem"]: each for each in reversed(opened)}
    return [
        _incident(
            document,
            key,
            each,
            lines=[
                f"{each['edge'].upper()} {each['severity']}",
                *_fix(each["remediation"]),
                f"Id: {each['id']}",
                _told(document),
            ],
            severity=each["severity"],
        )
        for key, each in list(reversed(worst.items()))[:MOST_OF_A_DIGEST]
    ]


def _incident(  # noqa: PLR0913 -- keyword-only but for what it is about
    document: dict[str, Any],
    key: str,
    finding: dict[str, Any],
    *,
    lines: list[str],
    severity: str,
    link: str | None = None,
    is_over: bool = False,
    had: str = "",
) -> Incident:
    """Return the incident `key`, whose worst finding is `finding`. Of a digest, its edge is the finding's own."""
    return Incident(
        key=key,
        is_over=is_over,
        is_new=finding.get("edge", document["edge"]) == "new",
        title=_title(finding),
        text="\n".join(lines),
        severity=severity,
        cause=finding["cause"],
        resource=finding["resource"]["id"],
        cluster=finding["cluster"] or "",
        account=finding["account"] or "",
        region=finding["region"] or "",
        at=document["at"],
        link=link or (finding["remediation"] or {}).get("docs_url"),
        had=had,
    )


def _told(digest: dict[str, Any]) -> str:
    return f"Told in a digest of {digest['count']} findings. Security Hub has all of them."


def _over(document: dict[str, Any], keys: list[str], because: str) -> list[Incident]:
    """Return problems that are over, told by a message about something else."""
    text = _plain(f"RESOLVED: {because}")
    return [
        Incident(key, is_over=True, is_new=False, title="", text=text, severity=document["severity"], at=document["at"])
        for key in keys
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


def _named(heading: str, findings: list[dict[str, Any]], *, with_fix: bool) -> list[str]:
    lines = []
    for each in findings:
        lines.append(_plain(f"- {each['title']}: {each['resource']['id']}"))
        lines += _fix(each["remediation"]) if with_fix else []
    return ["", heading, *lines] if lines else []


def _hit(reach: dict[str, Any]) -> list[str]:
    """Return who is hit, and since when."""
    counts = f"{reach['pod_count']} pods on {reach['node_count']} nodes, {reach['events']} failures"
    said = [counts, f"Since {reach['first_seen_at']}"]
    said += [f"Pods: {', '.join(reach['pods'])}"] if reach["pods"] else []
    return [_plain(each) for each in said]


def _plain(text: str) -> str:
    """Return text that may come from a pod or an event, with URLs that nobody can click."""
    return text.replace("://", "[:]//")
