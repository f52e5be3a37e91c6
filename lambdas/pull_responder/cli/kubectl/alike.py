"""Puts pods together that wait for the same pull, so that five thousand pods are one diagnosis.

Pulls are alike if image, symptom, stage and credentials agree, and their nodes: instances of one node group or instance
profile, in one subnet, with the same security groups. One of them stands for all (ADR 177).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.answered import Reach
from pull_responder.cli.kubectl.seen import PodPull
from pull_responder.events.kubelet_message import read_message
from pull_responder.facts.ec2 import Instance
from pull_responder.model.pull import PullFailure
from pull_responder.model.unread import Unread
from pull_responder.pulls.failed_node import PROFILE_LABEL
from pull_responder.pulls.session import instance_id_of, node_regions, private_dns_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.pulls.pull_facts import PullFacts

# EC2 takes so many values of one filter (Amazon EC2 API Reference, DescribeInstances).
_MOST_VALUES: Final = 200
_FARGATE: Final = f"{PROFILE_LABEL}="


def alike(pulls: Sequence[PodPull], facts: PullFacts) -> list[tuple[PodPull, Reach]]:
    """Return one pull of each kind, the latest, with the pods that it stands for. In order of first appearance."""
    hosts: dict[str | None, object] = {}
    kinds: defaultdict[object, list[PodPull]] = defaultdict(list)
    for each in pulls:
        kinds[_kind(each.pull, hosts), each.other_role].append(each)
    found = []
    for members in kinds.values():
        nodes = {each.pull.node for each in members}
        for some in [members] if len(nodes) == 1 else _by_node(members, facts):
            latest = max(some, key=lambda each: each.pull.observed_at or "")
            # What one pod may have shown to the registry, any of them may.
            has_own = {each.pull.has_own_credentials for each in some}
            pull = replace(latest.pull, has_own_credentials=has_own.pop() if len(has_own) == 1 else None)
            found.append((replace(latest, pull=pull), _reach(some)))
    return found


def _kind(pull: PullFailure, hosts: dict[str | None, object]) -> object:
    """Return what pulls share that have one cause, whatever node they are on."""
    if pull.message not in hosts:
        said = read_message(pull.message or "")
        hosts[pull.message] = (said.answer, said.sighting.host)
    principal = pull.principal
    who = (principal.kind, principal.account, principal.name) if principal else None
    image = (pull.registry_account, pull.region, pull.registry_host, pull.repository, pull.tag, pull.digest)
    place = (pull.account, pull.cluster_region, pull.cluster)
    profile = next((each for each in pull.pod_labels or () if each.startswith(_FARGATE)), None)
    return (who, image, place, pull.symptom, pull.stage, profile, hosts[pull.message])


def _by_node(members: Sequence[PodPull], facts: PullFacts) -> Iterable[list[PodPull]]:
    """Return the members in groups whose nodes are alike. Those whose nodes are not known stand together."""
    instances = instances_of([each.pull for each in members], facts)
    groups: defaultdict[object, list[PodPull]] = defaultdict(list)
    for each in members:
        instance = instances.get(each.pull.node or "")
        groups[instance and _kind_of(instance)].append(each)
    return groups.values()


def _kind_of(instance: Instance) -> object:
    which = instance.node_group or instance.profile_arn or instance.id
    machine = (instance.architecture, instance.platform, instance.metadata_endpoint)
    return (which, instance.subnet_id, instance.group_ids, machine, bool(instance.public_address))


def instances_of(pulls: Sequence[PullFailure], facts: PullFacts) -> dict[str, Instance]:
    """Return the running instances of nodes by the nodes' names, as far as EC2 shows them."""
    by_place: defaultdict[tuple[str, str], dict[str, PullFailure]] = defaultdict(dict)
    for pull in pulls:
        if pull.account and pull.node:
            by_place[pull.account, node_regions(pull, facts)[-1]][pull.node] = pull
    found: dict[str, Instance] = {}
    for (account, region), nodes in by_place.items():
        by_id = {instance_id: node for node in nodes if (instance_id := instance_id_of(node))}
        # "ip-10-0-1-2" of a private DNS name is the node's address (Amazon VPC User Guide, "DNS attributes").
        by_address = {node.partition(".")[0]: node for node in nodes if private_dns_name(node)}
        asked = [("instance-id", some) for some in _parts(list(by_id))]
        asked += [("private-dns-name", some) for some in _parts(list(by_address.values()))]
        for read in facts.side_by_side(lambda each: facts.running_instances(account, region, (each,)), asked):  # noqa: B023 -- called at once
            for instance in () if isinstance(read, Unread) else read:
                addresses = (by_address.get(f"ip-{each.replace('.', '-')}") for each in instance.addresses)
                node = by_id.get(instance.id) or next((each for each in addresses if each), None)
                if node and nodes[node].cluster in (None, instance.cluster):
                    found[node] = instance
    return found


def _parts(values: list[str]) -> list[tuple[str, ...]]:
    return [tuple(values[at : at + _MOST_VALUES]) for at in range(0, len(values), _MOST_VALUES)]


def _reach(members: Sequence[PodPull]) -> Reach:
    pods = list(dict.fromkeys(each.pod for each in members if each.pod))
    workloads = dict.fromkeys(each.workload for each in members if each.workload)
    nodes = {each.pull.node for each in members if each.pull.node}
    return Reach(len(pods), tuple(pods[: Reach.NAMED]), len(nodes), tuple(workloads)[: Reach.NAMED])
