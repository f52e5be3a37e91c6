"""What the site shows of the repository beside docs/: files of the root that pages link to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

_ROOT: Final = Path(__file__).parents[2]
# Files of the root that are pages of the site.
_PAGES: Final = ("CHANGELOG.md", "SECURITY.md")
_FROM_DOCS: Final = re.compile(rf"\]\(\.\./({'|'.join(map(re.escape, _PAGES))})")
_FROM_ROOT: Final = re.compile(r"\]\(docs/")
# Links from pages to what is in the repository alone: on the site they are names.
_TO_REPOSITORY: Final = re.compile(r"\[([^\]]+)\]\((?:\.\./recipes|infra|(?:causes/)?(?:fixes|examples))(?:/[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the root."""
    for name in _PAGES:
        files.append(File.generated(config, name, content=(_ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 -- mkdocs names them
    """Return the page with links as they are on the site."""
    markdown = _TO_REPOSITORY.sub(r"`\1`", _FROM_DOCS.sub(r"](\1", markdown))
    return _FROM_ROOT.sub("](", markdown) if page.file.src_uri in _PAGES else markdown
