"""A cause found for a pull, with an identity that neither wording nor time can change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pull_responder.model.pull import PullFailure
from pull_responder.model.verdict import Remediation, Resource, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause on one resource.

    `account` and `region` are where the broken resource is; `cluster` is None when it is not known. The two
    times are ISO 8601 in UTC, and equal until the finding has been seen again.
    """

    id: str
    cause: str
    title: str
    severity: Severity
    account: str
    region: str
    resource: Resource
    explanation: str
    evidence: tuple[str, ...]
    remediation: Remediation
    pull: PullFailure
    related: tuple[Resource, ...] = ()
    cluster: str | None = None
    first_observed_at: str | None = None
    last_observed_at: str | None = None


def finding_id(*, cause: str, account: str, region: str, resource: str, role_account: str | None = None) -> str:
    """Return the identity of a finding.

    `role_account` is the pulling role's account and is given for faults of a repository, whose policy may fail
    one account and serve another.
    """
    digest = hashlib.sha256("\n".join((resource, role_account or "")).encode()).hexdigest()[:20]
    return f"pull-responder/{cause}/{account}/{region}/{digest}"
