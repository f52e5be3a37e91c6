"""Fixes without a command: the summary says who must change which policy, and how.

They are for policies that only AWS's words in the error name, and for policies that the role's account cannot change.
Their documents cannot be read from the account where the pull failed, so a command could only overwrite them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs


@dataclass(frozen=True, slots=True)
class Wanted:
    """The change that a policy needs.

    - `actions`: the actions that the policy stops now.
    - `explicit`: it denies them by a Deny statement. Otherwise it is missing an Allow.
    - `policy`: the policy's ARN, if it is known.
    """

    actions: tuple[str, ...]
    explicit: bool
    policy: str | None = None

    @property
    def short(self) -> str:
        """The change in few words, as an order."""
        return f"{'do not deny' if self.explicit else 'allow'} {', '.join(self.actions)}"

    def change(self, policy: str) -> str:
        """Return the change as a clause. `policy` is a name for the policy, used if its ARN is not known."""
        return f"{self.policy or policy} must {'not deny' if self.explicit else 'allow'} {', '.join(self.actions)}"


def identity_policy(wanted: Wanted, *, role: Arn, region: str) -> Remediation:
    """Ask for a change to an identity policy of a role that cannot be read."""
    who = f"Whoever manages the role {role} has to edit its policies"
    change = wanted.change("the policy that stops the pull")
    short = f"In the policies of role {_last(role)}, {wanted.short}."
    return Remediation(f"{who}: {change}.", role.account, region, docs.IAM_EDIT_POLICIES, short=short)


def permissions_boundary(wanted: Wanted, *, role: Arn, region: str) -> Remediation:
    """Ask for a change to the permissions boundary of a role that cannot be read."""
    who = f"Whoever manages the role {role} has to edit its permissions boundary"
    return Remediation(
        f"{who}: {wanted.change('the boundary')}.",
        role.account,
        region,
        docs.IAM_PERMISSIONS_BOUNDARIES,
        short=f"In the permissions boundary of role {_last(role)}, {wanted.short}.",
    )


def service_control_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Ask for a change to an SCP that stops the principals of `account`.

    The remediation's account is the organization's management account, if the policy's ARN contains it, else `account`.
    """
    return _organization("service control policy", "principals", wanted, account, region)


def resource_control_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Ask for a change to an RCP that stops access to the repositories of `account`. The account is as for an SCP."""
    return _organization("resource control policy", "repositories", wanted, account, region)


def exempt_all(policy: Arn, deny: str) -> str:
    """Say what to do about a Deny of an organization's policy that stops several roles.

    `deny` is what the statement is called.
    """
    return (
        f"Ask an administrator of the organization (account {policy.account}) to exempt all roles that pull for EKS "
        f"from {deny} of {policy.resource.rpartition('/')[2]}, by aws:PrincipalArn or a tag. "
        "Or, at a price, to detach it from their accounts: that lifts whatever else it denies there."
    )


def exempt_all_in_short(policy: Arn, deny: str) -> str:
    """Say what `exempt_all` does first in so few words that a text message has room for whom it is about."""
    return (
        f"Ask the organization's administrator (account {policy.account}) to exempt roles that pull for EKS "
        f"from its {deny.removeprefix('the ')}."
    )


def session_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Ask for a change to the session policy that somebody passed when they assumed the role.

    Inference: EC2 passes no session policy with an instance's credentials, so the node has its credentials from
    somebody else.
    """
    return Remediation(
        summary=f"Whoever assumes the role for the node passes a session policy: {wanted.change('that policy')}.",
        account=account,
        region=region,
        docs_url=docs.IAM_SESSION_POLICIES,
        short=f"Ask who assumes the role: {wanted.change('the session policy')}.",
    )


def endpoint_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Ask for a change to the policy of the ECR interface endpoint that the pull passes. `account` owns the VPC."""
    return Remediation(
        summary="The owner of the node's VPC has to edit the policy of its VPC endpoint for ECR: "
        f"{wanted.change('that policy')}.",
        account=account,
        region=region,
        docs_url=docs.ECR_VPC_ENDPOINTS,
        short=f"In the policy of the VPC endpoint for ECR, {wanted.short}.",
    )


def upstream_policy(wanted: Wanted, *, repository: Arn, role: Arn) -> Remediation:
    """Ask for a change to the policy of an upstream repository or its registry, which may be a Deny on purpose."""
    change = wanted.change("that policy")
    return Remediation(
        summary=f"Ask the owner of account {repository.account} whether the role {role} may fetch from {repository}: "
        f"{change} to it, in the policy of the repository or of its registry.",
        account=repository.account,
        region=repository.region,
        docs_url=docs.ECR_CACHE_PRIVATE,
    )


def _last(arn: Arn) -> str:
    return arn.resource.rpartition("/")[2]


def _organization(kind: str, stopped: str, wanted: Wanted, account: str, region: str) -> Remediation:
    policy = Arn.parse(wanted.policy) if wanted.policy else None
    management = policy.account if policy and policy.account.isdigit() else None
    who = f"account {management}, which manages the organization," if management else "the organization"
    summary = f"An administrator of {who} has to edit the {kind} that stops the {stopped} of account {account}: "
    return Remediation(
        summary=f"{summary}{wanted.change(f'the {kind}')}.",
        account=management or account,
        region=region,
        docs_url=docs.ORGANIZATIONS_UPDATE_POLICY,
        short=f"In the {kind}{f' {_last(policy)}' if policy else ''}, {wanted.short}.",
    )
