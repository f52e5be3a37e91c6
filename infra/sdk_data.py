"""The data of the AWS SDK in the layer: that of the services which the functions call, and no other.

The SDK is driven by data. botocore has a folder for each of AWS's services, more than four hundred of them.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Final

from infra.permissions import PERMISSIONS_FILE

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

# The code that looks them up is in botocore.loaders and boto3.session. They are no services' data.
_OF_ALL_SERVICES: Final = frozenset(
    {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}
)


def read_services(path: Path = PERMISSIONS_FILE) -> tuple[str, ...]:
    """Return the services that the functions call, by boto3's names, sorted.

    They are the prefixes of the permissions that the functions declare: pull_responder.facts.reader makes its clients
    from these, and names a service by boto3's name.
    """
    declared = json.loads(path.read_text())
    actions = (action for purposes in declared.values() for each in purposes.values() for action in each)
    return tuple(sorted({action.partition(":")[0] for action in actions}))


def cut_sdk_data(packages: Path, services: Collection[str]) -> None:
    """Delete from boto3 and botocore in the folder `packages` the data of all services other than `services`.

    Of a service only its newest API version stays, which is the one that clients take, without the examples. The data
    in boto3 is that of its resources, which nothing uses. Raises FileNotFoundError when botocore has no data of a
    service.
    """
    shutil.rmtree(packages / "boto3" / "data", ignore_errors=True)
    shutil.rmtree(packages / "boto3" / "examples", ignore_errors=True)
    data = packages / "botocore" / "data"
    if missing := [service for service in services if not (data / service).is_dir()]:
        raise FileNotFoundError(f"botocore has no data of {', '.join(missing)}")
    for each in data.iterdir():
        if each.name in services:
            _cut_versions(each)
        elif each.name not in _OF_ALL_SERVICES:
            shutil.rmtree(each)


def _cut_versions(service: Path) -> None:
    *older, newest = sorted(service.iterdir())
    for version in older:
        shutil.rmtree(version)
    for examples in newest.glob("examples-*"):
        examples.unlink()
