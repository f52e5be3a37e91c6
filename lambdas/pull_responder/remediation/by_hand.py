"""Fixes that no command can be known to make: who has to do what.

They concern policies that are known only from AWS's words in the error, or that the account of the role cannot change.
Their present documents cannot be read from where the pull failed, so a command could only overwrite them.
"""

from __future__ import annotations

from dataclasses import dataclass

from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a policy has to be changed to: `explicit` means that it denies `actions` now, else it does not allow them.

    `policy` is its ARN where that is known.
    """

    actions: tuple[str, ...]
    explicit: bool
    policy: str | None = None

    def change(self, policy: str) -> str:
        """Return the change as a clause; `policy` is what to call the policy if its ARN is not known."""
        return f"{self.policy or policy} must {'not deny' if self.explicit else 'allow'} {', '.join(self.actions)}"


def identity_policy(wanted: Wanted, *, role: Arn, region: str) -> Remediation:
    """Change an identity policy of a role that cannot be read."""
    who = f"Whoever manages the role {role} has to edit its policies"
    change = wanted.change("the policy that stops the pull")
    return Remediation(f"{who}: {change}.", role.account, region, docs.IAM_EDIT_POLICIES)


def permissions_boundary(wanted: Wanted, *, role: Arn, region: str) -> Remediation:
    """Change the permissions boundary of a role that cannot be read."""
    who = f"Whoever manages the role {role} has to edit its permissions boundary"
    return Remediation(
        f"{who}: {wanted.change('the boundary')}.", role.account, region, docs.IAM_PERMISSIONS_BOUNDARIES
    )


def service_control_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Change an SCP that stops the principals of `account`.

    The remediation's account is the organization's management account if the policy's ARN tells it, else `account`.
    """
    return _organization("service control policy", "principals", wanted, account, region)


def resource_control_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Change an RCP that stops access to the repositories of `account`; the rest as for an SCP."""
    return _organization("resource control policy", "repositories", wanted, account, region)


def session_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Change the session policy that was passed along when the role was assumed.

    EC2 passes none with an instance's credentials, so somebody else hands the node its credentials (Inference).
    """
    return Remediation(
        summary=f"Whoever assumes the role for the node passes a session policy: {wanted.change('that policy')}.",
        account=account,
        region=region,
        docs_url=docs.IAM_SESSION_POLICIES,
    )


def endpoint_policy(wanted: Wanted, *, account: str, region: str) -> Remediation:
    """Change the policy of the ECR interface endpoint on the node's way; `account` is that of the VPC."""
    return Remediation(
        summary="The owner of the node's VPC has to edit the policy of its VPC endpoint for ECR: "
        f"{wanted.change('that policy')}.",
        account=account,
        region=region,
        docs_url=docs.ECR_VPC_ENDPOINTS,
    )


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
    )
