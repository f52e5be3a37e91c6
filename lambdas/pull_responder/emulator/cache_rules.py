"""Pull through cache rules and creation templates for moto 5.2.5, which answers 500 where ECR lists them.

Here the lists are empty.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any


def apply() -> None:
    """Patch moto in this process. Call it before moto's server starts."""
    responses: Any = import_module("moto.ecr.responses").ECRResponse
    responses.describe_pull_through_cache_rules = lambda _: json.dumps({"pullThroughCacheRules": []})
    responses.describe_repository_creation_templates = lambda _: json.dumps({"repositoryCreationTemplates": []})
