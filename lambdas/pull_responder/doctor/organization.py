"""Whether the organization's policies can be read, as diagnoses need them.

They are read as a diagnosis reads them: through `organizationAccount`, our own account, or the management account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, unread, works
from pull_responder.facts.facts import Facts
from pull_responder.facts.organizations import PERMISSIONS as _POLICY_PERMISSIONS
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.organizations import ControlPolicyType
    from pull_responder.facts.reader import Reader

_ID: Final = "organization"
_NAMES: Final[Mapping[ControlPolicyType, str]] = {
    "SERVICE_CONTROL_POLICY": "service control policies",
    "RESOURCE_CONTROL_POLICY": "resource control policies",
}


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    facts = Facts(reader)
    return [_one(deployment, facts, kind, name) for kind, name in _NAMES.items()]


def _one(deployment: Deployment, facts: Facts, kind: ControlPolicyType, name: str) -> Result:
    subject = f"{name} of account {deployment.account}"
    meaning = f"What {name} stop is decided by AWS's words alone, and is inconclusive without them"
    found = facts.control_policies(deployment.account, deployment.region, kind)
    if isinstance(found, Unread):
        return unread(_ID, subject, found, meaning)
    if found is None:
        return works(_ID, subject, "none can apply: it is in no organization, or its management account")
    if not found.complete:
        why = next(each for level in found.levels for each in level if isinstance(each, Unread))
        return unread(_ID, subject, why, meaning)
    return works(_ID, subject, "they can be read with the credentials of whoever runs the doctor")


CHECK: Final = Examination(_ID, "the organization's policies", _POLICY_PERMISSIONS, _examine)
