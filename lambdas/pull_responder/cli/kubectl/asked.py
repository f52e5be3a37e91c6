"""Asks kubectl for the pods that fail to pull, and for what else tells how they pull.

Pods and their events come first, then the nodes, and the service accounts, of those that fail. Whatever but the pods
cannot be read leaves the rest: it is said (ADR 178).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli.kubectl.context import Context, read_context
from pull_responder.cli.kubectl.objects import Reading
from pull_responder.cli.kubectl.process import Kubectl, KubectlMissing, Refused
from pull_responder.cli.kubectl.uses import uses_in
from pull_responder.events import kubernetes_names
from pull_responder.events.outcome import UnusableEvent
from pull_responder.events.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from pull_responder.cli.kubectl.seen import Seen

MOST_ASKED: Final = 50
"""The most nodes, and the most service accounts, that are asked for."""

_PARALLEL: Final = 6
# By kubectl's words: what to do about it.
_HINTS: Final = (
    (("Unauthorized", "provide credentials"), "sign in again, or look at the access entries of the cluster"),
    (("SSO", "sso"), "run `aws sso login` with the profile of the context"),
    (("ExpiredToken", "expired"), "sign in again"),
    (("getting credentials",), "what the context signs in with has failed"),
    (("current-context must exist",), "give --context, or run `aws eks update-kubeconfig --name CLUSTER`"),
    (("Unable to connect", "no such host", "connection refused"), "is the cluster's endpoint reachable from here?"),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pods are asked about: one, those of a namespace, or all of the cluster."""

    context: str | None = None
    namespace: str | None = None
    pod: str | None = None
    all_namespaces: bool = False


def read_wanted(pod: str | None, namespace: str | None, context: str | None, *, all_namespaces: bool) -> Wanted:
    """Return which pods the options name. Raises click.ClickException for names that Kubernetes does not allow."""
    if pod is None:
        return Wanted(context, _checked("--namespace", namespace), None, all_namespaces)
    if all_namespaces:
        raise click.UsageError("--pod names one pod: it takes no --all-namespaces")
    before, slash, name = pod.removeprefix("pod/").rpartition("/")
    if slash and namespace not in (None, before):
        raise click.UsageError(f"--pod names the namespace {before[:80]!r}, and --namespace {str(namespace)[:80]!r}")
    where = _checked("--pod", before) if slash else _checked("--namespace", namespace)
    return Wanted(context, where, _checked("--pod", name), all_namespaces=False)


def _checked(option: str, name: str | None) -> str | None:
    if name is not None and not kubernetes_names.object_name(name):
        raise click.ClickException(
            f"{option}: {name[:120]!r} cannot be a name in Kubernetes, such as web-7c9d8b5f6-x2x9k"
        )
    return name


def ask_kubectl(wanted: Wanted, *, needs_cluster: bool) -> tuple[Seen, Context]:
    """Return what the cluster tells of the wanted pods, and its context. Raises click.ClickException with one line.

    `needs_cluster` says that the context has to tell which cluster of Amazon EKS it is.
    """
    try:
        kubectl = Kubectl.find(wanted.context)
    except KubectlMissing:
        said = "kubectl is not installed, or not in the PATH: give what it prints elsewhere, with `diagnose -`"
        raise click.ClickException(said) from None
    context = read_context(kubectl)
    if isinstance(context, Refused):
        raise click.ClickException(_of_context(context, wanted.context))
    if needs_cluster and not context.is_eks:
        raise click.ClickException(
            f"the context {context.name} is not known to be a cluster of Amazon EKS: give --context, or --cluster with "
            "the name or ARN that it has there"
        )
    if wanted.namespace is None:
        wanted = replace(wanted, namespace=context.namespace)
    return _read(kubectl, wanted, context), context


