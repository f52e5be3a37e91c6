"""Whatever stands in a field that others write, each line of output is printable, and begins as we wrote it."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pull_responder.cli.answer import show_diagnosis
from pull_responder.cli.as_json import line_of
from pull_responder.cli.lines import UNLIMITED
from pull_responder.cli.main import cli, main
from pull_responder.diagnosis import Diagnosis, Undecided
from pull_responder.model.printable import escape_json
from pull_responder.model.pull import Denial, Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.network import Hop, HopKind, Leg, Network, NodePlace, Owned, Path, Vpc
from pull_responder.network.answer import PathCause
from pull_responder.network.answer import Undecided as Doubt
from pull_responder.pulls.nodes import Nodes
from pull_responder.pulls.path import PullPath
from pull_responder.pulls.puller import Puller
from tests.unit.cli.test_hostile_text import HOSTILE

OVERRIDES = (
    "\x7f\x80\x85\x9b\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)


def _printed(text: str) -> list[str]:
    """The lines of a diagnosis of which every text that others write holds `text`."""
    arn = f"arn:aws:iam::111111111111:role/{text}"
    principal = Principal(PrincipalKind.ROLE, arn, "aws", "111111111111", text, session_name=text, role_arn=arn)
    pull = PullFailure(
        symptom=Symptom.TIMEOUT,
        stage=Stage.TOKEN,
        region="eu-west-1",
        principal=principal,
        denial=Denial(action=text, resource=text, message=text, policy_arn=text),
        registry_account="111111111111",
        repository=text,
        tag=text,
        cluster=text,
        node=text,
        namespace=text,
        pod=text,
        observed_at=text,
    )
    open_ = (Undecided("no_route_to_ecr", text, text), Undecided("dns_cannot_resolve_ecr", f"a{text}", f"b{text}"))
    diagnosis = Diagnosis(
        pull, Puller(for_eks=True, because=text), (), open_, open_, ("image_not_found",), note=text, role_arn=arn
    )
    doubts = (Doubt(PathCause.NO_ROUTE, text),)
    hop = Hop(HopKind.NAME, text, (), (text, text), undecided=doubts, owned=Owned(text, text, text))
    way = Path((Leg(Stage.TOKEN, text, (hop,)),))
    places = tuple((NodePlace(text, text, ()), each) for each in (way, Path(())))
    out = io.StringIO()
    console = Console(file=out, markup=False, highlight=False, emoji=False, width=UNLIMITED)
    nodes = Nodes(text, text, text, text, cluster=text)
    path = PullPath(nodes, Network(text, Vpc(text, (), owner=text), account=text), "aws", places, places)
    show_diagnosis(console, diagnosis, path=path, asked=text, nodes=text, whole_path=True)
    show_diagnosis(console, diagnosis, path=path)
    show_diagnosis(console, diagnosis)
    assert out.getvalue().endswith("\n")
    return out.getvalue()[:-1].split("\n")


@settings(deadline=None)
@given(HOSTILE)
def test_no_line_of_a_diagnosis_begins_with_what_its_fields_hold(text: str) -> None:
    lines = _printed(f"x{text}")
    assert all(line.isprintable() for line in lines)
    plain = _printed("x")
    # What the first lines have whole is not told again.
    assert {line[:4] for line in lines} - {"Pull", "By  ", "Wher"} <= {line[:4] for line in plain}
    assert len(lines) - len(plain) in range(6)


def _run(*arguments: str, stdin: str = "") -> str:
    ended = CliRunner().invoke(cli, [*arguments], input=stdin.encode("utf-8", "surrogatepass"))
    assert ended.exception is None
    assert ended.output.endswith("\n")
    return ended.output[:-1]


EXPLAINED = (
    "Run next",
    "Symptom",
    "Stage",
    "Image",
    "Spelt wrong",
    "Asked",
    "Dialled",
    "DNS server",
    "AWS said",
    "Can mean",
)
REFUSED = (
    'Failed to pull image "111111111111.dkr.ecr.us-east-1.amazonaws.com/{0}:v1": User: arn:aws:sts::111111111111:'
    "assumed-role/{0}/{0} is not authorized to perform: ecr:BatchGetImage on resource: {0} with an explicit deny {0}"
)


@settings(deadline=None)
@given(HOSTILE, st.sampled_from([REFUSED, "{0}", 'Failed to pull image "{0}": dial tcp: lookup {0}: no such host {0}']))
def test_explain_begins_no_line_with_a_messages_words(text: str, message: str) -> None:
    said = message.format(text)
    lines = _run("explain", "-", stdin=said).split("\n")
    assert all(line.isprintable() for line in lines)
    assert {line[:12].rstrip() for line in lines} <= {*EXPLAINED, ""}
    for heading in EXPLAINED:
        assert sum(line.startswith(heading) for line in lines) <= 1
    (answer,) = _run("explain", "-", "--format", "json", stdin=json.dumps({"message": said})).split("\n")
    assert answer.isprintable()


USABLE = {
    "request": {
        "principal": "arn:aws:iam::111111111111:role/node",
        "action": "ecr:BatchGetImage",
        "resource": {"arn": "*", "accountId": "111111111111"},
    }
}


@settings(deadline=None)
@given(HOSTILE)
def test_evaluate_answers_a_line_by_a_line(text: str) -> None:
    policy = {"Version": "2012-10-17", "Statement": {"Sid": text, "Effect": "Allow", "Action": text, "Resource": text}}
    case = {"id": text, "identityPolicies": [policy], text: text, "request": {"action": text, "context": {text: text}}}
    for form in ("text", "json"):
        # With a line that can be used, as only others are no success.
        given_lines = f"{json.dumps(case)}\n{json.dumps([text])}\n{json.dumps(USABLE)}"
        lines = _run("evaluate", "--format", form, stdin=given_lines).split("\n")
        assert len(lines) == 3
        assert all(line.isprintable() for line in lines)


def _said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    monkeypatch.setattr(sys, "argv", ["pull-responder", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err


ODD = "\x1b[2J\u202e\x9b1A\r\nFix        run this\u2028\x85x"


@pytest.mark.parametrize(
    "arguments",
    [
        ("diagnose", "--event", f"/nowhere/{ODD}"),
        ("diagnose", "--image", ODD, "--cluster", ODD),
        ("diagnose", f"--{ODD}"),
        ("diagnose", "--format", ODD),
        ("explain", "x", ODD),
        ("causes", ODD),
        (ODD,),
    ],
)
def test_an_error_is_one_printable_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    status, said = _said(monkeypatch, capsys, *arguments)
    assert status == 2
    assert said.startswith("pull-responder: ")
    assert said.endswith("\n")
    assert said[:-1].isprintable()


def test_help_for_a_lack_of_arguments_is_printable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its first line has the name of the program, not that under which it was called."""
    monkeypatch.setattr(sys, "argv", ["pull\x1b[2J\u202e-responder"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().out
    assert ended.value.code == 2
    assert said.startswith("Usage: pull-responder [OPTIONS]")
    assert "Commands:" in said.split("\n")
    assert all(line.isprintable() for line in said.split("\n"))


def test_the_traceback_of_an_unexpected_error_has_no_lines_of_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        try:
            json.loads("{}")[ODD]
        except KeyError as error:
            raise ValueError(ODD) from error

    monkeypatch.setattr(click.Group, "main", fail)
    status, said = _said(monkeypatch, capsys, "causes")
    lines = said[:-1].split("\n")
    assert status == 70
    assert all(line.isprintable() for line in lines)
    assert not any(line.startswith("Fix") for line in lines)
    # What went wrong, and where, is still said.
    assert any(line.startswith("KeyError: ") for line in lines)
    assert lines[-1] == "ValueError: Fix run this x"
    assert any(f"File {__file__}, line " in line for line in lines)
    assert "    raise ValueError(ODD) from error" in lines


_VALUES: st.SearchStrategy[Any] = st.recursive(
    HOSTILE | st.text(OVERRIDES + 'äЖ中😀\U000e0001\ud800"\\\n', max_size=12) | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
)


@settings(deadline=None)
@given(st.dictionaries(HOSTILE, _VALUES, max_size=3))
def test_json_is_one_printable_line_of_the_same_values(value: dict[str, Any]) -> None:
    line = line_of(value)
    assert line.isprintable()
    assert json.loads(line) == value
    assert escape_json(json.dumps(value)).isprintable()


def test_json_keeps_letters_of_all_scripts() -> None:
    assert line_of({"name": "Größe Жук 中文 😀"}) == '{"name": "Größe Жук 中文 😀"}'
    assert line_of({"name": "a\u202eb\x9bc\x7f\U000e0001"}) == '{"name": "a\\u202eb\\u009bc\\u007f\\udb40\\udc01"}'
