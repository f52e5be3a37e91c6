"""The messages and answers that pages show are those of the examples."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pull_responder.generate.answers import FOLDERS, PAGES, update_page
from pull_responder.generate.error import GenerateError

ROOT = Path(__file__).parents[3]
TOUR = (ROOT / "docs" / "guided-tour.md").read_text(encoding="utf-8")
EXAMPLE = """CloudTrail records (shortened):

```json
{"errorMessage": "User: x is not authorized"}
```

`pull-responder diagnose` answers:

```text
HIGH: one
Run in account 111111111111, us-east-1: aws two
Pod three

Cause      four

Pull       five
```
"""


@pytest.mark.parametrize("page", ["README.md", *PAGES])
def test_a_page_shows_what_the_examples_say_today(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert "<!-- end -->" in text
    assert update_page(text, ROOT) == text, f"{page} shows stale answers: run `make generate`"


def test_each_case_of_the_article_has_an_answer_and_what_looks_like_it() -> None:
    cases = re.split(r"^## \d\. ", TOUR, flags=re.MULTILINE)[1:]
    assert len(cases) == 6
    for case in cases:
        parts = ("<!-- message: ", "<!-- answer: ", "**Why it is right.**", "**What looks like it and is not.**")
        assert [case.find(part) for part in parts] == sorted(max(case.find(part), 0) for part in parts), case[:40]


def test_each_answer_of_the_tour_is_the_beginning_of_an_example() -> None:
    shown = re.findall(r"<!-- answer: (\w+) -->\n\n```text\n(.*?)\n```", TOUR, re.DOTALL)
    assert len(shown) >= 6
    for name, answer in shown:
        examples = [path.read_text(encoding="utf-8") for each in FOLDERS for path in (ROOT / each).glob(f"{name}.md")]
        assert len(examples) == 1
        assert f"```text\n{answer}\n" in examples[0]
        assert answer.splitlines()[1].startswith(("Run ", "By hand"))


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("message", "User: x is not authorized"),
        ("first lines", "HIGH: one\nRun in account 111111111111, us-east-1: aws two\nPod three"),
        ("answer", "HIGH: one\nRun in account 111111111111, us-east-1: aws two\nPod three\n\nCause      four"),
    ],
)
def test_what_is_shown_of_an_example(tmp_path: Path, part: str, text: str) -> None:
    (tmp_path / FOLDERS[1]).mkdir(parents=True)
    (tmp_path / FOLDERS[1] / "some.md").write_text(EXAMPLE)
    page = f"before\n<!-- {part}: some -->\nstale\n<!-- end -->\nafter\n"
    assert update_page(page, tmp_path) == (
        f"before\n<!-- {part}: some -->\n\n```text\n{text}\n```\n\n<!-- end -->\nafter\n"
    )


def test_an_example_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(GenerateError, match=r"^docs/causes/examples and docs/site/tour have no other\.md, which"):
        update_page("<!-- answer: other -->\n<!-- end -->\n", tmp_path)


def test_an_example_without_an_answer_is_named(tmp_path: Path) -> None:
    (tmp_path / FOLDERS[0]).mkdir(parents=True)
    (tmp_path / FOLDERS[0] / "some.md").write_text(EXAMPLE.partition("`pull-responder")[0])
    with pytest.raises(GenerateError, match=r"^docs/causes/examples/some\.md: is not a message and an answer"):
        update_page("<!-- message: some -->\n<!-- end -->\n", tmp_path)
