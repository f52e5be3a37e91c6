"""The IAM permissions of the deployed functions, collected from the parts that need them."""

from __future__ import annotations

from collections import defaultdict

from pull_responder import doctor
from pull_responder.checks import CHECKS
from pull_responder.facts import addons, cloudtrail
from pull_responder.findings import store
from pull_responder.publish import event_queue, hub_setup, hub_workflow, report_pages, security_hub, sns


def declared_permissions() -> dict[str, dict[str, list[str]]]:
    """Return the IAM actions of each function by purpose: read (in every account), publish, assume, remember."""
    answering = {
        "assume": ["sts:AssumeRole"],
        "publish": sorted(
            (*hub_workflow.PERMISSIONS, *report_pages.PERMISSIONS, *security_hub.PERMISSIONS, *sns.PERMISSIONS)
        ),
        "read": sorted(
            {
                *addons.PERMISSIONS,
                *cloudtrail.PERMISSIONS,
                *(permission for check in CHECKS for permission in check.permissions),
            }
        ),
        "remember": sorted(store.PERMISSIONS),
    }
    # To check whether a cause is gone takes the same reads as to find it.
    return {
        "audit_log": {"publish": sorted(event_queue.PERMISSIONS)},
        "diagnose": answering,
        "examine": {
            "assume": ["sts:AssumeRole"],
            "read": sorted(doctor.PERMISSIONS),
            # It looks nothing up by the index.
            "remember": sorted({*store.PERMISSIONS} - {"dynamodb:Query"}),
        },
        "hub_setup": {"publish": sorted(hub_setup.PERMISSIONS)},
        "recheck": answering,
    }


def files_by_action() -> dict[str, list[str]]:
    """Return the files that declare each action, as they are called under lambdas/pull_responder."""
    files = defaultdict(list, {"sts:AssumeRole": ["permissions.py"]})
    for check in CHECKS:
        for action in dict.fromkeys(check.permissions):
            files[action].append(f"checks/{check.id}.py")
    for examination in doctor.CHECKS:
        for action in dict.fromkeys(examination.permissions):
            files[action].append(f"doctor/{examination.id}.py")
    for module in (addons, cloudtrail, store, event_queue, hub_setup, hub_workflow, report_pages, security_hub, sns):
        file = "/".join(module.__name__.split(".")[1:]) + ".py"
        for action in module.PERMISSIONS:
            files[action].append(file)
    return dict(files)
