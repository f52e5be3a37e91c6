"""A member account of the organization, with the roles that the template for members makes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import randrange
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pull_responder.settings import IMPORT_ROLE, MEMBER_ROLE
from tests.integration.responder.scene import ACCOUNT, Node, denial

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

ORGANIZATION = "o-exampleorg1"
# The emulated STS evaluates the trust policy; it knows no organization.
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    ],
}


def _account() -> str:
    return str(randrange(200_000_000_000, 999_999_999_999))  # noqa: S311 -- a made-up account


@dataclass
class Member:
    """An account, with nothing in it until a test asks for it."""

    aws: EmulatedAws
    region: str = "eu-west-1"
    id: str = field(default_factory=_account)

    @property
    def in_hub(self) -> dict[str, str]:
        """The settings by which this account's findings are in ours. The emulated accounts are in no organization."""
        return {"PULL_RESPONDER_ORGANIZATION_ID": ORGANIZATION, "PULL_RESPONDER_READ_ACCOUNTS": json.dumps([self.id])}

    @property
    def in_member(self) -> dict[str, str]:
        """The settings by which they are in the account at fault."""
        return {**self.in_hub, "PULL_RESPONDER_FINDINGS_IN": "member"}

    def client(self, service: str, *, region: str | None = None) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return self.aws.client(service, account=self.id, region=region or self.region)

    def role(self, name: str, *actions: str) -> None:
        """Make a role that our account may assume, and that may do `actions`."""
        iam = self.client("iam")
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)

    def readable(self) -> None:
        self.role(MEMBER_ROLE, "*")

    def importable(self) -> None:
        self.role(IMPORT_ROLE, "securityhub:BatchImportFindings", "securityhub:BatchUpdateFindings")

    def security_hub(self, *regions: str) -> None:
        for region in regions:
            self.client("securityhub", region=region).enable_security_hub()

    def node(self, cluster: str = "prod") -> Node:
        """Make a role that may do nothing, and an instance of a cluster that has it."""
        role = f"node-{uuid4().hex[:8]}"
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam = self.client("iam")
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
        iam.create_instance_profile(InstanceProfileName=role)
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
        tags = [{"Key": "eks:cluster-name", "Value": cluster}, {"Key": "eks:nodegroup-name", "Value": role}]
        (instance,) = self.client("ec2").run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            IamInstanceProfile={"Name": role},
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )["Instances"]
        return Node(role, instance["InstanceId"])

    def denied(self, node: Node, at: float, *, recipient: str | None = None) -> dict[str, Any]:
        """Return CloudTrail's event of a token that was refused, as this account forwards it."""
        event = denial(node.role, node.instance, at=at)
        text = json.dumps(event).replace(ACCOUNT, self.id).replace("us-east-1", self.region)
        made: dict[str, Any] = json.loads(text)
        made["detail"]["recipientAccountId"] = recipient or self.id
        return made

    def forwarded(self, change: dict[str, Any]) -> dict[str, Any]:
        """Return an event of our own account as if it were this one's, in the same region."""
        made: dict[str, Any] = json.loads(json.dumps(change).replace(ACCOUNT, self.id))
        return made

    def findings(self, *, region: str | None = None) -> list[dict[str, Any]]:
        """Return what Security Hub has here."""
        found: list[dict[str, Any]] = self.client("securityhub", region=region).get_findings()["Findings"]
        return found
