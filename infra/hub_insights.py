"""Ready-made insights of Security Hub: the open findings, grouped by cause, by account and by cluster."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_securityhub as securityhub
from constructs import Construct

# Security Hub API Reference, CreateInsight, GroupByAttribute; User Guide, "Available attributes for grouping".
_GROUPED: Final = {
    "ByCause": ("Pull Responder: open findings by cause", "GeneratorId"),
    "ByAccount": ("Pull Responder: open findings by account", "ResourceAwsAccountId"),
    "ByResource": ("Pull Responder: open findings by resource", "ResourceId"),
}


class HubInsights(Construct):
    """The insights. CloudFormation can create them only where Security Hub CSPM is on."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        insight = securityhub.CfnInsight
        for name, (title, attribute) in _GROUPED.items():
            securityhub.CfnInsight(
                self,
                name,
                name=title,
                group_by_attribute=attribute,
                filters=insight.AwsSecurityFindingFiltersProperty(
                    generator_id=[insight.StringFilterProperty(comparison="PREFIX", value="pull-responder/")],
                    record_state=[insight.StringFilterProperty(comparison="EQUALS", value="ACTIVE")],
                ),
            )
