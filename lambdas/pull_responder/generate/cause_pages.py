"""A page for each cause, from the check itself."""

from __future__ import annotations

import jinja2

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check

_CAUSE = """\
# {{ check.id }}

**{{ check.title }}.** Severity {{ check.severity }}, on `{{ check.resource_type }}`. GeneratorId in Security Hub:
`pull-responder/{{ check.id }}`.

{{ text }}

## What it reads

{% for permission in permissions -%}
- `{{ permission }}`
{% endfor %}
More: <{{ check.docs_url }}>
"""

_INDEX = """\
# Causes

Every cause that Pull Responder names. The pages are written from the checks by `make generate`.

| cause | severity | the fault |
|---|---|---|
{% for check in checks -%}
| [{{ check.id }}]({{ check.id }}.md) | {{ check.severity }} | {{ check.title }} |
{% endfor -%}
"""

# The pages are Markdown, not HTML, and hold nothing but the project's own words.
_TEMPLATES = jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined)  # noqa: S701


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    cause = _TEMPLATES.from_string(_CAUSE)
    texts = {f"{check.id}.md": _page(cause, check) for check in CHECKS}
    texts["README.md"] = _TEMPLATES.from_string(_INDEX).render(checks=sorted(CHECKS, key=lambda check: check.id))
    return texts


def _page(template: jinja2.Template, check: Check) -> str:
    # The first line of a check's docstring is its title in other words; the page has its own.
    text = check.description.partition("\n")[2].strip()
    return template.render(check=check, text=text, permissions=sorted(set(check.permissions)))
