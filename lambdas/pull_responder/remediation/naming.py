"""Names of statements for the summaries of fixes: who edits a policy of twenty statements needs to know which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.quoting import quote

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MOST: Final = 3
_SID: Final = 40


def the_deny(document: Mapping[str, Any], statements: Collection[int]) -> str:
    """Return what to call the Deny statements at the indexes `statements`, as in `the Deny "NoPull"`.

    A statement without a Sid is called by its index from 0, as AWS's own messages do. Of a long Sid only the beginning
    is shown. Without indexes it is "the Deny".
    """
    listed = document.get("Statement", [])
    every = listed if isinstance(listed, list) else [listed]
    names = [_name(every[index], index) for index in sorted(statements) if index < len(every)]
    if not names:
        return "the Deny"
    more = len(names) - _MOST
    shown = ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")
    return f"the Deny {shown}" if len(names) == 1 else f"the Deny statements {shown}"


def _name(statement: object, index: int) -> str:
    sid = statement.get("Sid") if isinstance(statement, dict) else None
    return quote(str(sid), _SID) if sid else f"Statement[{index}]"
