"""Reads every page of a listing."""

from __future__ import annotations

from typing import Any, Final

# More pages than any of our listings can have. A listing without an end must not hold up a diagnosis.
_MAX_PAGES: Final = 100


def pages(client: Any, operation: str, key: str, **arguments: object) -> list[Any]:  # noqa: ANN401 -- one of boto3's generated clients
    """Return the items under `key` of every page of `operation`, for which boto3 must have a paginator."""
    items: list[Any] = []
    for number, page in enumerate(client.get_paginator(operation).paginate(**arguments)):
        items.extend(page.get(key, []))
        if number >= _MAX_PAGES:
            break
    return items
