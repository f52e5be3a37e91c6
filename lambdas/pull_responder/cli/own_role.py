"""Questions about pods that pull with a role of their own, which their service account names.

Sources: Kubernetes enhancement 4412, "Projected service account tokens for Kubelet image credential providers";
kubernetes/cloud-provider-aws, cmd/ecr-credential-provider.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS, instance_metadata_disabled, instance_profile_missing
from pull_responder.cli.other_credentials import left_open, no_role, principal_of, role_in
from pull_responder.cli.question import Answer, answer_for, by_nodes
from pull_responder.diagnosis import diagnose
from pull_responder.facts.compute import Cluster
from pull_responder.pulls.own_role import PodRole
from pull_responder.pulls.pod_role import ANNOTATION
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from pull_responder.cli.other_credentials import Account
    from pull_responder.facts.reader import Reader
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.nodes import Nodes

# Where the pod's own role pulls, the credentials of its node have no part in it.
_OF_NODE: Final = frozenset({instance_metadata_disabled.CHECK, instance_profile_missing.CHECK})


def answer_for_role(
    reader: Reader, asked: PullFailure, nodes: Nodes, account: Account, known_principals: tuple[str, ...]
) -> Answer:
    """Diagnose the pull that is asked about by these nodes, with the role that the pods' service account names.

    Where the annotation is not the ARN of a role, everything that depends on the role is left open.
    """
    role = role_in(account.role_arn)
    if role is None:
        found = answer_for(reader, asked, nodes, known_principals)
        return replace(found, diagnosis=left_open(found.diagnosis, no_role(account), passed_too=True))
    facts = PullFacts(reader, known_principals=known_principals)
    cluster = facts.cluster(nodes.account, nodes.region, nodes.cluster or "")
    issuer = cluster.issuer if isinstance(cluster, Cluster) else None
    pod_role = PodRole(
        for_eks=True,
        because=f"the annotation {ANNOTATION} of {account} names {role}",
        cluster=nodes.cluster if issuer else None,
        provider=f"arn:{role.partition}:iam::{role.account}:oidc-provider/{issuer}" if issuer else None,
        region=nodes.region,
    )
    facts = PullFacts(reader, known_principals=known_principals, asked=nodes, asked_role=pod_role)
    pull = replace(by_nodes(asked, nodes), principal=principal_of(role), namespace=account.namespace)
    checks = [each for each in CHECKS if each not in _OF_NODE]
    return Answer(nodes, diagnose(pull, facts, checks=checks), facts)
