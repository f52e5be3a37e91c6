"""Every fix is run as a person would, by a shell with the AWS CLI: the pull is denied before and allowed after."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from pull_responder.model.arn import Arn
from pull_responder.remediation import ecr, iam
from pull_responder.remediation.iam import ManagedPolicy
from pull_responder.remediation.policy_edits import allow_pull, stop_denying
from pull_responder.remediation.shell import render
from tests import aws_cli

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pull_responder.cli.emulator.emulated_aws import EmulatedAws
    from pull_responder.model.verdict import Remediation

ACCOUNT, OTHER_ACCOUNT, REGION = "123456789012", "222222222222", "eu-central-1"
TOKEN, MANIFEST, LAYER = PULL = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
IMAGE = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 1,
        "digest": "sha256:" + "a" * 64,
    },
    "layers": [],
}


def _policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _deny(actions: Any, resource: Any = "*", **more: object) -> dict[str, Any]:  # noqa: ANN401 -- as policies have it
    return {"Effect": "Deny", "Action": actions, "Resource": resource, **more}


@dataclass(frozen=True, slots=True)
class Estate:
    """Repositories of ACCOUNT and roles of anybody, under names that nobody else has."""

    aws: EmulatedAws
    folder: Path
    suffix: str

    def repository(self, name: str = "team/app") -> Arn:
        client = self.aws.client("ecr", account=ACCOUNT, region=REGION)
        made = client.create_repository(repositoryName=f"{name}-{self.suffix}")["repository"]
        client.put_image(repositoryName=made["repositoryName"], imageTag="v1", imageManifest=json.dumps(IMAGE))
        return _arn(made["repositoryArn"])

    def set_policy(self, repository: Arn, document: dict[str, Any]) -> None:
        self.aws.client("ecr", account=repository.account, region=REGION).set_repository_policy(
            repositoryName=_name(repository), policyText=json.dumps(document)
        )

    def role(self, *inline: dict[str, Any], name: str = "node", account: str = ACCOUNT) -> Arn:
        """A role with a path, and inline policies named inline0, inline1, …"""
        client = self.aws.client("iam", account=account)
        trust = _policy({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"})
        made = client.create_role(
            RoleName=f"{name}-{self.suffix}", Path="/nodes/", AssumeRolePolicyDocument=json.dumps(trust)
        )
        for index, document in enumerate(inline):
            client.put_role_policy(
                RoleName=f"{name}-{self.suffix}", PolicyName=f"inline{index}", PolicyDocument=json.dumps(document)
            )
        return _arn(made["Role"]["Arn"])

    def managed_policy(self, *documents: dict[str, Any]) -> ManagedPolicy:
        """A customer managed policy with a version for each document, the last one in force."""
        client = self.aws.client("iam", account=ACCOUNT)
        first, *later = map(json.dumps, documents)
        arn = client.create_policy(PolicyName=f"guard-{self.suffix}", PolicyDocument=first)["Policy"]["Arn"]
        for document in later:
            client.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        versions = client.list_policy_versions(PolicyArn=arn)["Versions"]
        default = next(version["VersionId"] for version in versions if version["IsDefaultVersion"])
        return ManagedPolicy(_arn(arn), tuple(version["VersionId"] for version in versions), default)

    def attach(self, role: Arn, policy: Arn) -> None:
        self.aws.client("iam", account=role.account).attach_role_policy(RoleName=_name(role), PolicyArn=str(policy))

    def bound(self, role: Arn, policy: Arn) -> None:
        self.aws.client("iam", account=role.account).put_role_permissions_boundary(
            RoleName=_name(role), PermissionsBoundary=str(policy)
        )

    def may(self, role: Arn, repository: Arn) -> set[str]:
        """The pull actions that AWS lets a session of `role` do on `repository`."""
        sts = self.aws.client("sts", account=role.account)
        session = sts.assume_role(RoleArn=str(role), RoleSessionName="i-0123456789abcdef0")["Credentials"]
        client = self.aws.client("ecr", credentials=session, region=REGION)
        where = {"registryId": repository.account, "repositoryName": _name(repository)}
        calls = {
            TOKEN: client.get_authorization_token,
            MANIFEST: lambda: client.batch_get_image(**where, imageIds=[{"imageTag": "v1"}]),
            LAYER: lambda: client.get_download_url_for_layer(**where, layerDigest="sha256:" + "b" * 64),
        }
        return {action for action, call in calls.items() if _allowed(call)}

    def apply(self, fix: Remediation) -> None:
        """Run the commands as they are printed: a shell each, an empty folder, and nothing set but the credentials."""
        assert fix.commands
        environment = {
            "PATH": f"{aws_cli.folder()}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "AWS_ACCESS_KEY_ID": fix.account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.aws.environment["AWS_ENDPOINT_URL"],
        }
        for command in fix.commands:
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


def _arn(text: str) -> Arn:
    arn = Arn.parse(text)
    assert arn is not None
    return arn


def _name(arn: Arn) -> str:
    return arn.resource.removeprefix("repository/") if arn.service == "ecr" else arn.resource.rsplit("/", 1)[-1]


@pytest.fixture
def estate(aws: EmulatedAws, tmp_path: Path) -> Estate:
    folder = tmp_path / "empty"
    folder.mkdir()
    return Estate(aws, folder, uuid4().hex[:12])


@pytest.mark.parametrize("fargate", [False, True], ids=["node", "fargate"])
def test_attaching_the_managed_policy(estate: Estate, *, fargate: bool) -> None:
    repository, role = estate.repository(), estate.role()
    assert estate.may(role, repository) == set()
    estate.apply(iam.attach_pull_policy(role, region=REGION, fargate=fargate))
    assert estate.may(role, repository) == set(PULL)


def test_adding_an_inline_policy_for_what_is_missing(estate: Estate) -> None:
    repository, neighbour = estate.repository(), estate.repository("team/db")
    role = estate.role(_policy({"Effect": "Allow", "Action": LAYER, "Resource": "*"}), name="-o,brien=x@y")
    assert estate.may(role, repository) == {LAYER}
    estate.apply(iam.add_inline_policy(role, region=REGION, actions=[TOKEN, MANIFEST], repository_arn=str(repository)))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {LAYER, TOKEN}


def test_a_second_inline_policy_leaves_the_first(estate: Estate) -> None:
    repository, neighbour, role = estate.repository(), estate.repository("team/db"), estate.role()
    taken: list[str] = []
    for target in (repository, neighbour):
        estate.apply(
            iam.add_inline_policy(
                role, region=REGION, actions=PULL, repository_arn=str(target), taken_names=tuple(taken)
            )
        )
        taken = estate.aws.client("iam").list_role_policies(RoleName=_name(role))["PolicyNames"]
    assert estate.may(role, repository) == estate.may(role, neighbour) == set(PULL)


@pytest.mark.parametrize("actions", ["*", "ecr:*", ["ecr:Batch*", "ecr:Get*"], list(PULL)], ids=str)
def test_narrowing_an_inline_policy_that_denies(estate: Estate, actions: object) -> None:
    repository, neighbour = estate.repository(), estate.repository("team/db")
    document = _policy(ALLOW_ALL, _deny(actions))
    role = estate.role(document)
    assert estate.may(role, repository) == set()
    edited = stop_denying(document, [1], PULL, str(repository))
    estate.apply(iam.replace_inline_policy(role, region=REGION, policy_name="inline0", document=edited))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {TOKEN}


def test_deleting_an_inline_policy_that_only_denies(estate: Estate) -> None:
    repository = estate.repository()
    document = _policy(_deny(list(PULL), [str(repository)]))
    role = estate.role(_policy(ALLOW_ALL), document)
    assert estate.may(role, repository) == {TOKEN}
    edited = stop_denying(document, [0], PULL, str(repository))
    estate.apply(iam.replace_inline_policy(role, region=REGION, policy_name="inline1", document=edited))
    assert estate.may(role, repository) == set(PULL)


@pytest.mark.parametrize("versions", [1, 5])
def test_narrowing_a_customer_managed_policy(estate: Estate, versions: int) -> None:
    repository, neighbour, role = estate.repository(), estate.repository("team/db"), estate.role(_policy(ALLOW_ALL))
    document = _policy(_deny(["ecr:*", "iam:*"]))
    policy = estate.managed_policy(*[_policy(ALLOW_ALL)] * (versions - 1), document)
    estate.attach(role, policy.arn)
    assert len(policy.versions) == versions
    assert estate.may(role, repository) == set()
    edited = stop_denying(document, [0], PULL, str(repository))
    estate.apply(iam.replace_managed_policy(role, policy, region=REGION, document=edited))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {TOKEN}
    kept = estate.aws.client("iam").list_policy_versions(PolicyArn=str(policy.arn))["Versions"]
    assert {version["VersionId"] for version in kept} == (
        {"v1", "v2"} if versions == 1 else {"v2", "v3", "v4", "v5", "v6"}
    )


def test_detaching_a_policy_of_aws(estate: Estate) -> None:
    repository, role = estate.repository(), estate.role(_policy(ALLOW_ALL))
    deny_all = ManagedPolicy(_arn("arn:aws:iam::aws:policy/AWSDenyAll"), ("v1",), "v1")
    estate.attach(role, deny_all.arn)
    assert estate.may(role, repository) == set()
    estate.apply(iam.replace_managed_policy(role, deny_all, region=REGION, document=None))
    assert estate.may(role, repository) == set(PULL)


def test_widening_a_boundary_that_does_not_allow(estate: Estate) -> None:
    repository, neighbour, role = estate.repository(), estate.repository("team/db"), estate.role(_policy(ALLOW_ALL))
    document = _policy({"Effect": "Allow", "Action": ["s3:*", TOKEN], "Resource": "*"})
    boundary = estate.managed_policy(document)
    estate.bound(role, boundary.arn)
    assert estate.may(role, repository) == {TOKEN}
    edited = allow_pull(document, actions=[MANIFEST, LAYER], repository_arn=str(repository))
    fix = iam.widen_boundary(role, boundary, region=REGION, actions=[MANIFEST, LAYER], document=edited)
    estate.apply(fix)
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(role, neighbour) == {TOKEN}


def test_narrowing_a_boundary_that_denies(estate: Estate) -> None:
    repository, role = estate.repository(), estate.role(_policy(ALLOW_ALL))
    document = _policy(ALLOW_ALL, _deny("ecr:BatchGet*"))
    boundary = estate.managed_policy(document)
    estate.bound(role, boundary.arn)
    assert estate.may(role, repository) == {TOKEN, LAYER}
    edited = stop_denying(document, [1], PULL, str(repository))
    estate.apply(iam.widen_boundary(role, boundary, region=REGION, actions=[MANIFEST], document=edited))
    assert estate.may(role, repository) == set(PULL)


@pytest.mark.parametrize("has_policy", [False, True])
def test_granting_another_account(estate: Estate, *, has_policy: bool) -> None:
    repository = estate.repository()
    push = {"Sid": "Push", "Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage"}
    document = _policy(push) if has_policy else None
    if document is not None:
        estate.set_policy(repository, document)
    role = estate.role(_policy(ALLOW_ALL), account=OTHER_ACCOUNT)
    stranger = estate.role(_policy(ALLOW_ALL), name="stranger", account="333333333333")
    assert estate.may(role, repository) == {TOKEN}
    estate.apply(ecr.grant_account(repository, document=document, pulling_account=OTHER_ACCOUNT))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(stranger, repository) == {TOKEN}


DENIERS = {
    "everyone": "*",
    "everyone, in the long form": {"AWS": "*"},
    "the account": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "the role": {"AWS": ["arn:aws:iam::444444444444:root", "ROLE"]},
    "the role alone": {"AWS": "ROLE"},
}


@pytest.mark.parametrize("principal", DENIERS.values(), ids=DENIERS)
def test_exempting_a_role_from_a_repository_policy(estate: Estate, principal: object) -> None:
    repository, role = estate.repository(), estate.role(_policy(ALLOW_ALL))
    bystander = estate.role(_policy(ALLOW_ALL), name="bystander")
    statement = {"Effect": "Deny", "Principal": principal, "Action": "ecr:*"}
    document = json.loads(json.dumps(_policy(statement)).replace("ROLE", str(role)))
    estate.set_policy(repository, document)
    denied_to_others = estate.may(bystander, repository)
    assert estate.may(role, repository) == {TOKEN}
    estate.apply(ecr.exempt_role(repository, document=document, statements=[0], role=role))
    assert estate.may(role, repository) == set(PULL)
    assert estate.may(bystander, repository) == denied_to_others
