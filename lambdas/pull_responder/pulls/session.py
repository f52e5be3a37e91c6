"""The session that pulled, as AWS shows it: its role, its instance, and the regions where its node can be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.facts.ec2 import Instance
from pull_responder.facts.iam import Role
from pull_responder.model.pull import PrincipalKind
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.facts.facts import Facts
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_INSTANCE_ID: Final = re.compile(r"i-[0-9a-f]{8,17}")
# A node's name is its private DNS name, unless its user data sets another.
_DNS_NAME: Final = re.compile(r"(?:ip|i)-[0-9a-f-]{7,40}\.[a-z0-9.-]{1,80}")


def role_arn_of(pull: PullFailure, facts: Facts) -> str | None:
    """Return the pulling role's own ARN, from the event or from IAM. None where there is none, or it is not known."""
    principal = pull.principal
    if principal is None or principal.account is None or principal.name is None:
        return None
    if principal.role_arn or principal.kind is not PrincipalKind.ROLE:
        return principal.role_arn
    role = facts.role(principal.account, pull.region, principal.name)
    return role.arn if isinstance(role, Role) else None


def node_regions(pull: PullFailure, facts: Facts) -> tuple[str, ...]:
    """Return the regions that the node can be in: the registry's, and the cluster's, which is ours if none is named."""
    return tuple(dict.fromkeys((pull.region, pull.cluster_region or facts.region or pull.region)))


def session_instance(pull: PullFailure, facts: PullFacts) -> Instance | Unread | None:
    """Return the instance whose session pulled. None for other sessions, or if it is gone or in another region."""
    principal = pull.principal
    if facts.asked:
        return next(iter(facts.asked.instances), None)
    if principal is None or principal.instance_id is None or principal.account is None:
        return None
    return _find_instance(principal.account, principal.instance_id, pull, facts)


def node_instance(pull: PullFailure, facts: PullFacts) -> Instance | Unread | None:
    """Return the instance that pulled, by its session or by the node's name. None if neither finds one."""
    account = pull.principal_account or pull.account
    if account is None or (pull.principal and pull.principal.instance_id):
        return session_instance(pull, facts)
    if instance_id := instance_id_of(pull.node):
        return _find_instance(account, instance_id, pull, facts)
    if name := private_dns_name(pull.node):
        regions = node_regions(pull, facts)
        return _first([facts.instance_named(account, region, name, pull.cluster) for region in regions])
    return None


def instance_id_of(node: str | None) -> str | None:
    """Return the instance id with which a node's name begins ("i-….region.compute.internal"), else None."""
    first = (node or "").partition(".")[0]
    return first if _INSTANCE_ID.fullmatch(first) else None


def private_dns_name(node: str | None) -> str | None:
    """Return the node's name if it is a private DNS name, else None."""
    return node if node and _DNS_NAME.fullmatch(node) else None


def _find_instance(account: str, instance_id: str, pull: PullFailure, facts: PullFacts) -> Instance | Unread | None:
    regions = node_regions(pull, facts)
    return _first(facts.side_by_side(lambda region: facts.instance_of_id(account, region, instance_id), regions))


def _first(found: Sequence[Instance | Unread | None]) -> Instance | Unread | None:
    """Return the instance found in one of several regions, else why one could not be read, else None."""
    instance = next((each for each in found if isinstance(each, Instance)), None)
    return instance or next((each for each in found if isinstance(each, Unread)), None)
