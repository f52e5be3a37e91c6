from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.cli.manifest_files import ManifestFile, read_files
from pull_responder.cli.manifests import Manifests, read_manifests

if TYPE_CHECKING:
    from pathlib import Path

POD = {"containers": [{"name": "app", "image": "r/app:1"}]}


def read(*texts: str, namespace: str | None = None) -> Manifests:
    return read_manifests([ManifestFile(f"{number}.yaml", each) for number, each in enumerate(texts)], namespace)


def written(kind: str, spec: object, api: str = "apps/v1", **metadata: str) -> str:
    return json.dumps({"apiVersion": api, "kind": kind, "metadata": {"name": "x", **metadata}, "spec": spec})


TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
KINDS: dict[str, object] = {
    "Pod": POD,
    "Deployment": {"template": TEMPLATE},
    "StatefulSet": {"template": TEMPLATE},
    "DaemonSet": {"template": TEMPLATE},
    "ReplicaSet": {"template": TEMPLATE},
    "Job": {"template": TEMPLATE},
    "CronJob": {"jobTemplate": {"spec": {"template": TEMPLATE}}},
    "Rollout": {"strategy": {"canary": {}}, "template": TEMPLATE},
    "Service": {"template": TEMPLATE},  # of Knative
    "ScaledJob": {"jobTargetRef": {"template": TEMPLATE}},
    "JobSet": {"replicatedJobs": [{"name": "a", "template": {"spec": {"template": TEMPLATE}}}]},
    "PyTorchJob": {"pytorchReplicaSpecs": {"Worker": {"replicas": 2, "template": TEMPLATE}}},
}


@pytest.mark.parametrize(("kind", "spec"), KINDS.items(), ids=KINDS)
def test_pod_templates_are_found_in_every_kind(kind: str, spec: object) -> None:
    (workload,) = read(written(kind, spec)).workloads
    assert (workload.kind, workload.name, [each.text for each in workload.images]) == (kind, "x", ["r/app:1"])
    assert workload.placement.labels == (() if kind == "Pod" else (("a", "b"),))
    assert workload.placement.is_daemon is (kind == "DaemonSet")


def test_all_the_templates_of_one_object_are_found() -> None:
    other = {"spec": {"containers": [{"name": "b", "image": "r/b"}]}}
    spec = {"leaderWorkerTemplate": {"leaderTemplate": TEMPLATE, "workerTemplate": other}}
    assert [[image.text for image in each.images] for each in read(written("LeaderWorkerSet", spec)).workloads] == [
        ["r/app:1"],
        ["r/b"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        written("Service", {"ports": [{"port": 80}]}, "v1"),
        written("CustomResourceDefinition", {"template": TEMPLATE}),
        json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "data": {"pod.yaml": written("Pod", POD)}}),
        written("PodMonitor", {"containers": ["name"]}),
        json.dumps({"template": TEMPLATE}),  # neither apiVersion nor kind
    ],
)
def test_what_is_no_workload(text: str) -> None:
    found = read(text)
    assert (found.workloads, found.problems) == ([], [])


def test_images_of_all_containers_and_volumes() -> None:
    spec = {
        "initContainers": [{"name": "i", "image": "r/i"}],
        "containers": [{"name": "c", "image": "r/c"}, {"name": "injected"}, "no mapping", {"image": ""}],
        "ephemeralContainers": [{"name": "e", "image": " r/e "}],
        "volumes": [{"name": "v", "image": {"reference": "r/v"}}, {"name": "w", "emptyDir": {}}, None],
    }
    (workload,) = read(written("Pod", spec, "v1")).workloads
    assert [(each.container, each.text) for each in workload.images] == [
        ("i", "r/i"),
        ("c", "r/c"),
        ("e", "r/e"),
        ("volume v", "r/v"),
    ]


def test_lists_are_taken_apart_and_namespaces_kept() -> None:
    one, two = json.loads(written("Pod", POD, "v1", namespace="a")), json.loads(written("Pod", POD, "v1"))
    listed = json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [one, {"kind": "List", "apiVersion": "v1", "items": [two]}]}
    )
    for text in (listed, json.dumps([one, two])):
        assert [each.placement.namespace for each in read(text, namespace="b").workloads] == ["a", "b"]


