"""Text that leaves the function."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.publish.text import break_urls, command_line, cut, limit_lines, one_line, resource_name


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("plain", "plain"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("\x1b[31;1mred\x1b[0m text", "red text"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;never ended", "]0;never ended"),
        ("pay\u202egpj.exe", "pay gpj.exe"),
        ("null\x00byte", "null byte"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("größe 容器 🐳", "größe 容器 🐳"),
        (" \x07 ", ""),
    ],
)
def test_one_line_keeps_what_can_be_printed(text: str, printed: str) -> None:
    assert one_line(text, 100) == printed


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("exactly ten", 11, "exactly ten"),
        ("a sentence of some words", 15, "a sentence of…"),
        ("ends in a comma, and goes on", 18, "ends in a comma…"),
        ("role arn:aws:iam::111111111111:role/node is broken", 44, "role arn:aws:iam::111111111111:role/node is…"),
        ("the role is arn:aws:iam::111111111111:role/node", 24, "the role is…"),
        ("x" * 50, 10, "xxxxxxxxx…"),
        ("a " + "x" * 50, 10, "a xxxxxxx…"),
    ],
)
def test_a_cut_falls_between_words(text: str, limit: int, expected: str) -> None:
    assert cut(text, limit) == expected


@settings(deadline=None)
@given(text=st.text() | st.text(alphabet="\x1b\x9b\x9d[];0mA\\ \x07\n", max_size=200), limit=st.integers(1, 50))
def test_one_line_is_printable_and_bounded(text: str, limit: int) -> None:
    line = one_line(text, limit)

    assert len(line) <= limit
    assert line.isprintable()
    assert line == line.strip()
    line.encode()


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1).filter(lambda command: all(each.isprintable() for each in command)))
def test_a_command_line_says_the_command(command: list[str]) -> None:
    line = command_line(command)

    assert line is not None
    assert line.isprintable()
    assert shlex.split(line) == command


@pytest.mark.parametrize("argument", ["a\nrm -rf x", "\x1b[2K", "\u202e"])
def test_a_command_that_cannot_be_printed_as_it_is_is_not_printed(argument: str) -> None:
    assert command_line(("aws", "ecr", argument)) is None


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (14, ["12345", "ä234", "1"]),
        (13, ["12345", "ä234", "(evidence: 1 more, too long for this message)"]),
        (11, ["12345", "(evidence: 2 more, too long for this message)"]),
    ],
)
def test_lines_that_do_not_fit_are_counted(size: int, expected: list[str]) -> None:
    assert limit_lines(["12345", "ä234", "1"], size=size, what="evidence") == expected


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("log in at evil.com now", "log in at evil[.]com now"),
        ("(evil.co.uk)", "(evil[.]co[.]uk)"),
        ("role/evil.com/x", "role/evil[.]com/x"),
        ("a.amazonaws.com.evil.com", "a[.]amazonaws[.]com[.]evil[.]com"),
        ("amazonaws.com.evil.com", "amazonaws[.]com[.]evil[.]com"),
        ("http://evil.com", "http[:]//evil[.]com"),
        ("b\u00fccher.example", "b\u00fccher[.]example"),
    ],
)
def test_bare_domains_are_broken_up(text: str, printed: str) -> None:
    assert break_urls(text) == printed


@pytest.mark.parametrize(
    "text",
    [
        "111111111111.dkr.ecr.us-east-1.amazonaws.com/app:v1.2.3",
        "api.ecr.cn-north-1.amazonaws.com.cn",
        "public.ecr.aws/eks/x",
        "ip-10-0-1-23.ec2.internal",
        "10.0.1.2 and v1.29.3.",
        "One sentence. And another.",
        "policy.json",
    ],
)
def test_what_people_copy_stays(text: str) -> None:
    assert break_urls(text) == text


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("arn:aws:iam::111111111111:role/eks/node", "role/eks/node"),
        ("arn:aws:organizations::999999999999:policy/o-1/service_control_policy/p-1", "policy/p-1"),
        ("arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess", "policy/p-FullAWSAccess"),
        ("arn:aws:organizations::999999999999:organization", "organization"),
        ("AWS::::Account:111111111111", "AWS::::Account:111111111111"),
    ],
)
def test_a_resource_has_a_short_name(resource: str, name: str) -> None:
    assert resource_name(resource) == name
