"""A read of the nodes that is refused or throttled leaves open what hangs on it, and nothing else."""

from __future__ import annotations

import pytest

from tests.integration.network.estate import NetworkEstate, causes, opened
from tests.integration.network.test_unread import PATH

JOINING = {
    "peering_cannot_carry_traffic",
    "transit_gateway_blocks_traffic",
    "network_firewall_blocks_registry",
    "dns_firewall_blocks_registry",
}
WAY = PATH | JOINING | {"endpoint_policy_blocks_pull", "s3_endpoint_policy_blocks_layers"}
ROLE = {"instance_profile_missing", "role_trust_policy_excludes_service"}
ALLOWS = {"role_lacks_pull_permissions", "role_policy_denies_pull"}
POLICIES = ALLOWS | {
    "permissions_boundary_blocks_pull",
    "scp_blocks_pull",
    "rcp_blocks_pull",
    "session_policy_blocks_pull",
    "repository_policy_lacks_grant",
    "repository_policy_denies_pull",
    "registry_policy_denies_pull",
}
EVERYTHING = WAY | ROLE | POLICIES | {"instance_metadata_disabled"}
OF_ROLE = {
    "iam:GetRole": ROLE | {"permissions_boundary_blocks_pull"},
    "iam:ListRolePolicies": ALLOWS,
    "iam:GetRolePolicy": ALLOWS,
    # What the inline policy allows is known; a managed one might still deny it.
    "iam:ListAttachedRolePolicies": {"role_policy_denies_pull"},
    # It saves a round, and no more.
    "iam:ListPolicies": set[str](),
}
RUNNING = OF_ROLE | {
    "eks:DescribeCluster": set[str](),
    "eks:DescribeNodegroup": {"node_group_unhealthy"},
    "ec2:DescribeLaunchTemplateVersions": set[str](),
    "iam:GetInstanceProfile": ROLE,
}
NODES: dict[str, dict[str, set[str]]] = {
    "instance": RUNNING | {"ec2:DescribeInstances": EVERYTHING},
    "node_group": RUNNING | {"ec2:DescribeInstances": {"instance_profile_missing", "instance_metadata_disabled"}},
    "empty node_group": OF_ROLE
    | {
        "eks:DescribeCluster": set(),
        "eks:DescribeNodegroup": EVERYTHING | {"node_group_unhealthy"},
        "ec2:DescribeInstances": {"instance_profile_missing", "instance_metadata_disabled"},
        "ec2:DescribeLaunchTemplateVersions": {"security_group_blocks_egress", "instance_metadata_disabled"},
        "iam:GetInstanceProfile": set(),
    },
    "fargate_profile": OF_ROLE
    | {
        "iam:GetRole": {"role_trust_policy_excludes_service", "permissions_boundary_blocks_pull"},
        "eks:DescribeCluster": set(),
        "eks:DescribeFargateProfile": (EVERYTHING | {"node_group_unhealthy"})
        - {"instance_profile_missing", "instance_metadata_disabled"},
        "ec2:DescribeInstances": set(),
    },
}


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
@pytest.mark.parametrize(
    "kind",
    [
        # Fargate has no metadata endpoint of its own.
        pytest.param(kind, marks=[pytest.mark.cause("instance_metadata_disabled", "unread")] if has_instances else [])
        for kind, has_instances in ((kind, kind != "fargate_profile") for kind in NODES)
    ],
)
def test_each_read_that_is_refused(estate: NetworkEstate, kind: str, code: str) -> None:
    template = {"SecurityGroupIds": [estate.group]}
    estate.behind_nat().node_group("workers", template=template)
    estate.fargate_profile("pods")
    if kind != "empty node_group":
        estate.node(group="workers")
    option = kind.rpartition(" ")[2]
    choice = {option: {"instance": estate.instance, "fargate_profile": "pods"}.get(option, "workers")}
    before = opened(estate.diagnose(**choice))
    for action, left_open in NODES[kind].items():
        diagnosis = estate.ask(denied=[action], code=code, **choice).diagnosis
        now = {cause: reason for cause, reason in opened(diagnosis).items() if cause not in before}
        assert causes(diagnosis) == [], action
        assert set(now) == left_open - before.keys(), action
        assert not left_open & set(diagnosis.passed), action
        assert all(action in reason for reason in now.values()), action


def test_the_role_of_a_node_of_no_group_is_left_open_by_its_profile(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    left = opened(estate.diagnose(denied=["iam:GetInstanceProfile"]))
    assert left.keys() >= POLICIES
    assert all("iam:GetInstanceProfile failed" in left[cause] for cause in POLICIES)


def test_an_instance_without_a_profile_has_no_known_role(estate: NetworkEstate) -> None:
    node = estate.behind_nat().node(profile=False)
    assert opened(estate.diagnose())["role_lacks_pull_permissions"] == f"the role of instance {node} is not known"


def test_a_launch_template_that_is_gone_leaves_open_what_it_decided(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers", template={"SecurityGroupIds": [estate.group]})
    estate.ec2.delete_launch_template(LaunchTemplateName=f"{estate.name}-workers")
    diagnosis = estate.diagnose(node_group="workers")
    assert causes(diagnosis) == []
    for cause in ("security_group_blocks_egress", "instance_metadata_disabled"):
        assert "does not exist" in opened(diagnosis)[cause]
