"""An organization on the emulated AWS: accounts with clusters, and a registry that all of them pull from.

Each account has the member role. Each cluster has a role of its nodes, and a node with the cluster's tag.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from bench.storm import _event as event_of_denial
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.emulator.emulated_aws import EmulatedAws

MEMBER_ROLE: Final = "PullResponderReadOnly"
POLICY: Final = "arn:aws:organizations::222222222222:policy/o-a1b2c3d4e5/service_control_policy/p-a1b2c3d4"
# ministack has no organization of several accounts. The hub is neither its management account nor a delegated
# administrator, which Organizations refuses to say where another account is.
_REFUSED: Final[Any] = {
    "Error": {"Code": "AccessDeniedException", "Message": "You don't have permissions to access this resource."}
}
ANSWERS: Final = {
    "DescribeOrganization": {"Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": "222222222222"}},
    "ListParents": ClientError(_REFUSED, "ListParents"),
}
_REGISTRY: Final = "299999999999"
_REPOSITORY: Final = "shop/web"
_PULL_ONLY: Final = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster: its account, and the role and the instance id of its nodes."""

    name: str
    account: str
    role: str
    instance: str


@dataclass
class Organization:
    """`accounts` accounts that share `clusters` clusters evenly. The roles of the nodes may pull, or not."""

    aws: EmulatedAws
    accounts: int
    clusters: int
    may_pull: bool = False
    all_clusters: list[Cluster] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._member(_REGISTRY)
        ecr = self.aws.client("ecr", account=_REGISTRY)
        ecr.create_repository(repositoryName=_REPOSITORY)
        self._allow(_REPOSITORY)
        for number in range(self.accounts):
            account = f"{300_000_000_000 + number}"
            self._member(account)
            shares = range(number, self.clusters, self.accounts)
            self.all_clusters += self._add_clusters(account, [f"cluster-{each}" for each in shares])
        # One of each account after the other, as the failures of a real organization would come.
        self.all_clusters.sort(key=lambda each: int(each.name.partition("-")[2]))

    def add_denied_repositories(self, number: int) -> list[str]:
        """Make repositories in the shared registry whose policies deny all pulls."""
        names = [f"denied/{each}" for each in range(number)]
        for name in names:
            self.aws.client("ecr", account=_REGISTRY).create_repository(repositoryName=name)
            self._allow(name, "Deny")
        return names

    def let_pull(self, cluster: Cluster) -> None:
        """Let the nodes of a cluster pull, as far as their role goes."""
        self.aws.client("iam", account=cluster.account).attach_role_policy(RoleName=cluster.role, PolicyArn=_PULL_ONLY)

    def add_stranger(self, account: str, role: str) -> None:
        """Make a role that builds images and pulls for no cluster."""
        self._role(account, role, "codebuild.amazonaws.com")

    def _member(self, account: str) -> None:
        iam = self.aws.client("iam", account=account)
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=MEMBER_ROLE, AssumeRolePolicyDocument=_document(trust))
        read = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam.put_role_policy(RoleName=MEMBER_ROLE, PolicyName="read", PolicyDocument=_document(read))

    def _allow(self, repository: str, effect: str = "Allow") -> None:
        statement = {"Effect": effect, "Principal": "*", "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}
        ecr = self.aws.client("ecr", account=_REGISTRY)
        ecr.set_repository_policy(repositoryName=repository, policyText=_document(statement))

    def _add_clusters(self, account: str, names: Sequence[str]) -> list[Cluster]:
        ec2 = self.aws.client("ec2", account=account)
        found = []
        for name in names:
            role = f"nodes-{name}"
            self._role(account, role, "ec2.amazonaws.com")
            tags = [{"ResourceType": "instance", "Tags": [{"Key": "eks:cluster-name", "Value": name}]}]
            run = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, TagSpecifications=tags)
            cluster = Cluster(name, account, role, run["Instances"][0]["InstanceId"])
            if self.may_pull:
                self.let_pull(cluster)
            found.append(cluster)
        return found

    def _role(self, account: str, role: str, service: str) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        self.aws.client("iam", account=account).create_role(RoleName=role, AssumeRolePolicyDocument=_document(trust))


def denial(  # noqa: PLR0913 -- what an event names
    account: str, role: str, session: str, at: float, *, repository: str = _REPOSITORY, reason: str | None = None
) -> str:
    """Return CloudTrail's event of a refused pull from the shared registry, as a member forwards it.

    `reason` are AWS's words, by default that no policy of the role allows it.
    """
    event = event_of_denial(role, session, at)
    message = event["detail"]["errorMessage"]
    if reason:
        event["detail"]["errorMessage"] = f"{message.partition(' because ')[0]} {reason}"
    text = json.dumps(event)
    ours = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{_REPOSITORY}"
    theirs = f"arn:aws:ecr:{REGION}:{_REGISTRY}:repository/{repository}"
    return text.replace(ours, theirs).replace(ACCOUNT, account)


def denial_of(cluster: Cluster, at: float, *, repository: str = _REPOSITORY, reason: str | None = None) -> str:
    """Return the event of a refused pull by a node of a cluster."""
    return denial(cluster.account, cluster.role, cluster.instance, at, repository=repository, reason=reason)


def _document(statement: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
