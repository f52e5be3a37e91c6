"""PagerDuty, Events API v2: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/.

The secret: {"routing_key": "…"}, in the EU also "url": "https://events.eu.pagerduty.com".
"""

from __future__ import annotations

from typing import Any

from incident import Incident, send

SEVERITIES = {"CRITICAL": "critical", "HIGH": "error", "MEDIUM": "warning", "LOW": "info", "INFORMATIONAL": "info"}
_MOST_SUMMARY = 1024


def tell(incident: Incident, secret: dict[str, str]) -> None:
    """Trigger the alert of a problem, or resolve it. PagerDuty drops the end of an alert that it does not know."""
    event: dict[str, Any] = {"routing_key": secret["routing_key"], "dedup_key": incident.key, "event_action": "resolve"}
    if not incident.is_over:
        payload = {
            "summary": incident.title[:_MOST_SUMMARY],
            "source": incident.resource,
            "severity": SEVERITIES[incident.severity],
            "timestamp": incident.at,
            "component": incident.resource,
            "group": incident.cluster or incident.account,
            "class": incident.cause,
            "custom_details": {"text": incident.text, "account": incident.account, "region": incident.region},
        }
        links = [{"href": incident.link, "text": incident.cause}] if incident.link else []
        event |= {"event_action": "trigger", "payload": payload, "links": links, "client": "Pull Responder"}
    send("POST", f"{secret.get('url', 'https://events.pagerduty.com')}/v2/enqueue", {}, event)
