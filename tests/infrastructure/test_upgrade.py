"""An upgrade from the release before keeps what holds data, waits, or is known elsewhere."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]  # it has no types

from tests.releases import read_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.infrastructure.conftest import Synthesized

    Template = dict[str, Any]

# The table has what people were told of, the queues what is in flight. Subscribers know the topic, and other accounts
# trust the roles. The key is needed to read what is in the topic, and the logs say what happened.
KEPT: Final = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)


def lost(before: Template, after: Template) -> Iterator[str]:
    """Yield what CloudFormation deletes or replaces, of the types in KEPT, when `after` is deployed over `before`."""
    for name, old in before["Resources"].items():
        if old["Type"] not in KEPT:
            continue
        new = after["Resources"].get(name, {})
        if new.get("Type") != old["Type"]:
            yield name
            continue
        for key in fixed(old["Type"]):
            if old.get("Properties", {}).get(key) != new.get("Properties", {}).get(key):
                yield f"{name}.{key}"


def fixed(resource_type: str) -> list[str]:
    """Return the properties that cannot change without a replacement, by CloudFormation's schema of the type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    paths = [*schema.get("createOnlyProperties", ()), *schema.get("conditionalCreateOnlyProperties", ())]
    return [each.removeprefix("/properties/").partition("/")[0] for each in paths]


def test_nothing_is_lost(subscribed: Synthesized) -> None:
    before = read_template()
    assert {each["Type"] for each in before["Resources"].values()}.issuperset(KEPT)
    assert list(lost(before, subscribed.template)) == []


def renamed(template: Template) -> None:
    template["Resources"]["FindingsOther"] = template["Resources"].pop("Findings172CF60E")


def keyed_otherwise(template: Template) -> None:
    template["Resources"]["Findings172CF60E"]["Properties"]["KeySchema"][0]["AttributeName"] = "other"


def named(template: Template) -> None:
    template["Resources"]["EventsQueue7396B467"]["Properties"]["QueueName"] = "events"


def protected(template: Template) -> None:
    """No replacement: deletion protection is updated in place."""
    template["Resources"]["Findings172CF60E"]["Properties"]["Replicas"][0]["DeletionProtectionEnabled"] = False


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (renamed, ["Findings172CF60E"]),
        (keyed_otherwise, ["Findings172CF60E.KeySchema"]),
        (named, ["EventsQueue7396B467.QueueName"]),
        (protected, []),
    ],
)
def test_a_replacement_is_seen(
    change: Callable[[Template], None], expected: list[str], subscribed: Synthesized
) -> None:
    changed = deepcopy(subscribed.template)
    change(changed)
    assert list(lost(read_template(), changed)) == expected
