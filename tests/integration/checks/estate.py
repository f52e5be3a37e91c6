"""A small emulated estate: node roles, their instances, repositories, and the event of a pull that was denied."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import boto3
from botocore.exceptions import ClientError

from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.cloudtrail import read_envelope
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.remediation.shell import render
from tests import aws_cli
from tests.integration.seen import seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from pull_responder.findings.finding import Finding
    from pull_responder.model.verdict import Remediation

Statement = dict[str, Any]
Document = dict[str, Any]

REGION: Final = "us-east-1"
MEMBER_ROLE: Final = "PullResponderReadOnly"
TOKEN, MANIFEST, LAYERS = PULL = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PULL_ONLY: Final = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
GONE_INSTANCE: Final = "i-0123456789abcdef0"

# What AWS says after the resource: IAM User Guide, "Troubleshoot access denied error messages".
NO_REASON: Final = ""
ReasonOf = Literal[
    "identity-based policy",
    "permissions boundary",
    "session policy",
    "resource-based policy",
    "service control policy",
    "resource control policy",
    "VPC endpoint policy",
]


def because_no(policy: ReasonOf, action: str = MANIFEST) -> str:
    return f" because no {policy} allows the {action} action"


def explicit_deny(policy: ReasonOf, arn: str = "") -> str:
    article = "an" if policy[0] in "aeiou" else "a"
    return f" with an explicit deny in {article} {policy}" + (f": {arn}" if arn else "")


def policy(*statements: Statement, version: str = "2012-10-17") -> Document:
    return {"Version": version, "Statement": list(statements)}


def allow(*actions: str, on: str | Sequence[str] = "*", **more: object) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


def deny(*actions: str, on: str | Sequence[str] = "*", **more: object) -> Statement:
    return {"Effect": "Deny", "Action": list(actions), "Resource": on, **more}


def grant(principal: str, *actions: str, **more: object) -> Statement:
    """A statement of a repository policy, which has no Resource."""
    who = "*" if principal == "*" else {"AWS": principal}
    return {"Effect": "Allow", "Principal": who, "Action": list(actions or PULL[1:]), **more}


def refuse(principal: str, *actions: str, **more: object) -> Statement:
    return {**grant(principal, *actions, **more), "Effect": "Deny"}


ALLOW_ALL: Final = allow("*")
ALLOW_TOKEN: Final = allow(TOKEN)
# What Karpenter, managed node groups and self-managed nodes have in common.
CLUSTER_TAG: Final = {"kubernetes.io/cluster/prod": "owned"}
_IMAGE: Final = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 1,
        "digest": f"sha256:{'a' * 64}",
    },
    "layers": [],
}


@dataclass(slots=True)
class Estate:
    """Two accounts that no other test uses.

    `account` runs the nodes and is where the responder runs. `other` can own repositories, too. Everything is in
    `region`.
    """

    aws: EmulatedAws
    folder: Path
    account: str
    other: str
    administrator: boto3.session.Session
    region: str = REGION
    listed: tuple[str, ...] = ()
    """The accounts that the operator lists as ours, `other` unless a test says otherwise: each emulated account is in
    an organization of its own."""
    assume_proves_membership: bool = False
    """Whether we are a deployed function, and no terminal."""
    record: dict[str, Any] = field(default_factory=dict)
    """The last CloudTrail record of a denial that was read."""
    _sessions: int = field(default=0)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.listed = (self.other,)

    def _client(self, service: str, account: str | None = None) -> Any:  # noqa: ANN401 -- one of boto3's clients
        """A client with all rights in `account`, by default our own."""
        key = service, account or self.account
        if key not in self._clients:
            self._clients[key] = self.administrator.client(  # type: ignore[call-overload]  # the stubs know literals only
                service, region_name=self.region, aws_access_key_id=key[1], aws_secret_access_key="test"
            )
        return self._clients[key]

    def role(  # noqa: PLR0913 -- each is one keyword
        self,
        *inline: Statement,
        name: str = "node",
        path: str = "/nodes/",
        attach: Sequence[str] = (),
        boundary: str | None = None,
        trusted: Sequence[str] = ("ec2",),
        account: str | None = None,
    ) -> Arn:
        """A role that its account and the services `trusted` may assume; each statement is an inline policy."""
        account = account or self.account
        iam = self._client("iam", account)
        services = {"Service": [f"{service}.amazonaws.com" for service in trusted]}
        principals: list[dict[str, Any]] = [{"AWS": f"arn:aws:iam::{account}:root"}, *([services] if trusted else [])]
        trust = policy(*[{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"} for who in principals])
        bounded = {"PermissionsBoundary": boundary} if boundary else {}
        made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust), **bounded)
        role = arn_of(made["Role"]["Arn"])
        for number, statement in enumerate(inline):
            self.put_inline(role, f"inline{number}", policy(statement))
        for arn in attach:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        return role

    def put_inline(self, role: Arn, name: str, document: Document) -> None:
        self._client("iam", role.account).put_role_policy(
            RoleName=name_of(role), PolicyName=name, PolicyDocument=json.dumps(document)
        )

    def managed_policy(self, *documents: Document, name: str = "guard") -> str:
        """A customer managed policy with a version for each document, the last one in force."""
        iam = self._client("iam")
        first, *later = map(json.dumps, documents)
        arn: str = iam.create_policy(PolicyName=name, PolicyDocument=first)["Policy"]["Arn"]
        for document in later:
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        return arn

    def repository(self, *statements: Statement, name: str = "team/app", account: str | None = None) -> Arn:
        """A repository with an image v1, and with a policy if there are statements for it."""
        ecr = self._client("ecr", account)
        made = ecr.create_repository(repositoryName=name)["repository"]
        ecr.put_image(repositoryName=name, imageTag="v1", imageManifest=json.dumps(_IMAGE))
        repository = arn_of(made["repositoryArn"])
        if statements:
            self.set_policy(repository, *statements)
        return repository

    def set_policy(self, repository: Arn, *statements: Statement) -> None:
        self._client("ecr", repository.account).set_repository_policy(
            repositoryName=name_of(repository), policyText=json.dumps(policy(*statements))
        )

    def set_registry_policy(self, *statements: Statement, scope: str = "V2", account: str | None = None) -> None:
        ecr = self._client("ecr", account)
        ecr.put_registry_policy(policyText=json.dumps(policy(*statements)))
        ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value=scope)

    def cache(self, prefix: str) -> None:
        """A pull through cache rule of our registry; the emulated one stores it and fetches nothing."""
        self._client("ecr").create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl="quay.io")

    def client(self, service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        """A client with all rights in our account."""
        return self._client(service)

    def instance(self, tags: Mapping[str, str] = CLUSTER_TAG, *, account: str | None = None) -> str:
        """The id of a running instance."""
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        tagged = {"TagSpecifications": [{"ResourceType": "instance", "Tags": listed}]} if listed else {}
        ec2 = self._client("ec2", account)
        made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, **tagged)
        instance: str = made["Instances"][0]["InstanceId"]
        return instance

    def cluster(self, name: str = "prod") -> Any:  # noqa: ANN401 -- boto3's EKS client
        """Create a cluster; return a client to add compute to it."""
        eks = self._client("eks")
        role = self.role(name=f"{name}-control-plane", trusted=("eks",))
        eks.create_cluster(name=name, roleArn=str(role), resourcesVpcConfig={"subnetIds": ["subnet-1", "subnet-2"]})
        return eks

    def member(self, *denied: str, account: str | None = None) -> None:
        """The role that `account` is read with in another one, `denied` some of the reads."""
        account = account or self.other
        iam = self._client("iam", account)
        trusted = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName=MEMBER_ROLE, AssumeRolePolicyDocument=json.dumps(policy(trusted)))
        rules = policy(ALLOW_ALL, *([deny(*denied)] if denied else []))
        iam.put_role_policy(RoleName=MEMBER_ROLE, PolicyName="read", PolicyDocument=json.dumps(rules))

    def denied(  # noqa: PLR0913 -- each is one keyword
        self,
        role: Arn,
        repository: Arn | None,
        reason: str = NO_REASON,
        *,
        action: str = MANIFEST,
        session: str | None = None,
        issued: str | None = None,
    ) -> PullFailure:
        """The pull that `role` was denied, as its CloudTrail event has it; `session` is a new node's unless given."""
        arn = (
            f"arn:aws:sts::{role.account}:assumed-role/{name_of(role)}/{session or self.instance(account=role.account)}"
        )
        return self.event(arn, repository, reason, action=action, role=role, issued=issued)

    def event(  # noqa: PLR0913 -- each is one keyword
        self,
        principal: str,
        repository: Arn | None,
        reason: str = NO_REASON,
        *,
        action: str = MANIFEST,
        role: Arn | None = None,
        issued: str | None = None,
    ) -> PullFailure:
        """Read the CloudTrail event of a denial of `principal`; `role` is the one that issued its session, and `issued`
        when.
        """
        denied = f"User: {principal} is not authorized to perform: {action} on resource: {repository or '*'}{reason}"
        account = principal.split(":")[4]
        identity: dict[str, Any] = {"type": "AssumedRole", "arn": principal, "accountId": account}
        if role:
            identity["sessionContext"] = {
                "sessionIssuer": {"type": "Role", "arn": str(role), "accountId": account},
                **({"attributes": {"creationDate": issued, "mfaAuthenticated": "false"}} if issued else {}),
            }
        detail = {
            "eventSource": "ecr.amazonaws.com",
            # What a cache needs is asked by ECR itself, within the call that fetches the manifest.
            "eventName": (action if action in PULL else MANIFEST).removeprefix("ecr:"),
            "awsRegion": self.region,
            "eventTime": "2026-03-01T12:00:00Z",
            "errorCode": "AccessDenied",
            "errorMessage": denied,
            "userIdentity": identity,
            "eventID": "8da4d3e2-2d4f-5ea4-8818-796502d9bd22",
        }
        self.record = detail
        return self.read(detail)

    def read(self, record: dict[str, Any]) -> PullFailure:
        """Read a CloudTrail record of a denial, as EventBridge delivers it."""
        account = record["userIdentity"]["accountId"]
        pull = read_envelope({"source": "aws.ecr", "account": account, "region": self.region, "detail": record})
        assert isinstance(pull, PullFailure)
        return pull

    def diagnose(
        self,
        pull: PullFailure,
        *,
        unreadable: Sequence[str] = (),
        known_principals: Sequence[str] = (),
        now: datetime | None = None,
    ) -> Diagnosis:
        """Diagnose with the rights of an administrator of `account`, but for the actions in `unreadable`."""
        aws = self.connect(*unreadable)
        if now:
            aws.now = lambda: now
        facts = PullFacts(Reader(aws), known_principals=tuple(known_principals))
        return seen(diagnose(pull, facts))

    def fill_in(self, statement: Statement, **names: str) -> Statement:
        """`statement` with our account's number for ACCOUNT, and for the like in `names`."""

        def put(value: Any) -> Any:  # noqa: ANN401 -- any JSON
            if isinstance(value, str):
                for name, number in {"ACCOUNT": self.account, **names}.items():
                    value = value.replace(name, number)
                return value
            if isinstance(value, dict):
                return {key: put(each) for key, each in value.items()}
            return [put(each) for each in value] if isinstance(value, list) else value

        filled: Statement = put(statement)
        return filled

    def connect(self, *unreadable: str) -> Aws:
        """AWS as the responder sees it: as root of `account`, or as a role that may not do `unreadable`."""
        return Aws(
            self.session(*unreadable),
            member_role=MEMBER_ROLE,
            read_accounts=self.listed,
            assume_proves_membership=self.assume_proves_membership,
        )

    def session(self, *unreadable: str) -> boto3.session.Session:
        if not unreadable:
            return boto3.session.Session(self.account, "test", region_name=self.region)
        self._sessions += 1
        reader = self.role(ALLOW_ALL, deny(*unreadable), name=f"reader{self._sessions}", trusted=())
        sts = self._client("sts")
        keys = sts.assume_role(RoleArn=str(reader), RoleSessionName="reader")["Credentials"]
        return boto3.session.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name=self.region
        )

    def may(self, role: Arn, repository: Arn, *, session_policy: Document | None = None) -> set[str]:
        """The pull actions that AWS lets a session of `role` do on `repository`."""
        sts = self._client("sts", role.account)
        limited = {"Policy": json.dumps(session_policy)} if session_policy else {}
        keys = sts.assume_role(RoleArn=str(role), RoleSessionName=GONE_INSTANCE, **limited)["Credentials"]
        ecr = self.aws.client("ecr", credentials=keys, region=self.region)
        where = {"registryId": repository.account, "repositoryName": name_of(repository)}
        calls = {
            TOKEN: ecr.get_authorization_token,
            MANIFEST: lambda: ecr.batch_get_image(**where, imageIds=[{"imageTag": "v1"}]),
            LAYERS: lambda: ecr.get_download_url_for_layer(**where, layerDigest="sha256:" + "b" * 64),
        }
        return {action for action, call in calls.items() if _allowed(call)}

    def run(self, remediation: Remediation) -> None:
        """Run the commands as they are printed: a shell each, an empty folder, and nothing set but the credentials."""
        assert remediation.commands
        environment = {
            "PATH": f"{aws_cli.folder()}:{os.defpath}",
            "HOME": str(self.folder),
            "AWS_ACCESS_KEY_ID": remediation.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.aws.environment["AWS_ENDPOINT_URL"],
        }
        for command in remediation.commands:
            done = subprocess.run(  # noqa: S603 -- what is tested
                ["/bin/sh", "-c", render(command)],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{render(command)}\n{done.stderr}"


def _allowed(call: Any) -> bool:  # noqa: ANN401 -- a call of a client
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] not in {"AccessDenied", "AccessDeniedException"}
    return True


def arn_of(text: str) -> Arn:
    arn = Arn.parse(text)
    assert arn is not None
    return arn


def name_of(arn: Arn) -> str:
    return arn.resource.removeprefix("repository/") if arn.service == "ecr" else arn.resource.rsplit("/", 1)[-1]


def only(diagnosis: Diagnosis, cause: str) -> Finding:
    """The one finding, which is of that cause; nothing else is reported beside it."""
    assert [finding.cause for finding in diagnosis.findings] == [cause]
    assert diagnosis.inconclusive == ()
    return diagnosis.findings[0]


def opened(diagnosis: Diagnosis) -> dict[str, str]:
    """Why each cause that might explain the failure could not be decided; nothing was found."""
    assert diagnosis.findings == ()
    assert diagnosis.note == ""
    return {each.cause: each.reason for each in diagnosis.inconclusive}


def is_fixed_since(diagnosis: Diagnosis) -> bool:
    return (
        not diagnosis.findings and not diagnosis.inconclusive and "has changed since AWS refused it" in diagnosis.note
    )
