"""The DynamoDB table of findings and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb

if TYPE_CHECKING:
    from constructs import Construct

_DUE_INDEX: Final = "due"


class FindingsTable(dynamodb.TableV2):
    """One item for each finding and each problem, by its `id`.

    - `expires_at`: when DynamoDB deletes the item, in seconds since 1970
    - `queue` and `look_at`: the keys of the index `due`, which lists the items to look at again, the most overdue
      first. `look_at` is in seconds since 1970. The index has the keys only.

    The table stays when the stack is deleted, because nothing else records which findings were notified. Nobody can
    delete it before its deletion protection is off (docs/operations.md, "To remove it").
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=_DUE_INDEX,
                    partition_key=dynamodb.Attribute(name="queue", type=dynamodb.AttributeType.STRING),
                    sort_key=dynamodb.Attribute(name="look_at", type=dynamodb.AttributeType.NUMBER),
                    projection_type=dynamodb.ProjectionType.KEYS_ONLY,
                )
            ],
            billing=dynamodb.Billing.on_demand(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            deletion_protection=True,
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )

    @property
    def due_index_arn(self) -> str:
        """The ARN of the index `due`."""
        return f"{self.table_arn}/index/{_DUE_INDEX}"
