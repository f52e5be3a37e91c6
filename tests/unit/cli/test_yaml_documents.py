from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.cli.document import MOST_REPEATED, Document, UnusableTextError
from pull_responder.cli.yaml_documents import decode, read_documents

POD = """\
# of the shop
apiVersion: v1
kind: Pod
spec:
  containers:
    - name: app
      image: "registry/app:1"
    - {name: side, image: registry/side}
"""


def read(text: str) -> list[object]:
    return [each.value if isinstance(each, Document) else str(each) for each in read_documents(text)]


def test_each_value_has_its_line() -> None:
    (document,) = [each for each in read_documents(f"%YAML 1.1\n---\n{POD}") if isinstance(each, Document)]
    assert isinstance(document.value, dict)
    spec = document.value["spec"]
    assert isinstance(spec, dict)
    containers = spec["containers"]
    assert isinstance(containers, list)
    assert [document.line_of(each, "image") for each in containers] == [9, 10]
    assert document.line_of(containers, 1) == 10
    assert (document.line, document.line_of(document.value, "absent")) == (4, 4)


def test_json_has_lines_too_and_escapes_that_yaml_does_not_know() -> None:
    text = json.dumps({"kind": "List", "items": [{"image": "a\ud83d\ude00"}]}, indent=1).replace("\n", "\r\n")
    (document,) = [each for each in read_documents(text) if isinstance(each, Document)]
    assert document.value == {"kind": "List", "items": [{"image": "a\U0001f600"}]}
    assert isinstance(document.value, dict)
    items = document.value["items"]
    assert isinstance(items, list)
    assert document.line_of(items[0], "image") == 5


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}]),
        ("\ufeffa: 1", [{"a": 1}]),
        ("--- {a: 1}\n--- # nothing\n---\n...\n---\na: 2", [{"a": 1}, {"a": 2}]),
        ("# only a comment\n---\n\n", []),
        ("a: |\n  --- not a document\n", [{"a": "--- not a document\n"}]),
        ("a: [yes, No, 0x1f, 08, 1.50, 1e3, '1', ~, 2024-01-01, 1:30]", [{"a": None}]),
        ("base: &b {x: 1, y: 1}\nof: {<<: *b, y: 2}", [{"base": {"x": 1, "y": 1}, "of": {"x": 1, "y": 2}}]),
        ("1: a\ntrue: b", [{"1": "a", "true": "b"}]),
        ("a: !!python/object/apply:os.system [echo]", [{"a": ["echo"]}]),
        ("a: !Ref b", [{"a": "b"}]),
        ("{a: 1}", [{"a": 1}]),
    ],
)
def test_values(text: str, values: list[object]) -> None:
    if "0x1f" in text:
        values = [{"a": [True, False, "0x1f", "08", 1.5, "1e3", "1", None, "2024-01-01", "1:30"]}]
    assert read(text) == values


def test_a_document_that_cannot_be_read_takes_none_of_the_others_with_it() -> None:
    assert read("a: 1\n---\nb: {{ .Values.b }}\n---\nc: [1\n---\nd: 1") == [
        {"a": 1},
        "line 3: the key of a mapping is no text",
        "line 6: it is not YAML: did not find expected ',' or ']'",
        {"d": 1},
    ]


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, f"its aliases repeat more than {MOST_REPEATED} values"),
        ("a: &a\n  b: *a", "an alias stands where its anchor has not ended, or without one"),
        ("a: *nobody", "an alias stands where its anchor has not ended, or without one"),
        ("a: " + "[" * 101 + "]" * 101, "it is nested deeper than 100 levels"),
        ("[" * 100_000, "it is nested deeper than 100 levels"),
        ('{"a":' * 100_000, "it is nested deeper than 100 levels"),
        ("a: b\x00", "it is not YAML: it has characters that YAML does not allow"),
        ("<<: 1", "the merge key << names no mapping"),
        ("---\n" * 3 + "a: b\n---\n" * 20_001, "it has more than 20000 documents"),
    ],
)
def test_what_holds_too_much_or_is_broken_is_one_line(text: str, said: str) -> None:
    *_, last = read(text)
    assert isinstance(last, str)
    assert said in last or "exceeded maximum nesting depth" in last
    assert "\n" not in last


def test_bytes() -> None:
    assert decode("\ufeffa: ü".encode()) == "a: ü"
    assert decode(b"\xff\xfe" + "a: ü".encode("utf-16-le")) == "a: ü"
    with pytest.raises(UnusableTextError, match="line 2: byte 5 is not UTF-8"):
        decode(b"a: b\n\xff")


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"#%@ \n\t,?\\0.~<\x00\ud800é"), max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    read(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
)


@given(st.dictionaries(st.text(), JSON, min_size=1), st.sampled_from([None, 1]), st.booleans())
def test_json_is_read_as_the_standard_library_reads_it(value: object, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001 -- Hypothesis passes it
    assert read(json.dumps(value, indent=indent, ensure_ascii=ascii_only)) == [value]
