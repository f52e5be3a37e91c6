"""What boto3 makes anew for each session and client is kept here: most of the time of tests went into making it.

Nothing of it depends on who calls: service models, the methods that clients get from them, rules for endpoints, and
names of events.
"""
# ruff: noqa: ANN401 -- botocore's own objects, which have no types

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.client
import botocore.hooks
import botocore.httpsession
import botocore.regions
import botocore.session
import botocore.useragent

if TYPE_CHECKING:
    import pytest


def keep(patch: pytest.MonkeyPatch) -> None:
    """Have botocore in this process keep what it makes, as long as `patch` lasts."""
    creator: Any = botocore.client.ClientCreator
    modules: Any = botocore
    load, methods = creator._load_service_model, creator._create_methods
    provider, accepts_kwargs = modules.regions.EndpointProvider, modules.hooks.accepts_kwargs
    models: dict[Any, Any] = {}
    made: dict[Any, Any] = {}
    providers: dict[Any, Any] = {}
    names: dict[str, str] = {}
    aliaser = modules.hooks.EventAliaser
    init = aliaser.__init__

    def load_model(self: Any, service: str, api_version: str | None = None) -> Any:
        key = self._loader, service, api_version
        if key not in models:
            models[key] = load(self, service, api_version)
        return models[key]

    def create_methods(self: Any, model: Any) -> Any:
        if model not in made:
            made[model] = methods(self, model)
        # Each client class gets more than these.
        return dict(made[model])

    def provide(ruleset_data: Any, partition_data: Any, excluded_params: Any = None) -> Any:
        key = id(ruleset_data), id(partition_data)
        if key not in providers:
            # Both are kept, so that no others come to have their ids.
            kept = provider(ruleset_data, partition_data, excluded_params)
            providers[key] = kept, ruleset_data, partition_data
        return providers[key][0]

    def takes_keywords(function: Any) -> Any:
        code = getattr(function, "__code__", None)
        return code.co_flags & inspect.CO_VARKEYWORDS if code else accepts_kwargs(function)

    def know_names(self: Any, *arguments: Any, **more: Any) -> None:
        init(self, *arguments, **more)
        if self._event_aliases == modules.hooks.EVENT_ALIASES:
            self._alias_name_cache = names

    patch.setattr(aliaser, "__init__", know_names)
    patch.setattr(modules.hooks._PrefixTrie, "_recursive_copy", _copy_handlers)
    # What the emulators serve is not encrypted.
    patch.setattr(modules.httpsession, "create_urllib3_context", cache(modules.httpsession.create_urllib3_context))
    patch.setattr(botocore.session, "create_loader", cache(modules.loaders.create_loader))
    patch.setattr(creator, "_load_service_model", load_model)
    patch.setattr(creator, "_create_methods", create_methods)
    patch.setattr(modules.regions, "EndpointProvider", provide)
    patch.setattr(modules.hooks, "accepts_kwargs", takes_keywords)
    # A pure function, called for each word of each request's user agent, letter by letter.
    clean = modules.useragent.sanitize_user_agent_string_component
    patch.setattr(modules.useragent, "sanitize_user_agent_string_component", cache(clean))


def _copy_handlers(trie: Any, node: dict[str, Any]) -> dict[str, Any]:
    """Copy as botocore does, without asking the module copy for each list how that is copied."""
    lists: Any = botocore.hooks.NodeList
    copied = dict(node)
    for key, value in node.items():
        if type(value) is dict:
            copied[key] = _copy_handlers(trie, value)
        elif type(value) is lists:
            copied[key] = lists(*map(list, value))
    return copied
