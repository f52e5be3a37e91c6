"""Which open findings a change can have fixed, and near misses."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from pull_responder.events.change import Change
from pull_responder.findings.concern import concerns, roles_of
from pull_responder.findings.finding import Finding
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity

NODES, REGISTRY, OTHER, MANAGEMENT = "111111111111", "222222222222", "333333333333", "444444444444"
HERE, THERE = "eu-west-1", "eu-central-1"
KEY_ID: Final = "01234567-89ab-cdef-0123-456789abcdef"
OTHER_KEY: Final = "mrk-0123456789abcdef0123456789abcdef"
NODE: Final = "i-0123456789abcdef0"
OTHER_NODE: Final = "i-0fedcba9876543210"


def arn(service: str, resource: str, account: str = NODES) -> str:
    return f"arn:aws:{service}:{'' if service == 'iam' else HERE}:{account}:{resource}"


def finding(cause: str, kind: str, resource: str, *, account: str = NODES, cluster: str | None = "prod") -> Finding:
    """A finding about a pull by role "node" of NODES from repository "app" of REGISTRY."""
    principal = Principal(PrincipalKind.ROLE, "", "aws", NODES, "node", role_arn=arn("iam", "role/eks/node"))
    return Finding(
        id=f"pull-responder/{cause}",
        cause=cause,
        title="",
        severity=Severity.HIGH,
        account=account,
        region=HERE,
        resource=Resource(kind, resource, account),
        explanation="",
        evidence=(),
        remediation=Remediation("", account, HERE, ""),
        pull=PullFailure(
            symptom=Symptom.ACCESS_DENIED,
            stage=None,
            region=HERE,
            account=NODES,
            principal=principal,
            registry_account=REGISTRY,
            repository="app",
            cluster=cluster,
        ),
        related=(Resource("AwsEc2Instance", arn("ec2", f"instance/{NODE}"), NODES),),
        cluster=cluster,
    )


ROLE = finding("role_lacks_pull_permissions", "AwsIamRole", arn("iam", "role/eks/node"))
REPOSITORY = finding(
    "repository_policy_lacks_grant", "AwsEcrRepository", arn("ecr", "repository/app", REGISTRY), account=REGISTRY
)
NO_REPOSITORY = replace(REPOSITORY, cause="repository_not_found")
IMAGE = replace(REPOSITORY, cause="image_not_found")
SUBNET = finding("no_route_to_ecr", "AwsEc2Subnet", arn("ec2", "subnet/subnet-1"))
GROUP = finding("security_group_blocks_egress", "AwsEc2SecurityGroup", arn("ec2", "security-group/sg-1"))
METADATA = finding("instance_metadata_disabled", "AwsEc2Instance", arn("ec2", f"instance/{NODE}"))
DISK = replace(METADATA, cause="node_disk_full")
HEALTH = finding("node_group_unhealthy", "Other", arn("eks", "nodegroup/prod/workers/uuid"))
KEY = finding("repository_key_unusable", "AwsKmsKey", arn("kms", f"key/{KEY_ID}", REGISTRY), account=REGISTRY)
CACHE = replace(REPOSITORY, cause="pull_through_cache_failing")
SCP = replace(ROLE, cause="scp_blocks_pull")
UNEXPLAINED = replace(ROLE, cause="pull_failing_unexplained")
OF_OLD = replace(ROLE, cause="a_cause_of_another_version")


def of_role(name: str) -> Finding:
    return finding("role_lacks_pull_permissions", "AwsIamRole", arn("iam", f"role/{name}"))


# Nothing tells who pulled, nor on which node.
NAMELESS = replace(ROLE, pull=replace(ROLE.pull, principal=Principal(PrincipalKind.UNKNOWN, "", "aws", NODES, None)))
UNKNOWN_PULLER = replace(ROLE, pull=replace(ROLE.pull, principal=None), related=(), cluster=None)
UNKNOWN_PLACE = replace(ROLE, cause="endpoint_policy_blocks_pull", related=())


def change(  # noqa: PLR0913 -- the fields of a change, keyword-only
    service: str,
    name: str,
    *words: str,
    account: str = NODES,
    region: str = HERE,
    role: str | None = None,
    repository: str | None = None,
) -> Change:
    named = frozenset(filter(None, (*words, role, repository)))
    return Change(service, name, account, region, role=role, repository=repository, words=named)


CREATE_ROUTE = change("ec2", "CreateRoute", "rtb-1", "nat-1")
OPEN_GROUP = change("ec2", "AuthorizeSecurityGroupEgress", "sg-1")
ATTACH = change("iam", "AttachRolePolicy", role="node", region="us-east-1")
EDIT_POLICY = change("iam", "CreatePolicyVersion", "arn:aws:iam::111111111111:policy/pull", region="us-east-1")
PUSH = change("ecr", "ECR Image Action", account=REGISTRY, repository="app")
FETCH = change("ecr", "ECR Pull Through Cache Action", account=REGISTRY, repository="app")
SET_POLICY = change("ecr", "SetRepositoryPolicy", account=REGISTRY, repository="app")
METADATA_ON = change("ec2", "ModifyInstanceMetadataOptions", NODE)
ENABLE_KEY = change("kms", "EnableKey", KEY_ID, account=REGISTRY)
RESTORE_SECRET = change("secretsmanager", "RestoreSecret", "ecr-pullthroughcache/hub", account=REGISTRY)
RESTORED = change("eks", "EKS Addon Health Restored", "prod")
MORE_NODES = change("eks", "UpdateNodegroupConfig", "prod", "workers")


@pytest.mark.parametrize(
    ("changed", "found", "why"),
    [
        (ATTACH, ROLE, "the role itself, whatever region IAM's event names"),
        (replace(ATTACH, name="CreateRole"), ROLE, "the role made anew"),
        (replace(ATTACH, role="node"), REPOSITORY, "a tag of the role may be what the repository's policy asks for"),
        (EDIT_POLICY, ROLE, "a managed policy that the role may have"),
        (replace(ATTACH, role=None), ROLE, "a role in an instance profile"),
        (replace(ATTACH, role="other"), UNKNOWN_PULLER, "nobody knows whose role it is"),
        (replace(ATTACH, role="other"), NAMELESS, "nobody knows whose role it is"),
        (SET_POLICY, REPOSITORY, "the repository's policy"),
        (SET_POLICY, ROLE, "the repository may let the role in by itself"),
        (replace(SET_POLICY, repository="other"), ROLE, "the role may fail on other repositories as well"),
        (change("ecr", "PutRegistryPolicy", account=REGISTRY), REPOSITORY, "the registry's policy"),
        (change("ecr", "PutAccountSetting", account=REGISTRY), ROLE, "what the registry's policy counts for"),
        (change("ecr", "CreateRepository", account=REGISTRY, repository="app"), NO_REPOSITORY, "made at last"),
        (change("ecr", "DeleteRepository", account=REGISTRY, repository="app"), REPOSITORY, "gone"),
        (PUSH, IMAGE, "the image"),
        (replace(PUSH, repository=None), IMAGE, "an image, nobody knows where"),
        (FETCH, CACHE, "the cache works"),
        (RESTORE_SECRET, CACHE, "the cache's secret"),
        (change("secretsmanager", "UpdateSecret", account=REGISTRY), CACHE, "a secret, nobody knows which"),
        (CREATE_ROUTE, SUBNET, "a route"),
        (OPEN_GROUP, GROUP, "a rule"),
        (CREATE_ROUTE, UNKNOWN_PLACE, "the way decides which endpoint's policy counts"),
        (replace(CREATE_ROUTE, region=THERE), UNKNOWN_PLACE, "nobody knows where the nodes are"),
        (replace(OPEN_GROUP, account=OTHER), GROUP, "the VPC may be shared, by an account that nobody has named"),
        (METADATA_ON, METADATA, "the node itself"),
        (replace(METADATA_ON, words=frozenset({OTHER_NODE, NODE})), METADATA, "the node among others"),
        (replace(METADATA_ON, words=frozenset({"iip-assoc-1"})), METADATA, "a node, nobody knows which"),
        (change("ec2", "CreateLaunchTemplateVersion", "sg-1"), METADATA, "what nodes are made by"),
        (change("ec2", "TerminateInstances", NODE), DISK, "the node is gone"),
        (METADATA_ON, ROLE, "a policy may ask how the credentials were got"),
        (replace(MORE_NODES, region=THERE), UNKNOWN_PLACE, "nobody knows where the cluster is"),
        (replace(ATTACH, role="guard"), of_role("eks/guard"), "the role at fault, which is not the one that pulls"),
        (ATTACH, of_role("eks/guard"), "the role that pulls, which is not the one at fault"),
        (RESTORED, ROLE, "the add-on's pods can pull again, whatever was mended"),
        (RESTORED, SUBNET, "the same of the way"),
        (RESTORED, REPOSITORY, "the same of a repository"),
        (MORE_NODES, HEALTH, "the node group itself"),
        (MORE_NODES, SUBNET, "its nodes start in other subnets now"),
        (MORE_NODES, UNKNOWN_PLACE, "the cluster"),
        (ENABLE_KEY, KEY, "the key itself"),
        (ENABLE_KEY, CACHE, "a key that the cache may need"),
        (change("organizations", "DetachPolicy", "p-1", account=MANAGEMENT, region="us-east-1"), SCP, "far above"),
        (CREATE_ROUTE, UNEXPLAINED, "whatever it may be"),
        (ENABLE_KEY, OF_OLD, "nobody knows what it was found by"),
    ],
)
def test_a_change_concerns_a_finding_that_it_can_fix(changed: Change, found: Finding, why: str) -> None:
    assert concerns(changed, found), why


@pytest.mark.parametrize(
    ("changed", "found", "why"),
    [
        (change("iam", "AttachRolePolicy", "node", role="other"), ROLE, "another role, by a policy of the same name"),
        (replace(ATTACH, role="node2"), ROLE, "a role whose name begins alike"),
        (replace(ATTACH, account=OTHER), ROLE, "a role of the same name in another account"),
        (replace(EDIT_POLICY, account=OTHER), ROLE, "a policy of another account"),
        (ATTACH, SUBNET, "a role is no part of the way"),
        (replace(SET_POLICY, repository="app2"), REPOSITORY, "another repository"),
        (replace(SET_POLICY, account=OTHER), REPOSITORY, "a repository of the same name in another registry"),
        (replace(SET_POLICY, region=THERE), REPOSITORY, "one in another region"),
        (SET_POLICY, SUBNET, "a repository is no part of the way"),
        (PUSH, REPOSITORY, "an image changes no policy"),
        (PUSH, ROLE, "nor what the role may do"),
        (replace(PUSH, repository="other"), IMAGE, "an image of another repository"),
        (replace(PUSH, repository="other"), DISK, "an image that the node did not pull"),
        (FETCH, ROLE, "a cache that works changes no policy"),
        (replace(RESTORE_SECRET, words=frozenset({"database"})), CACHE, "a secret that no cache can use"),
        (RESTORE_SECRET, ROLE, "a role needs no secret"),
        (CREATE_ROUTE, ROLE, "ECR has answered the role, so the way was there"),
        (CREATE_ROUTE, DISK, "the way is not the disk"),
        (CREATE_ROUTE, METADATA, "nor the metadata of the node"),
        (replace(MORE_NODES, region=THERE), replace(HEALTH, related=()), "one that EKS alone tells the region of"),
        (replace(ATTACH, role="app"), REPOSITORY, "a role that is called as the repository"),
        (replace(ATTACH, role="eks/guard"), of_role("eks/guard"), "no role has a path in its name"),
        (replace(CREATE_ROUTE, account=OTHER), SUBNET, "a route of another account than the VPC's"),
        (replace(CREATE_ROUTE, region=THERE), SUBNET, "a route in another region than the nodes"),
        (CREATE_ROUTE, IMAGE, "an image is there or not, whatever the way"),
        (replace(METADATA_ON, words=frozenset({OTHER_NODE})), METADATA, "another node"),
        (replace(METADATA_ON, account=OTHER, words=frozenset({"lt-1"})), METADATA, "a node of another account"),
        (replace(MORE_NODES, words=frozenset({"test", "workers"})), HEALTH, "a group of that name in another cluster"),
        (replace(MORE_NODES, account=OTHER), HEALTH, "a cluster of that name in another account"),
        (replace(MORE_NODES, region=THERE), HEALTH, "a cluster of that name in another region"),
        (replace(RESTORED, words=frozenset({"test"})), ROLE, "an add-on of another cluster"),
        (replace(RESTORED, account=OTHER), ROLE, "an add-on of a cluster of that name in another account"),
        (replace(RESTORED, region=THERE), SUBNET, "an add-on of a cluster of that name in another region"),
        (MORE_NODES, REPOSITORY, "a node group is no part of a repository's policy"),
        (replace(ENABLE_KEY, words=frozenset({OTHER_KEY})), KEY, "another key"),
        (ENABLE_KEY, ROLE, "a role needs no key"),
        (change("organizations", "DetachPolicy", account=MANAGEMENT), SUBNET, "no policy is part of the way"),
        (replace(CREATE_ROUTE, account=OTHER), replace(UNEXPLAINED, resource=SUBNET.resource), "not the VPC's owner"),
    ],
)
def test_a_change_does_not_concern_a_finding_that_it_cannot_fix(changed: Change, found: Finding, why: str) -> None:
    assert not concerns(changed, found), why


@pytest.mark.parametrize(
    ("found", "roles"),
    [
        (ROLE, {"node"}),
        (of_role("eks/guard"), {"node", "guard"}),
        (REPOSITORY, {"node"}),
        (replace(ROLE, resource=replace(ROLE.resource, id="AWS::::Account:111111111111")), {"node"}),
        (UNKNOWN_PULLER, set()),
        (NAMELESS, set()),
    ],
)
def test_which_roles_a_finding_is_about(found: Finding, roles: set[str]) -> None:
    assert roles_of(found) == roles
