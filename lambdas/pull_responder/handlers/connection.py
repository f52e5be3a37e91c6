"""What functions keep between invocations, and what each invocation is given."""

from __future__ import annotations

import gc
from functools import cache
from typing import TYPE_CHECKING

from pull_responder.facts.aws import Aws
from pull_responder.model.arn import Arn
from pull_responder.responder.run import Run, store_of

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger, Metrics
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from pull_responder.settings import Settings


def connected(settings: Settings, function_arn: str) -> Aws:
    """Return AWS as the function may use it: with its clients of earlier invocations, which take long to create."""
    return _connected(settings.member_role, settings.organization_account, settings.aws_registries, function_arn)


def disconnect() -> None:
    """Forget the clients of earlier invocations, as a new process would."""
    _connected.cache_clear()


@cache
def keep_what_stays() -> None:
    """Let the collector, once a process, leave alone what the first invocation has brought.

    The SDK's models are hundreds of thousands of objects that stay. To walk through them again and again takes longer
    than reading the events of a batch (bench/storm.py).
    """
    gc.collect()
    gc.freeze()


@cache
def _connected(
    member_role: str, organization_account: str | None, aws_registries: tuple[str, ...], function_arn: str
) -> Aws:
    return Aws.connect(
        member_role=member_role,
        identity=Arn.parse(function_arn),
        organization_account=organization_account,
        aws_registries=aws_registries,
    )


def run_of(settings: Settings, aws: Aws, context: LambdaContext, *, logger: Logger, metrics: Metrics) -> Run:
    """Return what an invocation works with. Raises SettingError where there is no table."""
    return Run(
        settings=settings,
        aws=aws,
        store=store_of(aws, settings),
        remaining=lambda: context.get_remaining_time_in_millis() / 1000,
        logger=logger,
        metrics=metrics,
    )
