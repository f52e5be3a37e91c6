"""Answers what was read of a cluster: every failed pull once, with the pods that wait for it, and what is skipped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.answered import Answer, Answered, NotAsked
from pull_responder.cli.kubectl.alike import alike
from pull_responder.cli.kubectl.place import region_of_node
from pull_responder.cli.kubectl.seen import PodPull, full_name, some
from pull_responder.cli.kubectl.uses import scopes_of
from pull_responder.cli.of_event import path_of
from pull_responder.cli.other_credentials import Account, principal_of, role_in, with_other_role
from pull_responder.diagnosis import diagnose, skip_reason
from pull_responder.events.joining import join
from pull_responder.events.outcome import Skipped
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Symptom
from pull_responder.model.reason import ASK, RUNNING
from pull_responder.model.unread import Unread
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.pulls.session import instance_id_of, node_instance, private_dns_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.cli.kubectl.place import Place
    from pull_responder.cli.kubectl.seen import Seen
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.aws import Aws
    from pull_responder.model.pull import Principal, PullFailure
    from pull_responder.settings import Settings

MOST_DIAGNOSED: Final = 50
"""So many kinds of failed pulls are diagnosed at once. The pods of the rest are counted."""

_FARGATE: Final = "fargate-"
# What is to be asked where an event does not tell enough.
_OF_EVENT: Final = frozenset({ASK, RUNNING})
# What a registry answers to credentials that it does not take.
_OF_CREDENTIALS: Final = frozenset({Symptom.ACCESS_DENIED, Symptom.NOT_AUTHENTICATED, Symptom.TOKEN_EXPIRED})


def answers_to_seen(seen: Seen, place: Place, aws: Aws, settings: Settings) -> Iterator[Answer]:
    """Diagnose every kind of failed pull of a cluster; then say what could not be asked, and what is skipped."""
    facts = PullFacts(Reader(aws), known_principals=settings.known_principals)
    completed = _completed(seen, place, facts)
    kinds = alike([each for each in completed if not skip_reason(each.pull)], facts)
    has_findings = False
    for of_pod, reach in kinds[:MOST_DIAGNOSED]:
        diagnosis = _with_option(diagnose(of_pod.pull, facts), facts)
        if of_pod.other_role:
            account = Account(of_pod.other_role, of_pod.service_account or "", of_pod.pull.namespace)
            diagnosis = with_other_role(diagnosis, account)
        scopes = scopes_of(diagnosis, of_pod.pull, seen, facts)
        yield Answered(diagnosis, path_of(of_pod.pull, facts), reach=reach, scopes=scopes)
        has_findings = has_findings or bool(diagnosis.findings)
    if has_findings and seen.uses_unread:
        yield NotAsked(seen.uses_unread)
    if rest := kinds[MOST_DIAGNOSED:]:
        pods = sum(reach.count for _, reach in rest)
        yield NotAsked(
            f"not diagnosed, as there are too many kinds of failed pulls: {len(rest):,}, on {pods:,} pods. Give fewer "
            "pods, such as those of one namespace"
        )
    yield from (NotAsked(reason) for reason in _unread_secrets(completed))
    yield from answers_without_pulls(seen)
    reasons = dict.fromkeys(skip_reason(each.pull) for each in completed)
    yield from (Skipped(reason) for reason in reasons if reason)


def answers_without_pulls(seen: Seen) -> Iterator[Answer]:
    """Say what could not be read of a cluster, and what is skipped."""
    yield from (NotAsked(reason) for reason in seen.unread)
    yield from seen.skipped


def _completed(seen: Seen, place: Place, facts: PullFacts) -> list[PodPull]:
    """Return the pulls with what other objects of the cluster, its context and our credentials tell."""
    own = None if place.account else facts.identity()
    own_account = own.account if isinstance(own, Arn) else None
    at = _At(seen, place, place.account or own_account, facts.region)
    pulls = [at.complete(each) for each in seen.pulls]
    joined = join(pulls)
    return [
        replace(each, pull=pull, other_role=at.annotation(each) if pull.principal is None else None)
        for each, pull in zip(seen.pulls, joined, strict=True)
    ]


def _unread_secrets(pulls: list[PodPull]) -> list[str]:
    """Name the pull secrets of pods that the registry refused. Their contents are never read."""
    refused = [each for each in pulls if each.pull_secrets and each.pull.symptom in _OF_CREDENTIALS]
    pods: dict[tuple[str, ...], list[str]] = {}
    for each in refused:
        pods.setdefault(each.pull_secrets or (), []).append(each.pod or "(without a name)")
    return [
        f"the pull secrets {', '.join(secrets)} of {some(named)} were not read: kubelet shows them to the registry "
        "first, and then the credentials of the node"
        for secrets, named in pods.items()
    ]


@dataclass(frozen=True, slots=True)
class _At:
    seen: Seen
    place: Place
    account: str | None
    our_region: str | None

    def complete(self, of_pod: PodPull) -> PullFailure:
        """Return the pull with its cluster, account, instance and own role."""
        pull = of_pod.pull
        node = self.seen.nodes.get(pull.node or "")
        region = (node and node.region) or region_of_node(pull.node) or self.place.region
        is_named = instance_id_of(pull.node) or private_dns_name(pull.node)
        return replace(
            pull,
            account=self.account,
            region=region if region and pull.from_ecr_public else pull.region,
            cluster=self.place.cluster or pull.cluster,
            cluster_region=region if region and region != self.our_region else None,
            # Where a node has a name of its own, its object still names the instance.
            node=node.instance_id if node and node.instance_id and not is_named else pull.node,
            principal=pull.principal or self._own_role(of_pod),
            has_own_credentials=self._has_own_credentials(of_pod),
        )

    def annotation(self, of_pod: PodPull) -> str | None:
        """Return what the pod's service account names as the role for pulls, None where it names none."""
        return self.seen.own_roles.get((of_pod.pull.namespace or "", of_pod.service_account or ""))

    def _has_own_credentials(self, of_pod: PodPull) -> bool | None:
        """Return whether the pod has credentials of its own. None where not all that tells it was read."""
        account = (of_pod.pull.namespace or "", of_pod.service_account or "")
        if of_pod.pull_secrets or self.seen.own_roles.get(account) is not None:
            return True
        return None if of_pod.pull_secrets is None or account not in self.seen.own_roles else False

    def _own_role(self, of_pod: PodPull) -> Principal | None:
        """Return the pod's own pull role, which its service account names, as the principal of the pull.

        Kubelet gets it under a fixed session name (pulls/pod_role.py). A role of another account counts only where the
        registry refused it: in which account the node is follows from the principal, and matters to all else.
        """
        role = role_in(self.annotation(of_pod))
        if role is None:
            return None
        if role.account != self.account and of_pod.pull.symptom not in _OF_CREDENTIALS:
            return None
        return principal_of(role)


