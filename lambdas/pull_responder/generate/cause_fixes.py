"""How each cause is fixed and prevented, from the files in docs/causes/fixes, which people write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pull_responder.generate.error import GenerateError

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = "docs/causes/fixes"

NOT_APPLICABLE: Final = "Does not apply: "
"""How a section begins that has no code. The reason follows, in one line."""

LANGUAGES: Final = {
    "### In the console": None,
    "### AWS CLI": "sh",
    "### CDK": "python",
    "### Terraform": "terraform",
    "## How to prevent it": None,
}
"""The sections of a file in their order, each with the language of its code where it has to have some."""


class Fix(NamedTuple):
    """How one cause is fixed and prevented.

    - `text` is the whole file.
    - `code` holds the code of each language, in the order of the file. A language that does not apply is left out.
    """

    text: str
    code: dict[str, tuple[str, ...]]


def fix_of(cause: str, root: Path) -> Fix:
    """Return the fix of `cause`, from the repository at `root`.

    Raises GenerateError with the file's name where it is missing or lacks a section, and where a section is empty,
    lacks its code or has no reason for lacking it.
    """
    name = f"{FOLDER}/{cause}.md"
    path = root / name
    if not path.exists():
        raise GenerateError(
            f"{name}: is missing: write how {cause} is fixed and prevented; docs/adding-a-cause.md shows such a file"
        )
    text = path.read_text(encoding="utf-8").strip()
    sections = _sections(text)
    if list(sections) != list(LANGUAGES):
        lacking = [f'"{heading}"' for heading in LANGUAGES if heading not in sections]
        wrong = f"lacks the section {', '.join(lacking)}" if lacking else "has other sections, or another order"
        raise GenerateError(f"{name}: {wrong}: it has to have {', '.join(LANGUAGES)}")
    code = {}
    for heading, language in LANGUAGES.items():
        section = sections[heading]
        if not section:
            raise GenerateError(f'{name}: its section "{heading}" is empty')
        if section.startswith(NOT_APPLICABLE):
            continue
        if language and not (blocks := _blocks(section, language)):
            raise GenerateError(
                f'{name}: its section "{heading}" has neither a block of code that begins with ```{language} nor the '
                f'words "{NOT_APPLICABLE}…" with a reason'
            )
        if language:
            code[language] = blocks
    return Fix(text, code)


def _sections(text: str) -> dict[str, str]:
    """Return the text of each section by its heading. What stands before the first one is no section."""
    sections: dict[str, list[str]] = {}
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            lines = sections.setdefault(line, [])
        else:
            lines.append(line)
    return {heading: "\n".join(lines).strip() for heading, lines in sections.items()}


def _blocks(section: str, language: str) -> tuple[str, ...]:
    """Return the code of each block of `language`."""
    _, *fenced = f"\n{section}\n".split(f"\n```{language}\n")
    return tuple(block.partition("\n```\n")[0] + "\n" for block in fenced)
