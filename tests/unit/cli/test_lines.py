"""Where lines break, and how names look that others chose."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from pull_responder.cli.answer import show_diagnosis, terminal
from pull_responder.cli.lines import UNLIMITED, cut_name, first_words, labelled, shown, terminal_width, wrap
from tests.first_lines import broken, printed
from tests.unit.cli.answers import ATTACH, PULL, ROLE, cause, diagnosis, ec2, refused
from tests.unit.cli.test_hostile_text import HOSTILE

if TYPE_CHECKING:
    from pull_responder.findings.finding import Finding

COMMAND = "`aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=BatchGetImage`"
COPIED = (
    ROLE,
    ec2("subnet", "subnet-0a1b2c3d4e5f60718"),
    "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html",
    "vpce-0a1b2c3d4e5f60718",
    "111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
    f"sha256:{'0a' * 32}",
    COMMAND,
    "(aws ecr get-login-password)",
)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(COPIED) | st.sampled_from(["so", "the policy of", "名前", "a" * 30]), min_size=1),
    st.integers(20, 200),
)
def test_nothing_that_people_copy_is_broken_at_any_width(words: list[str], width: int) -> None:
    text = " ".join(words)
    lines = wrap(text, width)
    assert " ".join(lines) == text
    for each in COPIED:
        assert sum(line.count(each) for line in lines) == text.count(each)
    # Only a word that is longer than the line makes it longer.
    assert all(cell_len(line) <= width or line in (*COPIED, "a" * 30) for line in lines)


@settings(deadline=None)
@given(HOSTILE, st.integers(20, 200))
def test_whatever_a_text_holds_its_lines_are_its_words(text: str, width: int) -> None:
    line = shown(text)
    assert " ".join(wrap(line, width)) == line
    assert "".join(part for _, part in labelled("Why", line, width, indent=11)).replace(" ", "") == line.replace(
        " ", ""
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(20, 200), HOSTILE)
def test_an_answer_breaks_nothing_at_any_width(width: int, text: str) -> None:
    findings = [
        cause("role_lacks_pull_permissions", ROLE, commands=(ATTACH, ATTACH)),
        cause("no_route_to_ecr", ec2("subnet", "subnet-0a1b2c3d4e5f60718"), summary=f"Look at {COMMAND}."),
    ]
    findings = [replace(each, evidence=(*each.evidence, f"x{text}")) for each in findings]
    left = refused("vpc_dns_disabled", "ec2:DescribeVpcs", "ec2:DescribeVpcAttribute")
    for found in (diagnosis(*findings, unchecked=(left,)), diagnosis(inconclusive=(left,))):
        assert broken(found, width) == []
        assert all(line.isprintable() for line in printed(found, width))


def test_forty_columns_are_readable() -> None:
    """All but what people copy fits, and nothing stands in a column of two or three words."""
    found = diagnosis(cause("role_lacks_pull_permissions", ROLE, commands=(ATTACH,)), passed=("proxy_blocks_pull",))
    assert printed(found, 40) == [
        "HIGH: The role does not allow the pull",
        "(role prod-node)",
        f"Run in account 111111111111, eu-west-1: {' '.join(ATTACH)}",
        "Pod shop/web-0, image team/app:v1, node",
        "i-0a1b2c3d4e5f60718, cluster prod",
        "",
        "Cause",
        "  role_lacks_pull_permissions",
        "Broken",
        "  AwsIamRole",
        f"  {ROLE}",
        "Why",
        f"  {ROLE}",
        "  is at fault.",
        "Evidence",
        f"  {ROLE}",
        "  was read.",
        "Fix",
        "  Put it right.",
        "Docs",
        "  https://docs.aws.amazon.com/x",
        "",
        "Pull",
        "  111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
        "Failed",
        "  timeout, stage manifest, at",
        "  2026-03-01T12:00:00Z",
        "Role",
        f"  {ROLE}",
        "",
        "Ruled out",
        "  proxy_blocks_pull",
        "",
    ]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("web-\u05d0\u05d1", "web-\\u05d0\\u05d1"),
        ("web-\u0627", "web-\\u0627"),
        ("e\u0301", "e\\u0301"),
        ("a\u3164b\u2800c", "a\\u3164b\\u2800c"),
        ("\U0001e900", "\\U0001e900"),
        ("Größe Жук 中文 😀", "Größe Жук 中文 😀"),
        ("a\u202eb\u200bc", "a b c"),
    ],
)
def test_letters_that_would_move_others_are_shown_as_escapes(name: str, written: str) -> None:
    assert shown(name) == written


def test_wide_letters_take_two_cells() -> None:
    assert wrap("中文 中文 中文", 9) == ["中文 中文", "中文"]
    assert cell_len(cut_name("名" * 40, 20)) <= 20
    pull = replace(PULL, pod="名" * 40, repository="前" * 60, tag=None)
    line = printed(diagnosis(cause("vpc_dns_disabled", ec2("vpc", "vpc-0a1b2c3d")), pull=pull))[2]
    assert cell_len(line) <= 80


@settings(deadline=None)
@given(st.text(max_size=120), st.integers(8, 60))
def test_a_name_is_cut_between_its_ends(name: str, width: int) -> None:
    name = shown(name)
    cut = cut_name(name, width)
    assert cell_len(cut) <= width
    assert cut == name or (name.startswith(cut.partition("...")[0]) and name.endswith(cut.rpartition("...")[2]))


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [
        ("Push the image again. It was never there.", 30, "Push the image again."),
        (
            "Give the nodes larger volumes (in the launch template), or free space.",
            40,
            "Give the nodes larger volumes ...",
        ),
        (
            "Give the nodes larger volumes (in the launch template), or free space.",
            64,
            "Give the nodes larger volumes (in the launch template) ...",
        ),
        ("Wait, and look at the AWS Health Dashboard for a while", 40, "Wait, and look at the AWS Health ..."),
        ("Look at `aws x, y --z` in the region of the registry", 30, "Look at `aws x, y --z` in ..."),
        (f"{ROLE} is gone", 20, f"{ROLE} is gone"),
    ],
)
def test_what_is_cut_ends_with_a_clause_or_a_word(text: str, width: int, kept: str) -> None:
    assert first_words(text, width) == kept


def test_what_is_no_terminal_has_lines_without_an_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """readline exports COLUMNS to whatever a shell or a Python program starts."""
    monkeypatch.setenv("COLUMNS", "40")
    assert terminal_width() == UNLIMITED
    show_diagnosis(terminal(), diagnosis(_role()))
    assert "Docs       https://docs.aws.amazon.com/x\n" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert terminal_width() == 40


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colours_are_for_terminals_and_for_who_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variables: dict[str, str], *, coloured: bool
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    show_diagnosis(terminal(), diagnosis(_role()))
    said = capsys.readouterr().out
    assert ("\x1b[31mHIGH" in said) is coloured
    assert ("\x1b[3" in said) is coloured


def test_all_that_is_ours_is_ascii_so_that_each_locale_can_show_it() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    left = refused("vpc_dns_disabled", "ec2:DescribeVpcs")
    long = cause("role_lacks_pull_permissions", f"arn:aws:iam::111111111111:role/{'x' * 64}", summary="Do it, " * 40)
    for found in (diagnosis(long, unchecked=(left,)), diagnosis(inconclusive=(left,)), diagnosis(note="It is so.")):
        show_diagnosis(Console(file=out, width=80, markup=False, highlight=False), found)
    name = diagnosis(cause("role_lacks_pull_permissions", ROLE), pull=replace(PULL, pod="größe"))
    show_diagnosis(Console(file=out, width=80, markup=False, highlight=False), name)
    out.flush()
    said = out.buffer.getvalue().decode("ascii")
    assert "Pod shop/gr\\xf6\\xdfe, image team/app:v1" in said
    assert said.count("\\x") == said.count("\\xf6\\xdf") * 2


def _role() -> Finding:
    return cause("role_lacks_pull_permissions", ROLE, commands=(ATTACH,))
