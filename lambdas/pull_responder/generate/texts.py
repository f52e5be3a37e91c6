"""All files that are written from the code, as they should be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder import permissions
from pull_responder.generate import answers, cause_list, cause_pages, known, notification_examples
from pull_responder.generate.error import GenerateError

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN: Final = 3


def texts(root: Path, *, scopes: frozenset[str]) -> dict[str, str]:
    """Return the text of each file by its path in the repository at `root`.

    `scopes` are the actions that the stack can grant. Raises GenerateError for a declared action that is not among
    them, for a cause without an example or a fix, and for a README without a place for the causes.
    """
    _check_scopes(scopes)
    readme = "README.md"
    return {
        readme: answers.update_page(cause_list.update_readme((root / readme).read_text(encoding="utf-8")), root),
        **{
            name: notification_examples.update_page((root / name).read_text(encoding="utf-8"), name=name)
            for name in notification_examples.PAGES
        },
        **{name: answers.update_page((root / name).read_text(encoding="utf-8"), root) for name in answers.PAGES},
        known.FILE: known.known_causes(),
        "infra/permissions.json": json.dumps(permissions.declared_permissions(), indent=2) + "\n",
        **{f"docs/causes/{name}": text for name, text in cause_pages.pages(root).items()},
    }


def _check_scopes(scopes: frozenset[str]) -> None:
    for action, files in permissions.files_by_action().items():
        if action not in scopes:
            named = ", ".join(files[:_SHOWN]) + (f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else "")
            raise GenerateError(
                f"infra/permissions.py: SCOPES lacks {action}, which {named} {'declare' if files[1:] else 'declares'}: "
                f'add "{action}": Scope(...) with the narrowest resource that AWS defines'
            )
