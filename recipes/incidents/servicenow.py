"""ServiceNow, Table API, table `incident`: https://www.servicenow.com/docs/, "Table API".

The secret: {"url": "https://NAME.service-now.com", "user": "…", "password": "…"}. If your instance has no close code
"Solution provided", also "close_code": "…".
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from incident import Incident, send

# Impact and urgency, from 1 (high) to 3 (low).
LEVELS = {"CRITICAL": "1", "HIGH": "2", "MEDIUM": "3", "LOW": "3", "INFORMATIONAL": "3"}
_RESOLVED = "6"
_IS_OPEN = "stateNOT IN6,7,8"
_MOST_KEY = 100
_MOST_SHORT = 160
_MOST_TEXT = 4_000


def tell(incident: Incident, secret: dict[str, str]) -> None:
    """Create the incident of a problem, add a work note to it, or resolve it."""
    url = f"{secret['url']}/api/now/table/incident"
    login = b64encode(f"{secret['user']}:{secret['password']}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"}
    key = incident.key if len(incident.key) <= _MOST_KEY else sha256(incident.key.encode()).hexdigest()
    query = quote(f"correlation_id={key}^{_IS_OPEN}")
    found = send("GET", f"{url}?sysparm_query={query}&sysparm_fields=sys_id&sysparm_limit=10", headers)["result"]
    # In a journal field, [code] would make HTML of what follows.
    text = incident.text.replace("[code]", "[ code ]")[:_MOST_TEXT]
    levels = {"impact": LEVELS[incident.severity], "urgency": LEVELS[incident.severity]}
    changed: dict[str, Any] = {"work_notes": text, **levels}
    if incident.is_over:
        code = secret.get("close_code", "Solution provided")
        changed = {"state": _RESOLVED, "close_code": code, "close_notes": text}
    elif not found:
        created = {
            "short_description": incident.title[:_MOST_SHORT],
            "description": f"{text}\n{incident.link or ''}"[:_MOST_TEXT],
            "correlation_id": key,
            "correlation_display": "Pull Responder",
            **levels,
        }
        send("POST", url, headers, created)
    for each in found:
        send("PATCH", f"{url}/{each['sys_id']}", headers, changed)
