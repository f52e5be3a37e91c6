"""The data of the AWS SDK in the layer: what the functions call, and nothing else.

The SDK is driven by data. botocore has a folder for each of AWS's services, more than four hundred of them, with a
model of all operations. To make a client, it parses the model of its service and makes a method for each operation: of
EC2, that is eight hundred. With models that are cut to the operations that are called, it makes clients several times
faster.
"""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING, Any, Final

from infra.permissions import PERMISSIONS_FILE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

# The code that looks them up is in botocore.loaders and boto3.session. They are no services' data.
_OF_ALL_SERVICES: Final = frozenset(
    {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}
)
# Operations that are called and have no permission of their name. STS tells everybody who they are; several messages
# are sent with the permission of one (Amazon SQS Developer Guide, "Amazon SQS API permissions").
_WITHOUT_PERMISSION: Final = {"sqs": ("SendMessageBatch",), "sts": ("GetCallerIdentity",)}

_MODEL: Final = "service-2.json.gz"
# Bytes. What is larger are rules for endpoints, of S3 a megabyte: packed, a tenth to a fiftieth of that is left.
_MOST_UNPACKED: Final = 8_000


def read_operations(path: Path = PERMISSIONS_FILE) -> dict[str, tuple[str, ...]]:
    """Return the operations that the functions call, sorted, by their services, which have boto3's names.

    They are the permissions that the functions declare: pull_responder.facts.reader makes its clients from these, and
    names a service by boto3's name.
    """
    declared = json.loads(path.read_text())
    actions = {action for purposes in declared.values() for each in purposes.values() for action in each}
    called = {service: set(operations) for service, operations in _WITHOUT_PERMISSION.items()}
    for action in actions:
        service, _, operation = action.partition(":")
        called.setdefault(service, set()).add(operation)
    return {service: tuple(sorted(called[service])) for service in sorted(called)}


def cut_sdk_data(packages: Path, operations: Mapping[str, Collection[str]]) -> None:
    """Delete from boto3 and botocore in the folder `packages` the data of all that is not in `operations`.

    `operations` are those that stay, by services. Of a service only its newest API version stays, which is the one that
    clients take. What stays is not compressed, but for what is large: the SDK reads it in either form, and so more
    quickly. The data in boto3 is that of its resources, which nothing uses. Raises LookupError when botocore does not
    know a service or an operation.
    """
    shutil.rmtree(packages / "boto3" / "data", ignore_errors=True)
    shutil.rmtree(packages / "boto3" / "examples", ignore_errors=True)
    data = packages / "botocore" / "data"
    if missing := [service for service in operations if not (data / service).is_dir()]:
        raise LookupError(f"botocore has no data of {', '.join(missing)}")
    for each in data.iterdir():
        if each.name not in (*operations, *_OF_ALL_SERVICES):
            shutil.rmtree(each)
    prefixes = {_cut_service(data / service, kept) for service, kept in operations.items()}
    _cut_endpoints(data / "endpoints.json", prefixes)


def _cut_service(service: Path, operations: Collection[str]) -> str:
    """Cut the data of one service. Return what botocore's list of endpoints calls it."""
    *older, newest = sorted(service.iterdir())
    for version in older:
        shutil.rmtree(version)
    for unused in (*newest.glob("examples-*"), *newest.glob("waiters-*")):
        unused.unlink()
    for packed in newest.glob("*.json.gz"):
        content = gzip.decompress(packed.read_bytes())
        if packed.name == _MODEL or len(content) <= _MOST_UNPACKED:
            packed.with_suffix("").write_bytes(content)
            packed.unlink()
    model = newest / "service-2.json"
    cut = cut_model(json.loads(model.read_text()), operations)
    _write(model, cut)
    prefix: str = cut["metadata"]["endpointPrefix"]
    return prefix


def cut_model(model: Mapping[str, Any], operations: Collection[str]) -> dict[str, Any]:
    """Return a service's model with `operations`, the shapes that they and the service's errors have, and no prose.

    An operation by which a service tells its endpoints stays, too. Raises LookupError for an operation that the model
    lacks.
    """
    if missing := sorted(set(operations) - set(model["operations"])):
        raise LookupError(f"{model['metadata']['serviceId']} has no operation {', '.join(missing)}")
    kept = {
        name: each for name, each in model["operations"].items() if name in operations or each.get("endpointoperation")
    }
    shapes: dict[str, Any] = model["shapes"]
    errors = {name for name, shape in shapes.items() if shape.get("exception")}
    found: set[str] = set()
    waiting = errors | _names_of_shapes(kept)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= _names_of_shapes(shapes[name]) - found
    left = {**model, "operations": kept, "shapes": {name: shapes[name] for name in shapes if name in found}}
    cut: dict[str, Any] = _without_prose(left)
    return cut


def _names_of_shapes(part: Any) -> set[str]:  # noqa: ANN401 -- JSON
    """Return the shapes to which a part of a model refers, as {"shape": name}."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    named = part.get("shape") if isinstance(part, dict) else None
    # A member can be called "shape", too. Then it is itself such a reference.
    own = {named} if isinstance(named, str) else set()
    return own.union(*map(_names_of_shapes, inner))


def _without_prose(part: Any) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(part, dict):
        # A member can be called "documentation", too, and is no text.
        is_prose = {name: name == "documentation" and isinstance(each, str) for name, each in part.items()}
        return {name: _without_prose(each) for name, each in part.items() if not is_prose[name]}
    return [_without_prose(each) for each in part] if isinstance(part, list) else part


def _cut_endpoints(path: Path, prefixes: Collection[str]) -> None:
    endpoints = json.loads(path.read_text())
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in prefixes}
    _write(path, endpoints)


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")))
