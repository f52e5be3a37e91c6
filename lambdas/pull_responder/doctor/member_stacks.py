"""The stacks of the members: in which accounts and regions the StackSet has one, as CloudFormation knows them.

Source: CloudFormation API Reference, ListStackInstances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.printable import clean_line
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

STACK_SET: Final = "PullResponderMembers"
PERMISSIONS: Final = ("cloudformation:ListStackInstances",)

_NO_STACK_SET: Final = frozenset({"StackSetNotFoundException"})
# "DELEGATED_ADMIN" is refused in the management account, and "SELF" finds no service-managed StackSet elsewhere.
_CALLERS: Final = ("DELEGATED_ADMIN", "SELF")
_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class Stack:
    """One stack of the StackSet: its place, its status, why it has that, and its organizational unit ("" for none)."""

    account: str
    region: str
    status: str
    reason: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Stacks:
    """All stacks, and as whom CloudFormation shows them, DELEGATED_ADMIN or SELF."""

    all: tuple[Stack, ...]
    caller: str = ""

    def regions_of(self, account: str) -> tuple[str, ...]:
        """Return the regions in which an account has a stack."""
        return tuple(sorted({each.region for each in self.all if each.account == account}))

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions in which any account has a stack."""
        return tuple(sorted({each.region for each in self.all}))


def member_stacks(deployment: Deployment, reader: Reader) -> Stacks | Unread:
    """Return the stacks, as a delegated administrator sees them or the management account. They are read once."""
    return reader.once(("member stacks", deployment.region), lambda: _read(deployment, reader))


def _read(deployment: Deployment, reader: Reader) -> Stacks | Unread:
    found: list[Mapping[str, Any]] | Unread | None = None
    caller = ""
    for caller in _CALLERS:

        def request(client: Any, caller: str = caller) -> list[Mapping[str, Any]]:  # noqa: ANN401 -- boto3's generated client
            return pages(client, "list_stack_instances", "Summaries", StackSetName=STACK_SET, CallAs=caller)

        found = reader.call(
            PERMISSIONS[0],
            account=deployment.account,
            region=deployment.region,
            request=request,
            absent=_NO_STACK_SET,
        )
        if found is not None and not isinstance(found, Unread):
            break
    if isinstance(found, Unread):
        return found
    if found is None:
        where = f"account {deployment.account} has none in {deployment.region}; it may be the management account's"
        return Unread(f"there is no StackSet {STACK_SET} to be seen: {where}")
    return Stacks(tuple(map(_stack, found)), caller)


def _stack(summary: Mapping[str, Any]) -> Stack:
    detailed = summary.get("StackInstanceStatus", {}).get("DetailedStatus")
    reason = clean_line(str(summary.get("StatusReason") or detailed or "no reason is given"))[:_REASON]
    unit = str(summary.get("OrganizationalUnitId") or "")
    return Stack(summary["Account"], summary["Region"], str(summary.get("Status")), reason, unit)
