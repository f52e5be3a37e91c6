"""The page of each cause shows how to fix and to prevent it, and a fix that is not whole is named by its file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pull_responder.checks import BY_ID, CHECKS
from pull_responder.generate.cause_fixes import FOLDER, fix_of
from pull_responder.generate.cause_pages import pages
from pull_responder.generate.error import GenerateError

if TYPE_CHECKING:
    from pull_responder.checks.check import Check

ROOT = Path(__file__).parents[3]
WHOLE = """\
### In the console

Choose **Save**.

### AWS CLI

```sh
# not a heading
aws ecr describe-registry
```

Then:

```sh
aws ecr describe-repositories
```

### CDK

Does not apply: CloudFormation has no resource of this.

### Terraform

```terraform
resource "a" "b" {}
```

## How to prevent it

Look.
"""


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    return pages(ROOT)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "made_up.md").write_text(WHOLE)
    return tmp_path


def change(root: Path, old: str, new: str) -> None:
    assert WHOLE.count(old) == 1
    (root / FOLDER / "made_up.md").write_text(WHOLE.replace(old, new))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_page_of_each_cause_has_its_fix(written: dict[str, str], check: Check) -> None:
    page = written[f"{check.id}.md"]
    parts = ["## Example", "## Messages people see", "## About it", "## The fix", "### In the console", "### AWS CLI"]
    parts += ["### CDK", "### Terraform", "## How to prevent it", "## When it is examined"]
    assert [page.index(f"\n{part}\n") for part in parts] == sorted(page.index(f"\n{part}\n") for part in parts)
    assert fix_of(check.id, ROOT).text in page


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_command_is_the_one_that_the_finding_prints(check: Check) -> None:
    example = (ROOT / "docs" / "causes" / "examples" / f"{check.id}.md").read_text(encoding="utf-8")
    shown = "".join(fix_of(check.id, ROOT).code.get("sh", ()))
    for operation in re.findall(r"\$ (aws \S+ \S+) ", example):
        assert f"\n{operation} " in f"\n{shown}", f"{FOLDER}/{check.id}.md: its AWS CLI does not show `{operation}`"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_step_in_a_console_has_its_page_of_aws(check: Check) -> None:
    console = fix_of(check.id, ROOT).text.partition("### AWS CLI")[0]
    assert "Does not apply: " in console or "https://docs.aws.amazon.com/" in console


def test_no_fix_is_left_of_a_cause_that_is_no_more() -> None:
    left = {path.stem for path in (ROOT / FOLDER).iterdir()} - BY_ID.keys()
    assert left == set(), f"{FOLDER} holds {left} of causes that are no more: delete them"


def test_accounts_are_made_up() -> None:
    for check in CHECKS:
        accounts = set(re.findall(r"\b\d{12}\b", fix_of(check.id, ROOT).text))
        assert accounts <= {"111111111111", "222222222222"}, check.id


def test_code_is_taken_by_its_language_and_what_does_not_apply_has_none(root: Path) -> None:
    assert fix_of("made_up", root).code == {
        "sh": ("# not a heading\naws ecr describe-registry\n", "aws ecr describe-repositories\n"),
        "terraform": ('resource "a" "b" {}\n',),
    }


def test_a_cause_without_a_fix_is_named(root: Path) -> None:
    with pytest.raises(GenerateError, match=r"^docs/causes/fixes/other\.md: is missing: write how other is fixed"):
        fix_of("other", root)


@pytest.mark.parametrize("heading", ["### In the console", "### AWS CLI", "### Terraform", "## How to prevent it"])
def test_a_section_that_is_missing_is_named(root: Path, heading: str) -> None:
    change(root, f"{heading}\n", "")
    with pytest.raises(GenerateError, match=f'^docs/causes/fixes/made_up.md: lacks the section "{heading}": it has'):
        fix_of("made_up", root)


def test_a_section_that_nobody_asked_for_is_named(root: Path) -> None:
    change(root, "Choose **Save**.", "Choose **Save**.\n\n### By chance\n\nWait.")
    with pytest.raises(GenerateError, match="has other sections, or another order"):
        fix_of("made_up", root)


def test_a_section_without_a_word_is_named(root: Path) -> None:
    change(root, "Look.", "")
    with pytest.raises(GenerateError, match='its section "## How to prevent it" is empty'):
        fix_of("made_up", root)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Does not apply: CloudFormation has no resource of this.", "Not possible."),
        ("Does not apply: CloudFormation has no resource of this.", "Does not apply:"),
        ("Does not apply: CloudFormation has no resource of this.", "```sh\ncdk deploy\n```"),
    ],
)
def test_a_section_without_its_code_and_without_a_reason_is_named(root: Path, old: str, new: str) -> None:
    change(root, old, new)
    with pytest.raises(GenerateError, match='its section "### CDK" has neither a block of code that begins with ```py'):
        fix_of("made_up", root)


def test_commands_leave_what_they_are_not_about() -> None:
    """A list, an encryption or a credential that nobody wanted to change is as before."""
    disk, token, cache = (
        "".join(fix_of(cause, ROOT).code["sh"])
        for cause in ("node_disk_full", "registry_token_expired", "pull_through_cache_failing")
    )
    assert '"Encrypted": true' in disk
    assert '"/imagePullSecrets/0"' in token, "the whole list holds secrets for other registries, too"
    assert "update-pull-through-cache-rule --ecr-repository-prefix quay" not in cache, "Quay takes no credential"


def test_commands_run_on_macos_as_well() -> None:
    for check in CHECKS:
        assert "--wrap" not in "".join(fix_of(check.id, ROOT).code.get("sh", ())), f"{check.id}: base64 of GNU alone"
