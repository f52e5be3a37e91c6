"""The fix of a policy of any kind that people have to change by hand, on a pull through a cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind
from pull_responder.remediation import by_hand

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn
    from pull_responder.model.verdict import Remediation
    from pull_responder.remediation.by_hand import Wanted


def fix_by_hand(  # noqa: PLR0911 -- one for each kind
    kind: PolicyKind, wanted: Wanted, *, role: Arn, repository: Arn | None, region: str
) -> Remediation:
    """Return who has to change a policy of this kind, and how.

    `repository` is the one that the role was stopped from, None if it is not known. Its policies are its owner's.
    """
    owner = repository.account if repository else role.account
    match kind:
        case PolicyKind.BOUNDARY:
            return by_hand.permissions_boundary(wanted, role=role, region=region)
        case PolicyKind.SCP:
            return by_hand.service_control_policy(wanted, account=role.account, region=region)
        case PolicyKind.RCP:
            return by_hand.resource_control_policy(wanted, account=owner, region=region)
        case PolicyKind.SESSION:
            return by_hand.session_policy(wanted, account=role.account, region=region)
        case PolicyKind.ENDPOINT:
            return by_hand.endpoint_policy(wanted, account=role.account, region=region)
        case PolicyKind.RESOURCE | PolicyKind.REGISTRY if repository:
            return by_hand.upstream_policy(wanted, repository=repository, role=role)
        case _:
            return by_hand.identity_policy(wanted, role=role, region=region)
