"""The keys by which a change finds the open findings that it may concern, among thousands of others. Pure.

Each open finding is listed under its keys in the table. A change asks for a few keys, and `concerns` decides about what
is listed there. So whatever `concerns` says yes to must share a key with the change: the keys repeat no rule that is
finer than account, service, role and repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.events.change import SERVICES
from pull_responder.findings.concern import (
    IMAGE_EVENTS,
    OF_RESPONDER,
    accounts_of,
    is_about_nodes,
    is_of_registry,
    names_vpc_owner,
    roles_of,
    services_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.events.change import Change
    from pull_responder.findings.finding import Finding

# In place of an account: whoever made the change.
_ANYWHERE: Final = "*"


def keys_of_finding(finding: Finding) -> frozenset[str]:
    """Return the keys under which an open finding is listed."""
    return frozenset(_keys_of_finding(finding))


def _keys_of_finding(finding: Finding) -> Iterator[str]:
    if finding.cause in OF_RESPONDER:
        return
    # An add-on that works again is an event of EKS, and concerns findings of every cause.
    read = services_of(finding.cause)
    services = {*(read & SERVICES if read else SERVICES), "eks"}
    roles, repository = roles_of(finding), finding.pull.repository
    for account in filter(None, accounts_of(finding)):
        for service in services - {"iam", "ecr", "organizations"}:
            yield f"{account}/{service}"
        if "iam" in services:
            yield f"{account}/iam"
            yield from (f"{account}/iam/{role}" for role in roles)
            if not roles:
                yield f"{account}/iam/"
        if "ecr" in services:
            yield f"{account}/ecr"
            yield f"{account}/ecr/{repository or ''}"
            if not is_of_registry(finding):
                yield f"{account}/ecr//"
    if "organizations" in services:
        yield f"{_ANYWHERE}/organizations"
    if "ec2" in services and not names_vpc_owner(finding):
        yield f"{_ANYWHERE}/ec2"


def keys_of_change(change: Change) -> frozenset[str]:
    """Return the keys under which every finding is listed that `change` concerns."""
    account, service = change.account, change.service
    match service:
        case "organizations":
            return frozenset({f"{_ANYWHERE}/organizations"})
        case "iam" if change.role:
            # The second key has the findings whose role is not known.
            return frozenset({f"{account}/iam/{change.role}", f"{account}/iam/"})
        case "ecr" if change.repository:
            # The second key has the findings whose repository is not known, the third those that any repository's
            # policy concerns: what is broken is something else.
            by_name = {f"{account}/ecr/{change.repository}", f"{account}/ecr/"}
            return frozenset(by_name if change.name in IMAGE_EVENTS else {*by_name, f"{account}/ecr//"})
        case "ec2" if not is_about_nodes(change):
            # A VPC may be shared. Then its owner changes it, and the finding may not name the owner.
            return frozenset({f"{account}/ec2", f"{_ANYWHERE}/ec2"})
    return frozenset({f"{account}/{service}"})
