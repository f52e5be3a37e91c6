"""The names by which the stack of an organization's hub and the template of its members know each other.

The template is plain, so nothing but names leads from one to the other.
"""

from __future__ import annotations

from typing import Final

# The event bus in the hub's account and region.
BUS_NAME: Final = "pull-responder"
# The stream of audit logs in the hub's region.
AUDIT_LOGS_NAME: Final = "PullResponderAuditLogs"


def function_role_name(function: str, region: str) -> str:
    """Return the name of a function's role in the hub. Members trust it by this name.

    A role that is deleted and made again has another id, and trust in its ARN would be lost (IAM User Guide, "IAM
    identifiers"). IAM is global, so that the hubs of two regions of an account need two names.
    """
    return f"PullResponder-{function}-{region}"


def audit_logs_role_name(region: str) -> str:
    """Return the name of the role with which CloudWatch Logs writes to the stream. No member trusts such a name."""
    return f"{AUDIT_LOGS_NAME}-{region}"


def audit_logs_destination_name(region: str) -> str:
    """Return the name of the destinations that lead to the stream of the hub in `region`, in all regions.

    The hubs of two regions of an account have one each in every region (docs/adr/0164-who-may-subscribe.md).
    """
    return f"{AUDIT_LOGS_NAME}-{region}"


def alarm_name(account: str, region: str) -> str:
    """Return the name of the alarm in members of the hub in this account and region."""
    return f"PullResponder-{account}-{region}-undelivered"
