"""docs/security.md: every sentence about what somebody can do has tests, and every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[2]
_PAGE: Final = (_ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_NAMED: Final = sorted(set(re.findall(r"`(tests/[^`]*)`", _PAGE)))
# A sentence is an item of a list. The tests that hold it are the items below it.
_SENTENCES: Final = re.findall(r"^- (?:.+\n)(?: .+\n)*", _PAGE + "\n", re.MULTILINE)
_ACTORS: Final = re.findall(r"^### (.+)\n((?:(?!##).*\n)*)", _PAGE, re.MULTILINE)


@pytest.mark.parametrize("named", _NAMED)
def test_a_named_test_exists(named: str) -> None:
    path, name = named.split("::")
    assert re.search(rf"^def {name}\(", (_ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("sentence", _SENTENCES, ids=lambda sentence: sentence[2:60])
def test_a_sentence_has_its_tests_below_it(sentence: str) -> None:
    assert re.search(r"^  - `tests/\S+::test_\w+`$", sentence, re.MULTILINE)


def test_every_test_stands_below_a_sentence() -> None:
    assert len(_SENTENCES) == len(re.findall(r"^- ", _PAGE, re.MULTILINE)) > len(_ACTORS)
    assert set(re.findall(r"`(tests/[^`]*)`", "".join(_SENTENCES))) == set(_NAMED)


def test_every_actor_is_there_with_what_it_can_and_cannot_do() -> None:
    assert [name for name, _ in _ACTORS] == [
        "A pod's author",
        "A creator of Kubernetes Events",
        "A node",
        "`events:PutEvents`",
        "A foreign account",
        "A member of the organization",
        "An operator of Security Hub",
        "`sqs:SendMessage`",
        "`lambda:InvokeFunction`",
        "`logs:PutLogEvents`",
        "A subscriber of the topic",
        "A writer of the findings table",
    ]
    for name, text in _ACTORS:
        assert "- **can** " in text, name
        assert "- **cannot** " in text, name
