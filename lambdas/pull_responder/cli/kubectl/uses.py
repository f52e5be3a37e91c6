"""What each pod of a cluster uses, and for each cause, which other workloads use the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.kubectl.alike import instances_of
from pull_responder.cli.kubectl.pod import image_texts, waits_for_image, workload_of
from pull_responder.cli.kubectl.seen import full_name
from pull_responder.cli.scope import Scope, Use, scope_of
from pull_responder.events import fields, kubernetes_names
from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.cli.kubectl.seen import Seen
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

MOST_NODES: Final = 2_000
"""The most nodes that EC2 is asked about: ten calls."""

_ENDED: Final = ("Succeeded", "Failed")


def uses_in(pods: Mapping[str, object]) -> dict[str, Use]:
    """Return what the pods of a list use, by their names with their namespaces."""
    found: dict[str, Use] = {}
    for each in fields.items(pods, "items"):
        found |= use_of(fields.mapping(each))
    return found


def use_of(pod: Mapping[str, object]) -> dict[str, Use]:
    """Return what a pod uses, by its name. Empty for a pod that has ended, or without a name."""
    metadata, spec, status = (fields.mapping(pod, key) for key in ("metadata", "spec", "status"))
    namespace, name = (kubernetes_names.object_name(metadata.get(key)) for key in ("namespace", "name"))
    if not namespace or not name or fields.text(status, "phase") in _ENDED:
        return {}
    use = Use(
        namespace,
        workload_of(metadata) or f"pod {name}",
        image_texts(spec),
        kubernetes_names.object_name(spec.get("nodeName")),
        service_account=kubernetes_names.object_name(spec.get("serviceAccountName")) or "default",
        waits=waits_for_image(spec, status),
    )
    return {f"{namespace}/{name}": use}


def scopes_of(diagnosis: Diagnosis, of_pod: PullFailure, seen: Seen, facts: PullFacts) -> dict[str, Scope]:
    """Return who else uses what is broken, by the ids of the findings, as far as pods and EC2 tell it.

    `of_pod` is the pull of the pod that is diagnosed. Without other pods, nothing is said.
    """
    failing = seen.uses.get(full_name(of_pod.namespace, of_pod.pod) or "")
    if failing is None or len(seen.uses) == 1 or not diagnosis.findings:
        return {}
    pods = [_with_role(each, seen) for each in seen.uses.values()]
    names = dict.fromkeys(each.node for each in (failing, *pods) if each.node)
    told = {name: at.instance_id for name, at in seen.nodes.items() if at.instance_id}
    asked = {name: replace(of_pod, node=told.get(name, name), principal=None) for name in list(names)[:MOST_NODES]}
    read = instances_of(list(asked.values()), facts)
    instances = {name: read[pull.node] for name, pull in asked.items() if pull.node in read}
    scopes = {each.id: scope_of(each, _with_role(failing, seen), pods, instances) for each in diagnosis.findings}
    return {key: scope for key, scope in scopes.items() if scope is not None}


def _with_role(use: Use, seen: Seen) -> Use:
    key = (use.namespace, use.service_account)
    role = Arn.parse(seen.own_roles.get(key) or "")
    return replace(use, own_role=str(role) if role else None, is_role_known=key in seen.own_roles)
