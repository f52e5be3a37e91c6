"""A key, as KMS returns it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.arn import Arn
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = ("kms:DescribeKey",)


@dataclass(frozen=True, slots=True)
class Key:
    """A key. `aws_managed` says that AWS manages it.

    `state` is KMS's value ("Enabled", "Disabled", "PendingDeletion", ...).
    """

    arn: Arn
    state: str
    aws_managed: bool


def read_key(reader: Reader, account: str, region: str, key: str) -> Key | Unread | None:
    """Return the key by its id, ARN or alias, None if there is none."""

    def request(client: Any) -> Key | Unread:  # noqa: ANN401 -- one of boto3's generated clients
        found = client.describe_key(KeyId=key)["KeyMetadata"]
        arn = Arn.parse(found.get("Arn", ""))
        if arn is None:
            return Unread(
                Reason(
                    f"kms:DescribeKey gave no ARN of {key}",
                    f"Run `aws kms describe-key --key-id {key}` in the registry's account.",
                )
            )
        return Key(arn, found.get("KeyState", ""), found.get("KeyManager") == "AWS")

    return reader.call(
        "kms:DescribeKey", account=account, region=region, request=request, absent=frozenset({"NotFoundException"})
    )