def _read(kubectl: Kubectl, wanted: Wanted, context: Context) -> Seen:
    where = ("--all-namespaces",) if wanted.all_namespaces else ("--namespace", wanted.namespace or "default")
    if wanted.pod:
        about = f"involvedObject.kind=Pod,involvedObject.name={wanted.pod}"
        asked = [("get", "pod", wanted.pod, *where), ("get", "events", *where, "--field-selector", about)]
    else:
        # Of the pods that fail, the events that warn: a back-off is none of them, and says less.
        about = "involvedObject.kind=Pod,type=Warning"
        asked = [("get", "pods", *where), ("get", "events", *where, "--field-selector", about)]
    pods, events = _ask_all(kubectl, asked)
    if isinstance(pods, Refused):
        raise click.ClickException(_of_pods(pods, wanted, context))
    reading = Reading(knows_all_pods=True)
    unread = []
    try:
        reading.add(pods)
        if isinstance(events, Refused):
            unread.append(f"the events of the pods were not read, which may tell more: kubectl: {events.reason}")
        else:
            reading.add(events)
    except UnusableEvent as error:
        raise click.ClickException(f"kubectl: {error}") from error
    pulls = reading.seen().pulls
    # Who else uses what is broken is asked where something is.
    all_pods = [] if wanted.all_namespaces or not pulls else [("get", "pods", "--all-namespaces")]
    others, found = _add_others(kubectl, reading, all_pods)
    seen = reading.seen()
    uses, refused = dict(seen.uses), None
    for each in found:
        if isinstance(each, Refused):
            refused = f"which other workloads use the same was not read: kubectl: {each.reason}"
        else:
            uses = uses_in(each) | uses
    return replace(seen, uses=uses, uses_unread=refused, unread=(*seen.unread, *unread, *others))


def _add_others(
    kubectl: Kubectl, reading: Reading, also: Sequence[tuple[str, ...]]
) -> tuple[list[str], list[Mapping[str, Any] | Refused]]:
    """Read the nodes and service accounts of pods that fail. Return what could not be read, and what `also` answers."""
    pulls = reading.seen().pulls
    nodes = list(dict.fromkeys(each.pull.node for each in pulls if each.pull.node))
    accounts = dict.fromkeys(
        (each.pull.namespace, each.service_account) for each in pulls if each.pull.namespace and each.service_account
    )
    # Without --ignore-not-found, one node that is gone makes the answer about all others an error.
    asked: list[tuple[str, ...]] = [("get", "nodes", *nodes[:MOST_ASKED], "--ignore-not-found")] if nodes else []
    what = ["the nodes were not read, which name their instances"] if nodes else []
    for namespace, name in list(accounts)[:MOST_ASKED]:
        asked.append(("get", "serviceaccount", name or "", "--namespace", namespace or ""))
        what.append(f"the service account {namespace}/{name} was not read, which may name a role of its own for pulls")
    unread: dict[str, None] = {}
    answered = _ask_all(kubectl, [*also, *asked])
    for said, found in zip(what, answered[len(also) :], strict=True):
        if not isinstance(found, Refused):
            try:
                reading.add(found)
            except UnusableEvent as error:
                unread[f"{said}: kubectl: {error}"] = None
        elif not found.is_missing:
            unread[f"{said}: kubectl: {found.reason}"] = None
    return list(unread), answered[: len(also)]


def _ask_all(kubectl: Kubectl, asked: Sequence[tuple[str, ...]]) -> list[Mapping[str, Any] | Refused]:
    with ThreadPoolExecutor(_PARALLEL, thread_name_prefix="kubectl") as pool:
        return list(pool.map(lambda arguments: kubectl.ask(*arguments), asked))


def _of_context(refused: Refused, context: str | None) -> str:
    which = f"the context {redact(context, limit=120)}" if context else "its current context"
    return f"kubectl cannot use {which}: {refused.reason}{_hint(refused.reason)}"


def _of_pods(refused: Refused, wanted: Wanted, context: Context) -> str:
    if refused.is_missing and wanted.pod:
        return f"there is no pod {wanted.pod} in namespace {wanted.namespace} of context {context.name}"
    return f"kubectl, with context {context.name}: {refused.reason}{_hint(refused.reason)}"


def _hint(reason: str) -> str:
    hint = next((hint for words, hint in _HINTS if any(word in reason for word in words)), "")
    return f" ({hint})" if hint else ""
