"""A page for each cause, from the check itself, its example, its messages, and its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import jinja2

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check
from pull_responder.generate.cause_fixes import fix_of
from pull_responder.generate.cause_messages import Messages, Samples
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
## Messages people see

{{ messages }}
## About it

{{ text }}

More: <{{ check.docs_url }}>

## The fix

The names are those of the example. What Pull Responder prints has yours.

CDK and Terraform show the resource as it should be. If your code declares it already, change it there: a second one
beside it fails, or takes the place of the first.

{{ fix }}

## When it is examined

{{ when }}
<details>
<summary>What it reads</summary>

{{ reads }}

</details>
"""

_INDEX = """\
# Causes

Every cause that Pull Responder names. `make generate` writes the pages from the checks and `docs/causes/fixes`, `make
examples` their examples from the test estates.

| cause | severity | the fault | what it cannot see |
|---|---|---|---|
{% for check in checks -%}
| [{{ check.id }}]({{ check.id }}.md) | {{ check.severity }} | {{ check.title }} | {{ limits[check.id] }} |
{% endfor -%}
"""

# The pages are Markdown, not HTML, and hold nothing but the project's own words.
_TEMPLATES = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)  # noqa: S701


def pages(root: Path) -> dict[str, str]:
    """Return the text of each page by its file name.

    The repository at `root` has for each cause an example in docs/causes/examples, a failure and its finding, and a fix
    in docs/causes/fixes. GenerateError names a cause that lacks one of them, or that does not say what it cannot see.
    """
    cause = _TEMPLATES.from_string(_CAUSE)
    limits = {check.id: limits_of(check) for check in CHECKS}
    parts = {check.id: (_example(check, root), fix_of(check.id, root).text) for check in CHECKS}
    samples = Samples(root)
    texts = {f"{check.id}.md": _page(cause, check, *parts[check.id], samples.of(check)) for check in CHECKS}
    texts["README.md"] = _TEMPLATES.from_string(_INDEX).render(
        checks=sorted(CHECKS, key=lambda check: check.id), limits=limits
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


def _example(check: Check, root: Path) -> str:
    name = f"docs/causes/examples/{check.id}.md"
    example = root / name
    if not example.exists():
        raise GenerateError(
            f"{name}: is missing: have one of the tests of {check.id} call the fixture `example`, and run `make "
            "examples`"
        )
    return example.read_text(encoding="utf-8")


def _page(template: jinja2.Template, check: Check, example: str, fix: str, messages: Messages) -> str:
    return template.render(
        check=check,
        example=example,
        messages=_messages(messages),
        # The first line of a check's docstring is its title in other words; the page has its own.
        text=check.description.partition("\n")[2].strip(),
        fix=fix,
        when=_when(check),
        reads=", ".join(f"`{permission}`" for permission in sorted(set(check.permissions))) or "Nothing by itself.",
    )


def _messages(messages: Messages) -> str:
    """Show the messages. Most can mean other causes too, which `explain` lists."""
    parts = []
    if messages.of_kubelet:
        words = "The pod's events say one of these. `pull-responder explain` lists what else each can mean."
        parts.append(f"{words}\n\n{_block(messages.of_kubelet)}")
    if messages.of_aws:
        parts.append(f"CloudTrail's record of the refused call says:\n\n{_block(messages.of_aws)}")
    return "\n".join(parts) or "None: no single message means it.\n"


def _block(lines: tuple[str, ...]) -> str:
    return "```text\n" + "".join(f"{line}\n" for line in lines) + "```\n"


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
