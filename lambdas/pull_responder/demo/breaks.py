"""What the demo breaks: three faults that look alike from the pod. Each is one change that somebody made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.demo.estate import (
    BOUNDARY,
    NEIGHBOUR_ACCOUNT,
    PLATFORM_IMAGE,
    PULL_ONLY_POLICY,
    SHOP_IMAGE,
    DemoImage,
    grant,
    role_arn,
    role_name,
)
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.model.pull import PolicyType
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from pull_responder.remediation.shell import Command


@dataclass(frozen=True, slots=True)
class Break:
    """One fault, and the finding that is expected for it.

    - `command` breaks the pull of `image` by the nodes of `node_group`. It runs with the credentials of `account`.
    - `policy_type` is the policy in which AWS says that an Allow is missing.
    - `cause` is the expected cause, on the resource `resource_arn`.
    """

    title: str
    story: str
    node_group: str
    image: DemoImage
    account: str
    command: Command
    policy_type: PolicyType
    cause: str
    resource_arn: str


BREAKS: Final = (
    Break(
        title="a node role loses its ECR policy",
        story="Somebody tidies up and detaches the policy that lets the nodes of group web pull from ECR.",
        node_group="web",
        image=SHOP_IMAGE,
        account=ACCOUNT,
        command=aws(
            "iam", "detach-role-policy", role_name=role_name("web"), policy_arn=PULL_ONLY_POLICY, region=REGION
        ),
        policy_type=PolicyType.IDENTITY,
        cause="role_lacks_pull_permissions",
        resource_arn=role_arn("web"),
    ),
    Break(
        title="another account's repository no longer lets us in",
        story=(
            "The platform team's repository is in another account. They rewrite its policy, and leave our account out."
        ),
        node_group="api",
        image=PLATFORM_IMAGE,
        account=PLATFORM_IMAGE.account,
        command=aws(
            "ecr",
            "set-repository-policy",
            repository_name=PLATFORM_IMAGE.repository,
            policy_text=json.dumps(grant(NEIGHBOUR_ACCOUNT)),
            region=REGION,
        ),
        policy_type=PolicyType.RESOURCE,
        cause="repository_policy_lacks_grant",
        resource_arn=PLATFORM_IMAGE.repository_arn,
    ),
    Break(
        title="a permissions boundary is put on a node role",
        story=(
            "The security team puts the company's permissions boundary on the role of group batch. The role still has "
            "its ECR policy, but the boundary does not know ECR."
        ),
        node_group="batch",
        image=SHOP_IMAGE,
        account=ACCOUNT,
        command=aws(
            "iam",
            "put-role-permissions-boundary",
            role_name=role_name("batch"),
            permissions_boundary=BOUNDARY,
            region=REGION,
        ),
        policy_type=PolicyType.BOUNDARY,
        cause="permissions_boundary_blocks_pull",
        resource_arn=role_arn("batch"),
    ),
)
