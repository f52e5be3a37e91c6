"""Opsgenie, Alert API: https://docs.opsgenie.com/docs/alert-api. Jira Service Management has the same for its alerts.

The secret: {"api_key": "…"}, the key of an API integration. In the EU also "url": "https://api.eu.opsgenie.com", in
Jira Service Management "url": "https://api.atlassian.com/jsm/ops/integration".
"""

from __future__ import annotations

from incident import Incident, send

PRIORITIES = {"CRITICAL": "P1", "HIGH": "P2", "MEDIUM": "P3", "LOW": "P4", "INFORMATIONAL": "P5"}
_MOST_MESSAGE = 130
_MOST_DESCRIPTION = 15_000
_MOST_NOTE = 25_000
_SOURCE = "Pull Responder"


def tell(incident: Incident, secret: dict[str, str]) -> None:
    """Open the alert of a problem, add to it, or close it. An open alert of the same alias is not opened twice."""
    url = f"{secret.get('url', 'https://api.opsgenie.com')}/v2/alerts"
    headers = {"Authorization": f"GenieKey {secret['api_key']}"}
    alias = incident.key.replace("/", ":")  # it stands in a path
    note = {"source": _SOURCE, "note": incident.text[:_MOST_NOTE]}
    if incident.is_over:
        send("POST", f"{url}/{alias}/close?identifierType=alias", headers, note)
        return
    alert = {
        "alias": alias,
        "message": incident.title[:_MOST_MESSAGE],
        "description": incident.text[:_MOST_DESCRIPTION],
        "priority": PRIORITIES[incident.severity],
        "source": _SOURCE,
        "entity": incident.resource[:512],
        "tags": [incident.cause],
        "details": {"cluster": incident.cluster, "account": incident.account, "link": incident.link or ""},
    }
    send("POST", url, headers, alert)
    if not incident.is_new:
        # A second alert of the same alias is only counted: it changes neither the text nor the priority.
        priority = {"priority": PRIORITIES[incident.severity]}
        send("PUT", f"{url}/{alias}/priority?identifierType=alias", headers, priority)
        send("POST", f"{url}/{alias}/notes?identifierType=alias", headers, note)
