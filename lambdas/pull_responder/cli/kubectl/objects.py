"""Read what kubectl prints as JSON or YAML: pods and events, alone, in lists and mixed with other objects.

A list of kubectl's is of kind List, one of the API server's of kind PodList or EventList, whose items have no kind of
their own (Kubernetes documentation, "API Concepts").
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.kubectl.event import is_event, pulled, pulled_by, read_event_object
from pull_responder.cli.kubectl.pod import SILENT, STARTS, Messages, Word, is_bare_back_off, read_pod
from pull_responder.cli.kubectl.seen import NodeAt, PodPull, Seen, full_name, some
from pull_responder.cli.kubectl.uses import use_of
from pull_responder.events import fields, kubernetes_names, names
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.redaction import redact
from pull_responder.model.pull import Symptom
from pull_responder.pulls.pod_role import ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.cli.scope import Use

_LIST: Final = "List"
_AUDIT: Final = "audit.k8s.io/"
_WORKLOADS: Final = frozenset(
    {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Rollout"}
)
# Kubernetes documentation, "Well-Known Labels, Annotations and Taints"; cloud-provider-aws writes aws:///ZONE/INSTANCE.
_PROVIDER_ID: Final = re.compile(r"aws:///([a-z0-9-]{1,60})/(?:[a-z0-9-]{1,60}/)?(i-[0-9a-f]{8,17})")
_REGION_OF_ZONE: Final = re.compile(r"[a-z]{2,8}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}")
_MOST_WORDS: Final = 20


def is_object(document: object) -> bool:
    """Return whether a document is an object of Kubernetes, or a list of such objects."""
    if not isinstance(document, dict):
        return False
    kind, version = fields.text(document, "kind"), fields.text(document, "apiVersion")
    if version.startswith(_AUDIT):
        return False
    return bool(kind and (version or isinstance(document.get("items"), list))) or is_event(document)


class Reading:
    """Collects what objects of one cluster tell. Afterwards, `seen` has what follows from all of them.

    `knows_all_pods` says that all pods whose events count are among the objects: events outlive their pods.
    """

    def __init__(self, *, knows_all_pods: bool = False) -> None:
        self._knows_all_pods = knows_all_pods
        self._pods: dict[object, list[PodPull | Skipped]] = {}
        self._settled: set[object] = set()
        self._known: set[object] = set()
        self._events: list[PodPull] = []
        self._words: defaultdict[Word, dict[str, None]] = defaultdict(dict)
        self._word_of: dict[str, Word] = {}
        self._event_words: Counter[str] = Counter()
        self._pulled: dict[object, str] = {}
        self._others: defaultdict[str, list[str]] = defaultdict(list)
        self._nodes: dict[str, NodeAt] = {}
        self._own_roles: dict[tuple[str, str], str | None] = {}
        self._uses: dict[str, Use] = {}
        self._messages = Messages()
        self._number = 0

    def add(self, document: Mapping[str, object], kind: str = "") -> None:
        """Read an object, and each item of a list. `kind` is that of the list's items. Raises UnusableEvent."""
        kind = fields.text(document, "kind") or kind
        if isinstance(items := document.get("items"), list) and (kind.endswith(_LIST) or not kind):
            for item in items:
                if not isinstance(item, dict):
                    raise UnusableEvent("the list", f"holds an item that is not an object but {fields.kind(item)}")
                self.add(item, kind.removesuffix(_LIST))
            self._number += not items
        elif kind == "Pod":
            self._add_pod(document)
        elif kind == "Event" or is_event(document):
            self._add_event(document)
        elif kind == "Node":
            self._add_node(document)
        elif kind == "ServiceAccount":
            self._add_service_account(document)
        elif kind == "Status":
            raise UnusableEvent(
                "the input", f"is the API server's error: {redact(fields.text(document, 'message'), limit=300)}"
            )
        else:
            self._others[redact(kind, limit=80) or "(no kind)"].append(_name_of(document) or "(without a name)")
        self._number += 1

    def seen(self) -> Seen:
        """Return what all objects tell. Raises UnusableEvent if none of them is a pod or an event."""
        if self._others and not (self._pods or self._settled or self._events or self._event_words or self._words):
            raise UnusableEvent("the input", self._no_pods())
        events, over = self._events_that_count()
        of_pods = [_told(each, events) for read in self._pods.values() for each in read]
        pulls = [each for each in of_pods if isinstance(each, PodPull)]
        told = {_attempt(each) for each in pulls}
        pulls += [each for key, each in events.items() if key not in told]
        skipped = [each for each in of_pods if isinstance(each, Skipped)]
        skipped += self._pod_words({each.pod for each in pulls}) + over + self._events_skipped(has_pulls=bool(pulls))
        if self._others:
            kinds = ", ".join(f"{len(each):,} of kind {kind}" for kind, each in sorted(self._others.items()))
            skipped.append(Skipped(f"objects that are neither pods nor events: {kinds}"))
        if not (pulls or skipped or self._words):
            skipped.append(Skipped("there is no pod and no event in it"))
        unread = (*_left_open(pulls), *self._unread())
        return Seen(tuple(pulls), tuple(_bounded(skipped)), self._nodes, self._own_roles, self._uses, unread=unread)

    def _add_pod(self, pod: Mapping[str, object]) -> None:
        name = _name_of(pod) or f"(pod {self._number + 1} of the input, without a name)"
        self._known.add(name)
        self._uses |= use_of(pod)
        # Of a pod that is there several times, as `kubectl get --watch` prints it, the last state counts.
        self._pods.pop(name, None)
        self._settled.discard(name)
        if earlier := self._word_of.pop(name, None):
            del self._words[earlier][name]
        read = read_pod(pod, self._messages)
        if isinstance(read, Word):
            self._word_of[name] = read
            self._words[read][name] = None
            if read not in {STARTS, SILENT}:
                self._settled.add(name)
        else:
            self._pods[name] = read

    def _add_event(self, event: Mapping[str, object]) -> None:
        if by := pulled(event):
            self._pulled[by[0]] = max(by[1], self._pulled.get(by[0], ""))
        if not self._messages.affords(fields.text(event, "message") or fields.text(event, "note")):
            return
        read = read_event_object(event)
        if isinstance(read, Skipped):
            self._event_words[read.reason] += 1
        else:
            self._events.append(read)

    def _add_node(self, node: Mapping[str, object]) -> None:
        name = kubernetes_names.object_name(fields.text(node, "metadata", "name"))
        told = _PROVIDER_ID.fullmatch(fields.text(node, "spec", "providerID"))
        if name:
            zone = _REGION_OF_ZONE.match(told[1]) if told else None
            region = fields.text(node, "metadata", "labels", "topology.kubernetes.io/region") or (zone and zone[0])
            self._nodes[name] = NodeAt(names.instance(told[2]) if told else None, names.region(region))

    def _add_service_account(self, account: Mapping[str, object]) -> None:
        metadata = fields.mapping(account, "metadata")
        namespace, name = (kubernetes_names.object_name(metadata.get(key)) for key in ("namespace", "name"))
        if namespace and name:
            annotations = fields.mapping(metadata, "annotations")
            self._own_roles[namespace, name] = (
                fields.text(annotations, ANNOTATION) if ANNOTATION in annotations else None
            )

    def _no_pods(self) -> str:
        kind, found = next(iter(self._others.items()))
        if kind in _WORKLOADS:
            namespace = found[0].partition("/")[0] if "/" in found[0] else ""
            where = f" -n {namespace}" if namespace else ""
            return (
                f"is a {kind}, which does not say why a pull failed: give its pods, `kubectl get pods{where} -o json`, "
                "or ask about its images with --manifests"
            )
        return f"holds no pod and no event but {some([f'{kind} {name}' for name in found])}"

    def _events_that_count(self) -> tuple[dict[object, PodPull], list[Skipped]]:
        """Return the last failure of each image of each pod, unless the pod has pulled it since, or runs."""
        last: dict[object, PodPull] = {}
        over: dict[str, Skipped] = {}
        for each in self._events:
            since = self._pulled.get(pulled_by(each.pull))
            if since and since >= (each.pull.observed_at or ""):
                reason = f"pod {each.pod} has pulled {each.pull.image} since, at {since}"
                over[reason] = Skipped(reason)
            elif each.pod not in self._settled and (each.pod in self._known or not self._knows_all_pods):
                key = _attempt(each)
                last[key] = max(last.get(key, each), each, key=_says_more)
        return last, list(over.values())

    def _events_skipped(self, *, has_pulls: bool) -> list[Skipped]:
        if len(self._event_words) == 1 or (self._event_words and not has_pulls and len(self._event_words) <= 3):  # noqa: PLR2004 -- few enough to be read
            return [Skipped(reason) for reason in self._event_words] if not has_pulls else []
        count = sum(self._event_words.values())
        return [Skipped(f"{count:,} Kubernetes events that are not about a failed pull")] if count else []

    def _unread(self) -> list[str]:
        count = self._messages.unread
        unread = [f"{count:,} more messages were not read, as there are too many: give fewer pods"] if count else []
        if silent := list(self._words.get(SILENT, ())):
            unread.append(f"{some(silent)}: not said whether all containers run. Was the input cut off?")
        return unread

    def _pod_words(self, pulling: set[str | None]) -> list[Skipped]:
        words = []
        for word, named in self._words.items():
            if word is SILENT:
                continue
            pods = [pod for pod in named if pod not in pulling]
            if len(pods) == 1:
                words.append(Skipped(f"pod {pods[0]} {word.one}"))
            elif pods:
                words.append(Skipped(f"{len(pods):,} pods {word.many}: {some(pods)}"))
        return words


