"""What a check is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.checks.actions import PULL_ACTIONS
from pull_responder.model.pull import PolicyType, PullFailure, Symptom

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.facts.facts import Facts
    from pull_responder.model.verdict import Severity, Verdict

# Where authorization is looked at: AWS refused outright, or the node had no token to show, or nothing is known.
AUTHORIZATION_SYMPTOMS = frozenset(
    {Symptom.ACCESS_DENIED, Symptom.NOT_AUTHENTICATED, Symptom.TIMEOUT, Symptom.NAME_RESOLUTION_FAILED, Symptom.UNKNOWN}
)


@dataclass(frozen=True, slots=True)
class Check:
    """One cause, and how to find it.

    `title` states the fault in a few words; `resource_type` is the AWS Security Finding Format's word for what is
    broken; `permissions` are the IAM actions that `examine` needs; `symptoms` are those it can explain.
    `policy_type` and `explicit` say how AWS words a denial that this cause explains: None where any wording fits.
    `for_nodes` tells the causes of principals that pull for EKS from those of strangers. `refused_by_ecr` is false for
    causes that keep a pull from ever being refused by ECR, so that no denial can speak of them; `denied_actions` are
    those of which a denial can. `by_role_account` says that the resource is broken for one pulling account and whole
    for another, so that the account is part of a finding's identity. `may_name_missing` says that the resource may be
    one that is not there, which is the fault, so that its being gone is no sign of being over.
    """

    id: str
    title: str
    severity: Severity
    resource_type: str
    permissions: tuple[str, ...]
    docs_url: str
    examine: Callable[[PullFailure, Facts], Verdict]
    symptoms: frozenset[Symptom] = AUTHORIZATION_SYMPTOMS
    policy_type: PolicyType | None = None
    explicit: bool | None = None
    for_nodes: bool = True
    refused_by_ecr: bool = True
    denied_actions: frozenset[str] = PULL_ACTIONS
    by_role_account: bool = False
    may_name_missing: bool = False

    def fits(self, pull: PullFailure) -> bool:
        """Return whether this cause can be what AWS's words speak of.

        Older messages name no policy; then every cause can be, but an "explicit deny" is never a missing allow.
        """
        denial = pull.denial
        if denial is None:
            return True
        if not self.refused_by_ecr or denial.action not in self.denied_actions:
            return False
        if denial.policy_type is None:
            return not (denial.explicit and self.explicit is False)
        return self.policy_type in (None, *blamed(pull)) and self.explicit in (None, denial.explicit)


def blamed(pull: PullFailure) -> frozenset[PolicyType]:
    """Return the kinds of policy that AWS's words blame; empty where they name none.

    Within one account an allow from either side is enough, so a message that misses one in a resource-based policy says
    that the identity policies have none either.
    """
    denial = pull.denial
    if denial is None or denial.policy_type is None:
        return frozenset()
    types = {denial.policy_type}
    one_account = pull.principal is not None and pull.principal.account == pull.registry_account
    if denial.policy_type is PolicyType.RESOURCE and not denial.explicit and one_account:
        types.add(PolicyType.IDENTITY)
    return frozenset(types)
