"""Reads every page of a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.answers import EndlessListingError, IncompleteAnswerError, may_omit_lists

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_PAGES: Final = 100
"""More pages than any of our listings can have. A listing without an end must not hold up a diagnosis."""

# Without a page size EC2 lists everything at once, which a large account can make longer than a read may take. With
# ids in the request, some operations refuse a page size (Amazon EC2 API Reference, "MaxResults" of each operation).
_EC2_PAGE: Final = 500
_EC2_SMALLER_PAGES: Final = {
    "describe_egress_only_internet_gateways": 255,
    "describe_route_tables": 100,
    "get_managed_prefix_list_entries": 100,
}


def pages(client: Any, operation: str, key: str, **arguments: object) -> list[Any]:  # noqa: ANN401 -- one of boto3's generated clients
    """Return the items under `key` of every page of `operation`, for which boto3 must have a paginator.

    Raises IncompleteAnswerError for a page without its list, EndlessListingError for more than MAX_PAGES pages.
    """
    items: list[Any] = []
    paginator = client.get_paginator(operation)
    for number, page in enumerate(paginator.paginate(**_with_page_size(client, operation, arguments)), 1):
        if number > MAX_PAGES:
            raise EndlessListingError(pages=MAX_PAGES)
        if key not in page and not may_omit_lists(client.meta.service_model, page):
            raise IncompleteAnswerError(missing=key)
        items.extend(page.get(key, []))
    return items


def _with_page_size(client: Any, operation: str, arguments: Mapping[str, object]) -> dict[str, Any]:  # noqa: ANN401 -- one of boto3's generated clients
    by_id = any(name.endswith("Ids") for name in arguments)
    if client.meta.service_model.service_name != "ec2" or by_id or "PaginationConfig" in arguments:
        return dict(arguments)
    size = _EC2_SMALLER_PAGES.get(operation, _EC2_PAGE)
    return {**arguments, "PaginationConfig": {"PageSize": size}}
