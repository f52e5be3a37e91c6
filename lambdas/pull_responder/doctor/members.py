"""Whether the accounts of the organization can be read, and their Security Hub takes their findings.

The accounts are those that AWS Organizations lists, and those of the setting `readAccounts`. Where the StackSet of the
members can be read, it says in which regions each is to be, and which of its stacks have failed.

The roles of a member trust the hub's functions alone. So a refusal proves that a role is not there only where the
doctor itself runs in a role that they trust; a terminal's is no proof. What is in a member is read with the role for
reading.

Sources: AWS Organizations API Reference, ListAccounts; CloudFormation API Reference, CreateStackSet (service-managed
permissions leave the management account out); Security Hub API Reference, GetFindings.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.member_stacks import PERMISSIONS as STACK_PERMISSIONS
from pull_responder.doctor.member_stacks import STACK_SET, Stacks, member_stacks
from pull_responder.doctor.member_trust import Trusted
from pull_responder.doctor.result import Result, broken, off, unread, works
from pull_responder.facts.facts import Facts
from pull_responder.facts.organizations import Organization
from pull_responder.facts.paging import pages
from pull_responder.model.reason import Refusal, steps_of
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import Command, aws
from pull_responder.settings import SettingError, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader
    from pull_responder.settings import Settings

_ID: Final = "members"
_PERMISSIONS: Final = (
    *STACK_PERMISSIONS,
    "iam:GetRole",
    "organizations:DescribeOrganization",
    "organizations:ListAccounts",
    "securityhub:GetFindings",
)
_IN_HUB: Final = re.compile(r"PullResponder-[a-z_]{1,20}-(?P<region>[a-z0-9-]{1,40})")
# More would take longer than anybody waits, and longer than the function in the stack has.
_MOST_ACCOUNTS: Final = 1_000
_ONLY_FUNCTIONS: Final = (
    "Its roles trust the hub's functions alone, so that a terminal proves nothing. The examination in the stack, once "
    "a day, looks with such a role."
)


# docs/adr/0171-the-health-of-members-node-groups-is-not-read-on-a-schedule.md
_UNHEALTHY: Final = off(
    _ID,
    "health of node groups in other accounts and regions",
    "it is not read on a schedule, but when they are changed and when a pull fails",
    "A node group there that becomes unhealthy by itself is seen when a pull fails because of it",
    step="Deploy a stack in an account and region of which that is to be known sooner",
)


@dataclass(frozen=True, slots=True)
class _Members:
    """What the members are looked at with."""

    deployment: Deployment
    reader: Reader
    settings: Settings
    organization: Organization | Unread | None
    stacks: Stacks
    is_function: bool

    def examine(self, account: str) -> list[Result]:
        """Return what is found of one account."""
        region = self.deployment.region
        why = self.reader.aws.reach(account, region=region)
        if why is not None:
            return [self._not_reached(account, why)]
        found = [*self._roles(account)]
        if self.settings.findings_in == "member":
            found += self._security_hubs(account)
        whole = f"{self.settings.member_role} can be assumed, and what else it shows is as it has to be"
        return found or [works(_ID, f"account {account}", whole)]

    def _not_reached(self, account: str, why: Unread) -> Result:
        subject = f"account {account}"
        meaning = "What fails there is heard of, if its events come, but not explained: nothing can be read"
        is_refused = any(isinstance(step, Refusal) for step in steps_of(why.reason))
        if not is_refused:
            return unread(_ID, subject, why, meaning)
        if not self.is_function:
            return replace(unread(_ID, subject, why, meaning), step=_ONLY_FUNCTIONS)
        is_manager = isinstance(self.organization, Organization) and account == self.organization.management_account
        if is_manager:
            step = (
                "A service-managed StackSet leaves out the management account: deploy infra/member.yaml there by itself"
            )
            return broken(_ID, subject, why.reason, meaning, step=step, account=account)
        return broken(_ID, subject, why.reason, meaning, commands=_stack_instances(self.deployment))

    def _roles(self, account: str) -> Iterator[Result]:
        """Yield what is wrong with the roles there."""
        roles = {self.settings.member_role: f"Somebody else may read the configuration of account {account}"}
        if self.settings.findings_in == "member":
            roles[self.settings.import_role] = f"Somebody else may import findings in account {account}"
        facts = Facts(self.reader)
        for name, meaning in roles.items():
            subject = f"role {name} of account {account}"
            role = facts.role(account, self.deployment.region, name)
            if isinstance(role, Unread):
                yield unread(_ID, subject, role, f"Whether it is there, and whom it trusts, is not known. {meaning}?")
            elif role is None:
                lost = f"Findings of account {account} are in Security Hub of account {self.deployment.account}"
                commands = _stack_instances(self.deployment)
                yield broken(_ID, subject, "there is no such role", lost, commands=commands)
            elif faults := self._trusted().faults(role.trust_policy):
                command = self._trust(name)
                yield broken(_ID, subject, "; ".join(faults), meaning, commands=(command,), account=account)

    def _trusted(self) -> Trusted:
        roles = frozenset(self.deployment.outputs.get("ResponderRoleArns", "").split(","))
        return Trusted(self.deployment.account, self.settings.organization_id or "", roles)

    def _trust(self, name: str) -> Command:
        """Return the command that puts back the trust of the template for members."""
        home = f"arn:{self.deployment.partition}:iam::{self.deployment.account}"
        kinds = ("*",) if name == self.settings.member_role else ("diagnose", "recheck")
        arns = [f"{home}:role/PullResponder-{kind}-{self.deployment.region}" for kind in kinds]
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": f"{home}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnLike": {"aws:PrincipalArn": arns},
                "StringEquals": {"aws:PrincipalOrgID": self.settings.organization_id},
            },
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))
        return aws("iam", "update-assume-role-policy", role_name=name, policy_document=document)

    def _security_hubs(self, account: str) -> Iterator[Result]:
        """Yield where Security Hub is off, of the regions where the account is a member, and of ours."""
        home = self.deployment.region
        for region in dict.fromkeys((home, *self.stacks.regions_of(account))):
            subject = f"Security Hub of account {account} in {region}"
            product = f"arn:{self.deployment.partition}:securityhub:{region}:{account}:product/{account}/default"

            def request(client: Any, product: str = product) -> bool:  # noqa: ANN401 -- boto3's generated client
                filters = {"ProductArn": [{"Value": product, "Comparison": "EQUALS"}]}
                return isinstance(client.get_findings(Filters=filters, MaxResults=1)["Findings"], list)

            read = self.reader.call("securityhub:GetFindings", account=account, region=region, request=request)
            if not isinstance(read, Unread):
                continue
            meaning = f"Findings of account {account} there are in Security Hub of account {self.deployment.account}"
            if "not subscribed" not in read.reason:
                yield unread(_ID, subject, read, f"If it is off: {meaning[0].lower()}{meaning[1:]}")
                continue
            command = aws("securityhub", "enable-security-hub", "--no-enable-default-standards", region=region)
            yield broken(_ID, subject, "off", meaning, commands=(command,), account=account)


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    if not deployment.environment:
        why = deployment.template or Unread("what the stack's functions are set to is not known")
        return [unread(_ID, "members", why, "Whether other accounts are to forward events to the stack is not known")]
    if not deployment.environment.get("PULL_RESPONDER_ORGANIZATION_ID"):
        return [works(_ID, "members", "none forward events: the setting `organizationId` is not set")]
    try:
        settings = read_settings(deployment.environment)
    except SettingError as error:
        why = Unread(f"the stack's settings cannot be read: {error}")
        return [unread(_ID, "accounts of the organization", why, "None of them was looked at")]
    listed = _accounts(deployment, reader, settings)
    accounts, found = set(settings.read_accounts), []
    if isinstance(listed, Unread):
        meaning = "Accounts that are not in readAccounts were not looked at: whether they are members is not known"
        found.append(unread(_ID, "accounts of the organization", listed, meaning))
    else:
        accounts |= set(listed)
    accounts -= {deployment.account}
    stacks = member_stacks(deployment, reader)
    if isinstance(stacks, Unread):
        meaning = "In which regions the accounts are members, and whether their stacks have failed, is not known"
        found.append(unread(_ID, f"StackSet {STACK_SET}", stacks, meaning))
    else:
        found += _failed(stacks, deployment.region)
    members = _Members(
        deployment,
        reader,
        settings,
        Facts(reader).organization(deployment.account, deployment.region),
        Stacks(()) if isinstance(stacks, Unread) else stacks,
        _is_function(reader, deployment.region),
    )
    looked_at = sorted(accounts)[:_MOST_ACCOUNTS]
    if len(looked_at) < len(accounts):
        meaning = f"{len(accounts) - len(looked_at)} accounts were not looked at"
        found.append(off(_ID, "further accounts", f"there are more than {_MOST_ACCOUNTS}", meaning, step=""))
    found.append(_UNHEALTHY)
    return [*found, *(result for results in reader.each(members.examine, looked_at) for result in results)]


def _accounts(deployment: Deployment, reader: Reader, settings: Settings) -> Sequence[str] | Unread:
    """Return the active accounts of the organization, as the first account that may list them sees them."""
    why = Unread("no account could be asked")
    for viewer in dict.fromkeys(filter(None, (settings.organization_account, deployment.account))):
        read = reader.call(
            "organizations:ListAccounts",
            account=viewer,
            region=deployment.region,
            request=lambda client: [
                each["Id"] for each in pages(client, "list_accounts", "Accounts") if _is_active(each)
            ],
        )
        if not isinstance(read, Unread):
            return read or ()
        why = read
    return why


def _is_active(account: Mapping[str, str]) -> bool:
    """Return whether an account is in use. `Status` is being replaced by `State` (API Reference, Account)."""
    return account.get("State", account.get("Status")) == "ACTIVE"


def _failed(stacks: Stacks, region: str) -> Iterator[Result]:
    """Yield the stacks of the StackSet that are not as it has them."""
    for each in stacks.all:
        if each.status == "CURRENT":
            continue
        subject = f"stack of {STACK_SET} in account {each.account}, {each.region}"
        meaning = (
            f"Events of account {each.account} in {each.region} may not come, or its roles may be of another release"
        )
        targets = f"OrganizationalUnitIds={each.unit},Accounts={each.account},AccountFilterType=INTERSECTION"
        command = aws(
            "cloudformation",
            "update-stack-instances",
            stack_set_name=STACK_SET,
            deployment_targets=targets,
            regions=each.region,
            call_as=stacks.caller,
            region=region,
        )
        commands = (command,) if each.unit else ()
        yield broken(_ID, subject, f"{each.status}: {each.reason}", meaning, commands=commands)


def _is_function(reader: Reader, region: str) -> bool:
    """Return whether we are in a role of the hub's functions, which members trust by its name."""
    named = _IN_HUB.fullmatch(reader.aws.role_name(region) or "")
    return named is not None and named["region"] == region


def _stack_instances(deployment: Deployment) -> tuple[Command, ...]:
    """Return the command that deploys the StackSet to organizational units, as the stack's output has it."""
    output = deployment.outputs.get("StackInstancesCommand")
    return (tuple(shlex.split(output)),) if output else ()


CHECK: Final = Examination(
    _ID, "the organization's accounts: their roles, their Security Hub, their stacks", _PERMISSIONS, _examine
)
