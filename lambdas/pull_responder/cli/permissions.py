"""Writes what the deployed functions may do, as data for the stack: `python -m pull_responder.cli.permissions`.

The stack knows nothing of the code it deploys. What each check and publisher declares beside itself crosses over in the
file infra/permissions.json, which a test holds against this module.
"""

from __future__ import annotations

import json
import sys

from pull_responder.checks import CHECKS
from pull_responder.findings import store
from pull_responder.publish import event_queue, hub_workflow, security_hub, sns


def declared() -> dict[str, dict[str, list[str]]]:
    """Return the IAM actions of each function by purpose: read (in every account), publish, assume, remember."""
    answering = {
        "assume": ["sts:AssumeRole"],
        "publish": sorted((*hub_workflow.PERMISSIONS, *security_hub.PERMISSIONS, *sns.PERMISSIONS)),
        "read": sorted({permission for check in CHECKS for permission in check.permissions}),
        "remember": sorted(store.PERMISSIONS),
    }
    # To look whether a cause is gone takes what it took to find it.
    return {"audit_log": {"publish": sorted(event_queue.PERMISSIONS)}, "diagnose": answering, "recheck": answering}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(declared(), indent=2) + "\n")
