"""Jira Cloud, REST API v3: https://developer.atlassian.com/cloud/jira/platform/rest/v3/.

The secret: {"url": "https://NAME.atlassian.net", "user": "…", "token": "…", "project": "OPS", "issue_type": "Task"}.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from incident import Incident, send

_MOST_SUMMARY = 255
_MOST_TEXT = 30_000


def tell(incident: Incident, secret: dict[str, str]) -> None:
    """Create the issue of a problem, comment on it, or move it to a status of the category Done."""
    url = f"{secret['url']}/rest/api/3"
    login = b64encode(f"{secret['user']}:{secret['token']}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"}
    label = "".join(each if each.isalnum() else "-" for each in incident.key)
    search = {
        "jql": f'project = "{secret["project"]}" AND labels = "{label}" AND statusCategory != Done',
        "fields": ["status"],
        "maxResults": 10,
    }
    found = [each["key"] for each in send("POST", f"{url}/search/jql", headers, search)["issues"]]
    if not found and not incident.is_over:
        fields = {
            "project": {"key": secret["project"]},
            "issuetype": {"name": secret["issue_type"]},
            "summary": incident.title[:_MOST_SUMMARY],
            "description": _document(incident),
            "labels": [label, "pull-responder"],
        }
        send("POST", f"{url}/issue", headers, {"fields": fields})
    for issue in found:
        send("POST", f"{url}/issue/{issue}/comment", headers, {"body": _document(incident)})
        if incident.is_over:
            known = send("GET", f"{url}/issue/{issue}/transitions", headers)["transitions"]
            to_done = [each["id"] for each in known if each["to"]["statusCategory"]["key"] == "done"]
            if not to_done:
                raise LookupError(f"{issue} has no transition to a status of the category Done")
            send("POST", f"{url}/issue/{issue}/transitions", headers, {"transition": {"id": to_done[0]}})


def _document(incident: Incident) -> dict[str, Any]:
    """Return the text in the Atlassian Document Format, whose text nodes are never formatted."""
    block = {"type": "codeBlock", "content": [{"type": "text", "text": incident.text[:_MOST_TEXT]}]}
    link = {"type": "text", "text": "Page of the cause", "marks": [{"type": "link", "attrs": {"href": incident.link}}]}
    page = [{"type": "paragraph", "content": [link]}] if incident.link else []
    return {"type": "doc", "version": 1, "content": [block, *page]}
