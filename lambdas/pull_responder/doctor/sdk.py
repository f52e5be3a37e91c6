"""Which version of the AWS SDK the functions have, and which one reads here.

The SDK knows services and regions. Where the versions differ, the terminal and the functions may know different ones.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, unread, works

if TYPE_CHECKING:
    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

_ID: Final = "sdk"
# The template says it: infra/dependency_layer.py.
_PERMISSIONS: Final = ("cloudformation:GetTemplate",)
_VERSION: Final = re.compile(r"boto3 ([0-9]+(?:\.[0-9]+){1,3})\b")


def _examine(deployment: Deployment, _: Reader) -> list[Result]:
    subject = "the AWS SDK of the functions"
    if deployment.template:
        return [unread(_ID, subject, deployment.template, "Which version the functions have is not known")]
    layers = deployment.of_kind("AWS::Lambda::LayerVersion")
    told = [found[1] for each in layers if (found := _VERSION.search(str(each.properties.get("Description", ""))))]
    # Layers of versions before this one do not tell.
    return [works(_ID, subject, f"boto3 {each}; here it is {version('boto3')}") for each in told]


CHECK: Final = Examination(_ID, "the version of the AWS SDK", _PERMISSIONS, _examine)
