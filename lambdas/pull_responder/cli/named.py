"""What a broken resource is called in a line for people: "role eks-node", "security group sg-0a1b2c3d"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.cli.lines import cut_name, shown
from pull_responder.model.arn import Arn
from pull_responder.publish.text import last_name

if TYPE_CHECKING:
    from pull_responder.model.verdict import Resource

_KINDS: Final = {
    "AwsAccount": "account",
    "AwsEc2Instance": "node",
    "AwsEc2LaunchTemplate": "launch template",
    "AwsEc2NetworkAcl": "network ACL",
    "AwsEc2RouteTable": "route table",
    "AwsEc2SecurityGroup": "security group",
    "AwsEc2Subnet": "subnet",
    "AwsEc2Vpc": "VPC",
    "AwsEcrContainerImage": "image",
    "AwsEcrRepository": "repository",
    "AwsEksCluster": "cluster",
    "AwsIamRole": "role",
    "AwsIamUser": "user",
    "AwsKmsKey": "key",
}
# By how the resource of an ARN begins, where the type says nothing.
_OF_ARN: Final = {
    "assumed-role": "session",
    "fargateprofile": "Fargate profile",
    "natgateway": "NAT gateway",
    "nodegroup": "node group",
    "stateful-rulegroup": "rule group",
    "stateless-rulegroup": "rule group",
    "vpc-endpoint": "endpoint",
    "vpc-peering-connection": "VPC peering",
}
_DIGEST: Final = re.compile(r"[@/]sha256:[0-9a-f]{64}$")
# People choose these names. All others are ids, which nobody would find by a part of them.
_CHOSEN: Final = frozenset(
    {"cluster", "Fargate profile", "image", "node group", "repository", "role", "rule group", "session", "user", ""}
)
# An id of EC2 says what it is an id of.
_TELLING: Final = re.compile(
    r"(?:acl|eni|i|igw|lt|nat|pcx|rslvr-frg|rtb|sg|subnet|tgw|tgw-attach|tgw-rtb|vpc|vpce)-[0-9a-f]{8,17}"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A resource in few words. `kind` is empty where its name says it. An id is never cut."""

    kind: str
    name: str
    is_id: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" if self.kind else self.name

    @property
    def alone(self) -> str:
        """The words without the kind, where the name tells it."""
        return self.name if _TELLING.fullmatch(self.name) else str(self)

    def cut(self, width: int) -> str:
        """Return the words with the name cut to so many cells, if it is no id."""
        if self.is_id:
            return self.alone
        return (
            f"{self.kind} {cut_name(self.name, width - len(self.kind) - 1)}"
            if self.kind
            else cut_name(self.name, width)
        )


def named(resource: Resource) -> Named:
    """Return what a resource is called. Its id may be an ARN or, of what an event only names, any text."""
    arn = Arn.parse(resource.id)
    if arn is None:
        kind = _KINDS.get(resource.type, "")
        name = shown(resource.id.rpartition(":")[2] if resource.type == "AwsAccount" else resource.id)
        return Named(kind, name or "without a name", _is_id(kind, name))
    first, _, rest = arn.resource.partition("/")
    kind = _OF_ARN.get(first) or _KINDS.get(resource.type) or first.replace("-", " ")
    name = _name(first, rest, arn)
    return Named("" if name.startswith(f"{kind.lower()}-") else kind, shown(name), _is_id(kind, name))


def _name(first: str, rest: str, arn: Arn) -> str:
    if arn.service == "ecr":
        return _DIGEST.sub("", rest) or arn.account
    if arn.service == "eks" and first in _OF_ARN:
        return rest.split("/")[1] if rest.count("/") else rest
    return last_name(rest) if rest else first


def _is_id(kind: str, name: str) -> bool:
    return _TELLING.fullmatch(name) is not None or kind not in _CHOSEN
