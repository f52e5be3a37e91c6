"""The DynamoDB table of findings and problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.escape_hatch import cfn_resource
from infra.settings import Settings

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms

_DUE_INDEX: Final = "due"


class FindingsTable(dynamodb.TableV2):
    """One item for each finding and each problem, by its `id`.

    - `expires_at`: when DynamoDB deletes the item, in seconds since 1970
    - `queue` and `look_at`: the keys of the index `due`, which lists the items to look at again, the most overdue
      first. `look_at` is in seconds since 1970. The index has the keys only.

    The table stays when the stack is deleted, because nothing else records which findings were notified. Nobody can
    delete it before its deletion protection is off (docs/operations.md, "To remove it"). With `settings.remove_data`,
    it is deleted with the stack.

    `key`, if not None, encrypts it, instead of a key that DynamoDB owns.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey | None = None) -> None:
        super().__init__(
            scope,
            construct_id,
            table_name=settings.table_name,
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
            deletion_protection=not settings.remove_data,
            removal_policy=cdk.RemovalPolicy.DESTROY if settings.remove_data else cdk.RemovalPolicy.RETAIN,
        )
        if key:
            # The construct renders such a key only where it knows the region, and our stack is for any.
            table = cfn_resource(self, dynamodb.CfnGlobalTable)
            table.sse_specification = dynamodb.CfnGlobalTable.SSESpecificationProperty(sse_enabled=True, sse_type="KMS")
            table.add_property_override("Replicas.0.SSESpecification", {"KMSMasterKeyId": key.key_arn})

    @property
    def due_index_arn(self) -> str:
        """The ARN of the index `due`."""
        return f"{self.table_arn}/index/{_DUE_INDEX}"


class ExistingTable(Construct):
    """The table of an earlier deployment, by its name. It does not belong to the stack.

    CloudFormation cannot make a table of a name that is taken (docs/adr/0136-a-table-that-is-there-already.md).
    """

    def __init__(self, scope: Construct, construct_id: str, *, table_name: str) -> None:
        super().__init__(scope, construct_id)
        self.table_name = table_name
        self.table_arn = cdk.Stack.of(self).format_arn(service="dynamodb", resource="table", resource_name=table_name)
        self.due_index_arn = f"{self.table_arn}/index/{_DUE_INDEX}"


def findings_table(
    scope: Construct, construct_id: str, *, settings: Settings, key: kms.IKey | None
) -> FindingsTable | ExistingTable:
    """Return the table that `settings` ask for: a new one, or the one of this name that is there."""
    if settings.existing_table and settings.table_name:
        return ExistingTable(scope, construct_id, table_name=settings.table_name)
    return FindingsTable(scope, construct_id, settings=settings, key=key)