def _attempt(of_pod: PodPull) -> object:
    """Return what the attempts share to pull one image of one pod."""
    return (of_pod.pod, of_pod.pull.node if of_pod.pod is None else None, of_pod.pull.image)


def _says_more(of_pod: PodPull) -> tuple[bool, bool, str]:
    """Order the failures of one image of one pod by what they say of its cause; of equals, the latest comes last."""
    pull = of_pod.pull
    is_held_back = pull.symptom is Symptom.KUBELET_THROTTLED
    return not is_bare_back_off(pull), not is_held_back, pull.observed_at or ""


def _told(read: PodPull | Skipped, events: Mapping[object, PodPull]) -> PodPull | Skipped:
    """Return the pull of a pod, with the time of its event, and with its reason where the pod itself has none."""
    event = None if isinstance(read, Skipped) else events.get(_attempt(read))
    if isinstance(read, Skipped) or event is None:
        return read
    pull = event.pull
    if not is_bare_back_off(read.pull):
        # A container does not say when its pull failed.
        is_same = (pull.symptom, pull.stage) == (read.pull.symptom, read.pull.stage)
        return replace(read, pull=replace(read.pull, observed_at=pull.observed_at)) if is_same else read
    return replace(read, pull=replace(pull, node=read.pull.node or pull.node, pod_labels=read.pull.pod_labels))


