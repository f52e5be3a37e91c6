"""A finding: one cause of a failed pull, on one resource. Its id depends on neither wording nor time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pull_responder.model.pull import PullFailure
from pull_responder.model.verdict import Remediation, Resource, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause on one resource.

    - `account`, `region`: where the broken resource is.
    - `pull`: the failed pull.
    - `related`: other resources that have a part in the fault.
    - `cluster`: None when it is not known.
    - `first_observed_at`, `last_observed_at`: ISO 8601 in UTC. They are equal until the finding is seen again.
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

    @property
    def is_mended_elsewhere(self) -> bool:
        """Whether the fix is made in another account than the pod's, as one of a shared VPC or gateway is."""
        fixed_in, own = self.remediation.account, self.pull.principal_account or self.pull.account
        return bool(fixed_in and own) and fixed_in != own


def finding_id(*, cause: str, account: str, region: str, resource: str, role_account: str | None = None) -> str:
    """Return the id of a finding.

    `role_account` is the account of the pulling role. It is given for faults of a repository: one policy may refuse
    one account and serve another.
    """
    digest = hashlib.sha256("\n".join((resource, role_account or "")).encode()).hexdigest()[:20]
    return f"pull-responder/{cause}/{account}/{region}/{digest}"
