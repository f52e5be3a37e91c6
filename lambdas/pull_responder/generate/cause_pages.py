"""A page for each cause, from the check itself and its example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jinja2

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check
from pull_responder.generate.error import GenerateError
from pull_responder.model.pull import Stage, Symptom

if TYPE_CHECKING:
    from pathlib import Path

_LIMITS: Final = "What it cannot see:"

_CAUSE = """\
# {{ check.id }}

**{{ check.title }}.** Severity {{ check.severity }} ([by reach](../severity.md)), on
`{{ check.resource_type }}`. GeneratorId in Security Hub:
`pull-responder/{{ check.id }}`.

## Example

{{ example }}
## About it

{{ text }}

More: <{{ check.docs_url }}>

## When it is examined

{{ when }}
<details>
<summary>What it reads</summary>

{{ reads }}

</details>
"""

_INDEX = """\
# Causes

Every cause that Pull Responder names. The pages are written from the checks by `make generate`, their examples from the
test estates by `make examples`.

| cause | severity | the fault | what it cannot see |
|---|---|---|---|
{% for check in checks -%}
| [{{ check.id }}]({{ check.id }}.md) | {{ check.severity }} | {{ check.title }} | {{ limits[check.id] }} |
{% endfor -%}
"""

# The pages are Markdown, not HTML, and hold nothing but the project's own words.
_TEMPLATES = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)  # noqa: S701


def pages(examples: Path) -> dict[str, str]:
    """Return the text of each page by its file name.

    `examples` is the folder with a failure and its finding for each cause. GenerateError names a cause that has none,
    or that does not say what it cannot see.
    """
    cause = _TEMPLATES.from_string(_CAUSE)
    texts = {f"{check.id}.md": _page(cause, check, examples) for check in CHECKS}
    texts["README.md"] = _TEMPLATES.from_string(_INDEX).render(
        checks=sorted(CHECKS, key=lambda check: check.id), limits={check.id: limits_of(check) for check in CHECKS}
    )
    return texts


def limits_of(check: Check) -> str:
    """Return what the check cannot see, from its docstring, as one line that fits into a table.

    Raises GenerateError with the file's name if the docstring does not say it.
    """
    for paragraph in check.description.split("\n\n"):
        if paragraph.startswith(_LIMITS):
            text = " ".join(paragraph.removeprefix(_LIMITS).split()).replace("|", "\\|")
            if text:
                return text[0].upper() + text[1:]
    raise GenerateError(
        f'lambdas/pull_responder/checks/{check.id}.py: its docstring lacks a paragraph "{_LIMITS} …", which says what '
        "AWS does not show to this check"
    )


def _page(template: jinja2.Template, check: Check, examples: Path) -> str:
    example = examples / f"{check.id}.md"
    if not example.exists():
        raise GenerateError(
            f"docs/causes/examples/{check.id}.md: is missing: have one of the tests of {check.id} call the fixture "
            "`example`, and run `make examples`"
        )
    return template.render(
        check=check,
        example=example.read_text(encoding="utf-8"),
        # The first line of a check's docstring is its title in other words; the page has its own.
        text=check.description.partition("\n")[2].strip(),
        when=_when(check),
        reads=", ".join(f"`{permission}`" for permission in sorted(set(check.permissions))) or "Nothing by itself.",
    )


def _when(check: Check) -> str:
    """Say at which symptoms the check is examined, and what it can explain."""
    lines = [f"`{each.symptom}`{_stages(each.stages)}: it can be what the message means." for each in check.explains]
    if beside := check.also_at - {each.symptom for each in check.explains}:
        why = "it is not what such a message means, but can be a second fault, which stops the next pull."
        if not check.for_nodes:
            why = "it asks who was refused. No message of kubelet means it."
        lines.append(f"{_list_symptoms(beside)}: {why}")
    if not lines:
        lines.append("At no symptom: no single failure shows it.")
    if check.by_words:
        lines.append("kubelet's words alone can establish it.")
    if check.ecr_public:
        lines.append(f"Pulls from Amazon ECR Public, at {_list_symptoms(check.ecr_public)}.")
    return "".join(f"- {line}\n" for line in lines)


def _list_symptoms(symptoms: frozenset[Symptom]) -> str:
    return ", ".join(f"`{symptom}`" for symptom in sorted(symptoms))


def _stages(stages: frozenset[Stage | None]) -> str:
    if stages >= {*Stage, None}:
        return ""
    named = [f"`{stage}`" for stage in Stage if stage in stages]
    return f" at stage {', '.join(named)}{' or none' if None in stages else ''}"