def test_a_service_account_counts_in_its_own_namespace_and_after_the_pods_own_secrets() -> None:
    annotations = {"eks.amazonaws.com/ecr-role-arn": "arn:aws:iam::111111111111:role/a"}
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "a", "annotations": annotations},
        "imagePullSecrets": [{"name": "of-account"}],
    }
    found = read(
        written("Pod", POD, namespace="a"),
        json.dumps(account),
        written("Pod", POD | {"imagePullSecrets": [{"name": "own"}]}, namespace="a"),
        written("Pod", POD, namespace="b"),
        written("Pod", POD | {"serviceAccountName": "other"}, namespace="a"),
    )
    arn = "arn:aws:iam::111111111111:role/a"
    assert [(each.credentials.role_arn, each.credentials.secrets) for each in found.workloads] == [
        (arn, ("of-account",)),
        (arn, ("own",)),
        (None, ()),
        (None, ()),
    ]


NOT_RENDERED = "it is a template, not a manifest: render it first, as with `helm template`"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: Pod\nspec:\n  {{- toYaml .Values.pod | nindent 2 }}\n", f"0.yaml:3: {NOT_RENDERED}"),
        ("kind: {{ .Values.kind }}\n", f"0.yaml:1: {NOT_RENDERED}"),
        (f"\n{written('Pod', {'containers': [{'image': 'r/{{ .Values.name }}'}]})}", f"0.yaml:2: {NOT_RENDERED}"),
        (
            written("Pod", {"containers": [{"name": "a", "image": "$(REGISTRY)/a"}]}),
            "0.yaml:1: the image '$(REGISTRY)/a' has a placeholder that is not filled in",
        ),
        (written("Pod", {"containers": [{"name": "a", "image": 1.2}]}), "0.yaml:1: the image of a is no text"),
        ("a: b: c", "0.yaml:1: it is not YAML: mapping values are not allowed in this context"),
        (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nimages: [{name: a, newTag: b}]\n",
            "0.yaml:1: Kustomize changes these manifests (images): give what `kubectl kustomize` prints",
        ),
    ],
)
def test_what_is_not_rendered_or_not_readable_is_one_line_and_the_others_go_on(text: str, said: str) -> None:
    found = read(text, written("Pod", POD))
    assert found.problems == [said]
    assert [each.text for workload in found.workloads for each in workload.images] == ["r/app:1"]


def test_braces_that_are_none_of_helms_are_read() -> None:
    rule = "apiVersion: v1\nkind: PrometheusRule\nspec: {summary: '{{ $labels.pod }} restarts'}\n"
    plain = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n"
    assert read(rule, plain, written("Pod", POD)).problems == []


def test_files_are_found_by_their_endings_below_a_folder(tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", "c.json", "d.txt", ".hidden.yaml", "sub/e.YAML", ".git/f.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    assert [each.name.removeprefix(f"{tmp_path}/") for each in read_files(str(tmp_path))] == [
        "a.yaml",
        "b.yml",
        "c.json",
        "sub/e.YAML",
    ]


KEYS = st.sampled_from(
    [
        "spec",
        "template",
        "containers",
        "image",
        "metadata",
        "kind",
        "apiVersion",
        "items",
        "nodeSelector",
        "affinity",
        "nodeAffinity",
        "tolerations",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
        "matchExpressions",
        "volumes",
        "reference",
        "labels",
        "imagePullSecrets",
        "name",
        "values",
        "key",
        "operator",
        "os",
        "annotations",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats()
VALUES = st.recursive(
    SCALARS | st.sampled_from(["List", "Pod", "v1", "r/a", "{{ x }}", ""]),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(KEYS, each, max_size=5),
    max_leaves=30,
)


@given(st.dictionaries(KEYS, VALUES))
def test_no_shape_makes_it_fail(item: dict[str, Any]) -> None:
    read(json.dumps({"apiVersion": "v1", "kind": "Pod", **item}), json.dumps(item))