def _left_open(pulls: Iterable[PodPull]) -> tuple[str, ...]:
    """Say where the reason stands of pods that only say that they back off."""
    told = {(each.pull.node, each.pull.image) for each in pulls if not is_bare_back_off(each.pull)}
    bare = [e for e in pulls if is_bare_back_off(e.pull) and (e.pull.node, e.pull.image) not in told]
    if not bare:
        return ()
    first = bare[0]
    where = f" -n {first.pull.namespace}" if first.pull.namespace else ""
    also = f" (and {len(bare) - 1:,} more pods)" if len(bare) > 1 else ""
    name, pod = first.pod or "(without a name)", first.pull.pod or "NAME"
    said = f"pod {name}{also} says only that it waits before it pulls {first.pull.image} again"
    command = f"kubectl describe pod{where} {pod} | pull-responder diagnose -"
    return (f"{said}. Why the pull failed stands in its events: {command}",)


def _name_of(document: Mapping[str, object]) -> str | None:
    metadata = fields.mapping(document, "metadata")
    return full_name(
        kubernetes_names.object_name(metadata.get("namespace")), kubernetes_names.object_name(metadata.get("name"))
    )


def _bounded(skipped: list[Skipped]) -> list[Skipped]:
    """Return what is skipped, at most _MOST_WORDS of it: thousands of lines are read by nobody."""
    more = len(skipped) - _MOST_WORDS
    return skipped if more <= 0 else [*skipped[:_MOST_WORDS], Skipped(f"{more:,} more of this kind")]
