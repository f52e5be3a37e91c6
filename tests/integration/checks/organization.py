"""An organization on moto: a root, an organizational unit for nodes and one for registries, and an account in each.

ministack has no organization of several accounts. moto lets every account assume every role and lets nobody delegate:
`refuse` and `delegate` say otherwise.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.awsrequest import AWSResponse, HTTPHeaders
from moto.core.exceptions import JsonRESTError
from moto.organizations.models import organizations_backends
from moto.organizations.responses import OrganizationsResponse

from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.cloudtrail import read_envelope
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.checks.estate import CLUSTER_TAG, MANIFEST, PULL, REGION, Statement, allow, grant, policy
from tests.integration.seen import seen

if TYPE_CHECKING:
    import pytest

OURS: Final = "123456789012"  # moto's account for keys that it did not hand out
SCP: Final = "SERVICE_CONTROL_POLICY"
RCP: Final = "RESOURCE_CONTROL_POLICY"


@dataclass(slots=True)
class Organization:
    """Nodes of account `nodes` may pull from its own registry and from that of `registry`, as far as the policies of
    roles and repositories go. Policy types are not enabled. `client` is the management account's.
    """

    management: str
    client: Any
    root: str
    nodes_unit: str
    nodes: str
    registry_unit: str
    registry: str
    instance: str
    session: boto3.session.Session = field(default_factory=boto3.session.Session)

    @classmethod
    def create(cls, management: str = OURS) -> Organization:
        client = client_of(management, "organizations")
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]
        units, accounts = [], []
        for name in ("nodes", "registry"):
            unit = client.create_organizational_unit(ParentId=root, Name=name)["OrganizationalUnit"]["Id"]
            made = client.create_account(AccountName=name, Email=f"{name}@example.com")["CreateAccountStatus"]
            client.move_account(AccountId=made["AccountId"], SourceParentId=root, DestinationParentId=unit)
            units.append(unit)
            accounts.append(made["AccountId"])
        nodes, registry = accounts
        client_of(nodes, "ecr").create_repository(repositoryName="app")
        ecr = client_of(registry, "ecr")
        ecr.create_repository(repositoryName="app")
        ecr.set_repository_policy(repositoryName="app", policyText=json.dumps(policy(grant(nodes))))
        return cls(management, client, root, units[0], nodes, units[1], registry, _node(nodes))

    def enable(self, kind: str) -> None:
        self.client.enable_policy_type(RootId=self.root, PolicyType=kind)

    def control(self, name: str, statement: Statement, target: str, kind: str = SCP) -> str:
        """Attach a new policy, and return its ARN."""
        made = self.client.create_policy(Content=json.dumps(policy(statement)), Description="", Name=name, Type=kind)[
            "Policy"
        ]["PolicySummary"]
        self.client.attach_policy(PolicyId=made["Id"], TargetId=target)
        arn: str = made["Arn"]
        return arn

    def run(self, command: tuple[str, ...]) -> None:
        """Do what an `aws organizations update-policy` command does, by the same API."""
        assert command[:3] == ("aws", "organizations", "update-policy")
        self.client.update_policy(
            PolicyId=command[command.index("--policy-id") + 1], Content=command[command.index("--content") + 1]
        )

    def refuse(self, account: str) -> None:
        """Let nobody into `account` from here."""

        def answer(params: dict[str, Any], **_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
            if f"%3A{account}%3A" not in str(params["body"]) and f":{account}:" not in str(params["body"]):
                return None
            error = {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}
            return AWSResponse("", 403, HTTPHeaders(), None), {"Error": error, "ResponseMetadata": {}}

        self.session.events.register("before-call.sts.AssumeRole", answer)

    def delegate(self, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let `account` see what the management account sees."""
        other = OrganizationsResponse.organizations_backend
        management = organizations_backends[self.management]["aws"]

        def backend(response: OrganizationsResponse) -> object:
            return management if response.current_account == account else other.fget(response)  # type: ignore[attr-defined]  # a property's getter

        monkeypatch.setattr(OrganizationsResponse, "organizations_backend", property(backend))

    def aws(self, organization_account: str | None = None) -> Aws:
        return Aws(
            self.session,
            member_role="PullResponderReadOnly",
            organization_account=organization_account,
            assume_proves_membership=True,
        )

    def event(self, reason: str = "", *, owner: str | None = None) -> dict[str, Any]:
        """The event of a pull that the node was refused, from its own registry or that of `owner`."""
        session = f"arn:aws:sts::{self.nodes}:assumed-role/node/{self.instance}"
        repository = f"arn:aws:ecr:{REGION}:{owner or self.nodes}:repository/app"
        issuer = {"type": "Role", "arn": f"arn:aws:iam::{self.nodes}:role/node", "accountId": self.nodes}
        return {
            "source": "aws.ecr",
            "region": REGION,
            "detail": {
                "eventSource": "ecr.amazonaws.com",
                "eventName": "BatchGetImage",
                "errorCode": "AccessDenied",
                "errorMessage": f"User: {session} is not authorized to perform: {MANIFEST} on resource: "
                f"{repository}{reason}",
                "userIdentity": {"type": "AssumedRole", "arn": session, "sessionContext": {"sessionIssuer": issuer}},
            },
        }

    def diagnose(
        self, reason: str = "", *, owner: str | None = None, organization_account: str | None = None
    ) -> Diagnosis:
        pull = read_envelope(self.event(reason, owner=owner))
        assert isinstance(pull, PullFailure)
        return seen(diagnose(pull, PullFacts(Reader(self.aws(organization_account)))))


def deny(monkeypatch: pytest.MonkeyPatch, call: str, *, target: str = "", account: str = "") -> None:
    """Refuse a read of Organizations as AWS does: of `target`, by `account`, or at all."""
    answer = getattr(OrganizationsResponse, call)

    def refused(response: OrganizationsResponse) -> str:
        asked_for = str(response.request_params)
        if target in asked_for and account in ("", response.current_account):
            raise JsonRESTError("AccessDeniedException", "You don't have permissions to access this resource.")
        answered: str = answer(response)
        return answered

    monkeypatch.setattr(OrganizationsResponse, call, refused)


def client_of(account: str, service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
    """A client with all rights in `account`."""
    keys = boto3.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account}:role/admin", RoleSessionName="build")[
        "Credentials"
    ]
    session = boto3.session.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return session.client(service, region_name=REGION)  # type: ignore[call-overload]  # the stubs know literals only


def _node(account: str) -> str:
    """The id of a node of a cluster, whose role may pull."""
    iam = client_of(account, "iam")
    trust = policy({"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="node", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="node", PolicyName="pull", PolicyDocument=json.dumps(policy(allow(*PULL))))
    tags = [{"Key": key, "Value": value} for key, value in CLUSTER_TAG.items()]
    made = client_of(account, "ec2").run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    instance: str = made["Instances"][0]["InstanceId"]
    return instance
