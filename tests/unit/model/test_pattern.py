"""`*` and `?` in texts. Source: IAM User Guide, "IAM JSON policy elements: Resource", wildcards."""

from __future__ import annotations

from pathlib import Path
from typing import SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pull_responder
from pull_responder.facts.compute import Selector
from pull_responder.facts.lifecycle import LifecycleRule
from pull_responder.facts.signing import SigningRule
from pull_responder.model.pattern import compile_pattern, compile_stars
from pull_responder.remediation.policy_edits import stop_denying


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*", "", True),
        ("*", "anything", True),
        ("", "", True),
        ("", "a", False),
        ("app", "app", True),
        ("app", "App", False),
        ("app", "apps", False),
        ("app*", "app", True),
        ("app*", "application", True),
        ("app*", "ap", False),
        ("*app", "my-app", True),
        ("*app", "app-1", False),
        ("a*p", "ap", True),
        ("a*p", "a", False),
        ("aa*aa", "aaa", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "acb", False),
        ("*b*", "abc", True),
        ("*ab*ba*", "aba", False),
        ("?", "", False),
        ("?", "a", True),
        ("?", "ab", False),
        ("ap?", "app", True),
        ("ap?", "ap", False),
        ("?p?", "app", True),
        ("*?", "", False),
        ("*?", "abc", True),
        ("?*?", "a", False),
        ("*a?c*", "xxabcxx", True),
        ("*a?c*", "xxacxx", False),
        ("*a?c", "aacabc", True),
        ("a**c", "abc", True),
        ("arn:aws:ecr:*:*:repository/team-?/*", "arn:aws:ecr:us-east-1:111111111111:repository/team-a/b/c", True),
        ("arn:aws:ecr:*:*:repository/team-?/*", "arn:aws:ecr:us-east-1:111111111111:repository/team-ab/c", False),
        # A wildcard reaches over slashes and, at the end of a segment, over colons.
        ("arn:aws:ecr:*", "arn:aws:ecr:us-east-1:111111111111:repository/a/b", True),
        # Characters that mean something to regular expressions mean themselves.
        ("a.b", "axb", False),
        ("a[b]+*", "a[b]+c", True),
    ],
)
def test_pattern(pattern: str, text: str, *, matches: bool) -> None:
    assert compile_pattern(pattern)(text) is matches


def by_definition(pattern: str, text: str) -> bool:
    """The meaning of a pattern, as a table over all prefixes of pattern and text."""
    reached = {0}
    for symbol in pattern:
        if symbol == "*":
            reached = set(range(min(reached), len(text) + 1)) if reached else set()
        else:
            reached = {place + 1 for place in reached if place < len(text) and symbol in ("?", text[place])}
    return len(text) in reached


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_matches_what_a_pattern_means(pattern: str, text: str) -> None:
    assert compile_pattern(pattern)(text) is by_definition(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*a" * 10_000, "a" * 20_000, True),
        ("*a" * 10_000 + "b", "a" * 20_000, False),
        ("*a?" * 6_000 + "b", "a" * 20_000, False),
        ("*" + "a?" * 5_000 + "b*", "a" * 20_000, False),
        ("*" + "?a" * 5_000 + "*", "a" * 20_000, True),
        ("?" * 20_000, "a" * 20_000, True),
        ("*" * 20_000 + "b", "a" * 20_000, False),
    ],
    ids=["hits", "misses", "gapped", "one-long-gapped-miss", "one-long-gapped-hit", "places", "stars"],
)
def test_twenty_kilobytes_of_wildcards_are_matched_without_backtracking(
    pattern: str, text: str, *, matches: bool
) -> None:
    """With backtracking none of these would finish."""
    assert compile_pattern(pattern)(text) is matches


def by_stars(pattern: str, text: str) -> bool:
    """The meaning of a pattern with `*` alone."""
    return by_definition(pattern.replace("?", "\N{BLACK SQUARE}"), text.replace("?", "\N{BLACK SQUARE}"))


@given(st.text("ab*?[]!", max_size=12), st.text("ab?[]!", max_size=12))
def test_a_pattern_of_stars_takes_all_else_as_it_is(pattern: str, text: str) -> None:
    assert compile_stars(pattern)(text) is by_stars(pattern, text)
    assert compile_stars(pattern.replace("*", ""))(pattern.replace("*", ""))


@given(st.text("ab*?[]!", max_size=8), st.text("ab?[]!", max_size=8))
def test_all_who_match_names_match_them_alike(pattern: str, text: str) -> None:
    """Tags and repositories take `*` (ECR User Guide), Fargate's selectors also `?` (EKS User Guide)."""
    rule = LifecycleRule(1, "", "tagged", (pattern,), "imageCountMoreThan", "expire")
    assert rule.may_expire(text) is by_stars(pattern, text)
    assert SigningRule((pattern,)).covers(text) is by_stars(pattern, text)
    assert Selector(pattern).may_fit(text, None) is by_definition(pattern, text)
    labels = Selector("*", ((pattern, "*"), ("*", pattern)))
    assert labels.may_fit("any", {text: text}) is by_definition(pattern, text)


class _Counted(str):  # noqa: SLOT000 -- it counts in an attribute
    """A text that counts the characters which a search looks at."""

    steps = 0

    def find(self, sub: str, start: SupportsIndex | None = 0, end: SupportsIndex | None = None, /) -> int:
        begin, until = int(start or 0), len(self) if end is None else int(end)
        found = super().find(sub, begin, until)
        self.steps += (until if found == -1 else found + len(sub)) - begin
        return found

    def __getitem__(self, key: SupportsIndex | slice, /) -> str:
        self.steps += 1
        return super().__getitem__(key)


@pytest.mark.parametrize("repeated", ["*a", "*a?", "a*", "?*a", "*aab"])
def test_each_character_is_looked_at_a_few_times_at_most(repeated: str) -> None:
    """`a*a*a*…b`: twice the text takes twice the steps. With backtracking it would take many times as many."""
    for size in (100, 200, 400):
        text = _Counted("a" * size)
        assert not compile_pattern(repeated * (size // 4) + "b")(text)
        text_with_end = _Counted("a" * size + "cb")
        assert not compile_pattern(repeated * (size // 4) + "d*b")(text_with_end)
        assert text_with_end.steps > 0
        assert text.steps + text_with_end.steps <= 3 * size


@given(st.text("ecr:BatchGetImage*?", max_size=24))
def test_an_edit_frees_an_action_by_the_same_patterns(pattern: str) -> None:
    document = {"Statement": [{"Effect": "Deny", "Action": [pattern, "s3:GetObject"], "Resource": "*"}]}
    edited = stop_denying(document, [0], ["ecr:BatchGetImage"])
    is_freed = by_definition(pattern.lower(), "ecr:batchgetimage")
    assert (edited != document) is is_freed


def test_no_module_matches_by_rules_of_shells() -> None:
    """In fnmatch brackets are character classes. None of AWS's patterns has such."""
    package = Path(pull_responder.__file__).parent
    sources = [path.relative_to(package).as_posix() for path in package.rglob("*.py") if "fnmatch" in path.read_text()]
    assert sources == []
