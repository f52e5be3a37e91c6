"""Connect a function to AWS, with clients that are kept between invocations, and build its Run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pull_responder.facts.aws import Aws
from pull_responder.model.arn import Arn
from pull_responder.responder.run import Run, store_of

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pull_responder.settings import Settings


def connect(settings: Settings, function_arn: str) -> Aws:
    """Return the function's access to AWS, with the clients of earlier invocations: clients take long to create."""
    accounts = (settings.aws_registries, settings.read_accounts)
    return _connect(settings.member_role, settings.organization_account, accounts, function_arn)


def disconnect() -> None:
    """Drop the clients of earlier invocations, for tests: the next invocation is like the first of a process."""
    _connect.cache_clear()


@cache
def _connect(
    member_role: str,
    organization_account: str | None,
    accounts: tuple[tuple[str, ...], tuple[str, ...]],
    function_arn: str,
) -> Aws:
    aws_registries, read_accounts = accounts
    return Aws.connect(
        member_role=member_role,
        identity=Arn.parse(function_arn),
        organization_account=organization_account,
        aws_registries=aws_registries,
        read_accounts=read_accounts,
        # The condition aws:ResourceOrgID on the functions' roles sees to it (infra/permissions.py).
        assume_proves_membership=True,
    )


def run_of(settings: Settings, aws: Aws, context: LambdaContext, *, logger: Logger, metrics: Metrics) -> Run:
    """Return the Run of an invocation. Raises SettingError if no findings table is set."""
    return Run(
        settings=settings,
        aws=aws,
        store=store_of(aws, settings),
        remaining=lambda: context.get_remaining_time_in_millis() / 1000,
        logger=logger,
        metrics=metrics,
    )