def _with_option(diagnosis: Diagnosis, facts: PullFacts) -> Diagnosis:
    """Return the diagnosis with the option as its first next step that tells what neither the pods nor AWS told.

    It takes the place of steps for whoever has an event only.
    """
    step = _option(diagnosis, facts)
    if step is None:
        return diagnosis
    opened = [replace(each, next=step) if each.next in _OF_EVENT else each for each in diagnosis.inconclusive]
    return replace(diagnosis, inconclusive=tuple(opened))


def _option(diagnosis: Diagnosis, facts: PullFacts) -> str | None:
    """Return which option tells the cluster, and why nothing else does. None where it is known, or nothing is open."""
    pull = diagnosis.pull
    if diagnosis.cluster or not diagnosis.inconclusive or isinstance(facts.identity(), Unread):
        return None
    # Line 2 of an answer keeps the words before the first comma or colon.
    if pull.node is None:
        pod = full_name(pull.namespace, pull.pod) or "the pod"
        return f"Add --cluster NAME or give the pod itself because nothing says on which node {pod} is."
    name = pull.node.partition(".")[0]
    if name.startswith(_FARGATE):
        return f"Add --cluster NAME because {name} is on Fargate, where no instance tells it."
    instance = node_instance(pull, facts)
    if isinstance(instance, Unread):
        return f"Add --cluster NAME because EC2 was not read, which may tell the cluster of {name}."
    if instance is not None:
        return f"Add --cluster NAME because {instance.id} has no tag that names a cluster."
    where = f"account {pull.account}, region {pull.cluster_region or facts.region or pull.region}"
    return f"Add --cluster NAME because EC2 shows no instance {name} in {where}, or several."
