"""JSON from outside: what it would cost is known before any value is made."""

from __future__ import annotations

import json

import pytest

from pull_responder.events.json_text import MOST_VALUES, has_too_many_values, read_json
from pull_responder.events.outcome import UnusableEvent


@pytest.mark.parametrize("value", ["[]", "{}", "1", '"a"', '{"a": 1}', '"\\\\"', '"\\""', '"[["'])
def test_a_text_of_too_many_values_is_refused_before_it_is_parsed(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"[{','.join([value] * (MOST_VALUES + 1))}]"
    monkeypatch.setattr("pull_responder.events.json_text._DECODER", None)
    with pytest.raises(UnusableEvent, match="the input is not usable: its JSON has more than 100000 values"):
        read_json(text, where="the input")


@pytest.mark.parametrize("text", ["[]," * MOST_VALUES, '\\"[],' * MOST_VALUES, "\\" * MOST_VALUES, "\n" * MOST_VALUES])
def test_what_stands_in_a_string_is_not_counted(text: str) -> None:
    """A record of an audit log is JSON in a string of JSON."""
    assert read_json(json.dumps({"message": text}), where="the input") == {"message": text}


def test_the_most_values_are_read() -> None:
    assert not has_too_many_values(json.dumps([0] * (MOST_VALUES - 1)))
    assert len(read_json(json.dumps([0] * (MOST_VALUES - 1)), where="the input")) == MOST_VALUES - 1  # type: ignore[arg-type]


@pytest.mark.parametrize("opening", ["[", "{", ","])
def test_whatever_begins_a_value_counts(opening: str) -> None:
    assert not has_too_many_values(opening * MOST_VALUES + '","')
    assert has_too_many_values(opening * (MOST_VALUES + 1))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ("[1,\n x]", "is not JSON: Expecting value at line 2, column 2"),
        ("[" * 99_999, "is not usable: its JSON is nested too deeply"),
        ("[NaN]", "is not usable: NaN is not JSON"),
        ("-Infinity", "is not usable: -Infinity is not JSON"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(UnusableEvent) as refused:
        read_json(text, where="the input")
    assert str(refused.value) == f"the input {problem}"


def test_a_string_that_never_ends_is_read_in_one_pass() -> None:
    assert has_too_many_values('"' + "," * MOST_VALUES + ",")
