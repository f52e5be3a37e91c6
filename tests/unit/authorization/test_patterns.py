"""`*` and `?` in texts. Source: IAM User Guide, "IAM JSON policy elements: Resource", wildcards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.authorization.pattern import compile_pattern


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
