"""Fields of JSON that anybody may have written: what is absent or of another type is empty, and types have names."""

from __future__ import annotations

import pytest

from pull_responder.events import fields, kubernetes_names

DOCUMENT = {"a": {"b": {"c": "found"}, "list": [1], "number": 7}}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({}, "an object"),
        ([], "a list"),
        ("", "a string"),
        (True, "a boolean"),
        (None, "null"),
        (7, "a number"),
        (0.5, "a number"),
    ],
)
def test_each_type_has_its_name_in_json(value: object, kind: str) -> None:
    assert fields.kind(value) == kind


def test_what_is_not_there_is_empty() -> None:
    assert fields.mapping(DOCUMENT, "a", "b") == {"c": "found"}
    assert fields.text(DOCUMENT, "a", "b", "c") == "found"
    assert fields.items(DOCUMENT["a"], "list") == [1]
    assert fields.mapping(DOCUMENT, "a", "list") == fields.mapping(DOCUMENT, "x", "b") == fields.mapping(7) == {}
    assert fields.text(DOCUMENT, "a", "number") == fields.text(DOCUMENT, "a", "b") == fields.text(None, "a") == ""
    assert fields.items(DOCUMENT, "a") == fields.items(DOCUMENT, "x") == fields.items([], "a") == []


@pytest.mark.parametrize("name", ["a", "Workers-1_b", "0" * 100])
def test_the_name_of_a_cluster_and_of_a_node_group(name: str) -> None:
    assert kubernetes_names.cluster(name) == kubernetes_names.compute(name) == name


@pytest.mark.parametrize("name", ["", "-a", "_a", "a.b", "a b", "a\n", "../x", "0" * 101, 7, None, ["a"]])
def test_what_is_no_name_of_a_cluster_or_of_a_node_group(name: object) -> None:
    assert (kubernetes_names.cluster(name), kubernetes_names.compute(name)) == (None, None)


@pytest.mark.parametrize("name", ["a", "ip-10-0-1-23.ec2.internal", "0" * 253])
def test_the_name_of_an_object(name: str) -> None:
    assert kubernetes_names.object_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", ".a", "A", "a_b", "a b", "a\n", "0" * 254, 7, None, ["a"]])
def test_what_is_no_name_of_an_object(name: object) -> None:
    assert kubernetes_names.object_name(name) is None


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ({"b": "2", "app.kubernetes.io/name": "web", "empty": ""}, ("app.kubernetes.io/name=web", "b=2", "empty=")),
        ({"a b": "1", "": "1", "a": "1 2", "c": 7, "d": "x" * 64}, ()),
        ({f"k{number:03}": "" for number in range(101)}, tuple(f"k{number:03}=" for number in range(100))),
        ({}, ()),
        ([], None),
        (None, None),
    ],
)
def test_the_labels_of_a_pod(written: object, labels: tuple[str, ...] | None) -> None:
    assert kubernetes_names.labels(written) == labels
