"""What the release before deploys, so that tests can upgrade from it and roll back to it.

`python -m tests.releases` wrote its template and the code of its functions from a checkout of that release.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

RELEASES: Final = Path(__file__).parent
KEPT: Final = RELEASES / "0.2.0"
# The template's settings beside the defaults: an audit log is read, and no finding is held before it is resolved.
CLUSTER: Final = "upgraded"
HELD_MINUTES: Final = 0
# What of this release's layer is that release's: the same packages of the same versions.
LAYER_PARTS: Final = (
    "python/aws_lambda_powertools",
    "python/dacite",
    "python/jmespath",
    "python/typing_extensions.py",
)


def read_template() -> dict[str, Any]:
    """Return the template of the release before."""
    template: dict[str, Any] = json.loads((KEPT / "template.json").read_text())
    return template


def package_keys(template: dict[str, Any]) -> tuple[str, str]:
    """Return the keys in the bucket under which a template has the functions' code, and their layer."""
    every = [each.get("Properties", {}) for each in template["Resources"].values()]
    code = {each["Code"]["S3Key"] for each in every if "Code" in each}
    layers = {each["Content"]["S3Key"] for each in every if "Content" in each}
    return code.pop(), layers.pop()
