"""What the stack sets up in AWS Security Hub CSPM: insights on our findings, and a custom action.

CloudFormation has resources for both, but a deployment with them fails where Security Hub is off. Here nothing is
raised for an error of AWS or of the connection: the result says why something is not there.

Sources: Security Hub API Reference, CreateInsight, GetInsights, UpdateInsight, DeleteInsight, CreateActionTarget and
DeleteActionTarget.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.facts.answers import BROKEN
from pull_responder.facts.aws import describe_failure
from pull_responder.publish.backoff import Backoff, is_retryable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import InsightTypeDef

T = TypeVar("T")

# Security Hub has one kind of resource for all of them, hub/default (Service Authorization Reference). A custom action
# that is there already is known by the refusal to create it again: nothing has to list the others.
PERMISSIONS: Final = (
    "securityhub:CreateActionTarget",
    "securityhub:CreateInsight",
    "securityhub:DeleteActionTarget",
    "securityhub:DeleteInsight",
    "securityhub:GetInsights",
    "securityhub:UpdateInsight",
)

OWN_NAME: Final = "Pull Responder: "
"""How the names of our insights begin."""
_OWN_GENERATOR: Final = "pull-responder/"
OWN_ACTION: Final = "PullResponder"
"""How the ids of our custom actions begin."""

# Seconds. The client gives up a call after about 27: three tries of 8, and the waits between them.
_CALL_SECONDS: Final = 30.0
_TRIES: Final = 3
# API Reference, GetInsights: at most 100 a page. User Guide, "Quotas": an account has 100 custom insights.
_PAGE: Final = 100
_OFF: Final = "InvalidAccess"
_MISSING: Final = "ResourceNotFoundException"
_CONFLICT: Final = "ResourceConflictException"


@dataclass(frozen=True, slots=True)
class Insight:
    """An insight: the findings that match `filters` (AwsSecurityFindingFilters), grouped by an attribute."""

    name: str
    group_by: str
    filters: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        """Whether the name is one of ours, or the insight shows findings of ours, which a renamed one still does."""
        values = [each.get("Value") for each in self.filters.get("GeneratorId", ())]
        return self.name.startswith(OWN_NAME) or _OWN_GENERATOR in values


@dataclass(frozen=True, slots=True)
class Setup:
    """What there is now.

    - `arn`: of the insight or the action; "" where there is none that we know
    - `problem`: why it is not as it should be, for people; "" where it is
    """

    arn: str = ""
    problem: str = ""


class _NotSetUpError(Exception):
    """A call failed for good; the message is for people."""


@dataclass(frozen=True, slots=True)
class HubSetup:
    """Sets up a Security Hub.

    - `remaining`: returns the seconds left. Within them, calls that were throttled are made again.
    - `wait`: sleeps for a number of seconds
    """

    client: SecurityHubClient
    remaining: Callable[[], float]
    wait: Callable[[float], None] = field(default=time.sleep)

    def put_insight(self, wanted: Insight, *, arn: str = "", before: Insight | None = None) -> Setup:
        """See that there is an insight, and return it.

        It is the one of `arn`, where that still exists, else the one of its name, else a new one. `before` is what was
        wanted last: what differs from it is changed, and all else stays as people have set it.
        """
        try:
            found = self._read(arn) if arn else None
            if found is not None:
                self._update(arn, wanted, before or wanted)
                return Setup(arn)
            # A try whose answer was lost may have created it.
            made = self._named(wanted.name) or self._create(wanted) or self._named(wanted.name)
            return Setup(made, "" if made else "securityhub:CreateInsight failed: there is another one like it")
        except _NotSetUpError as error:
            return Setup(arn, str(error))

    def delete_insight(self, arn: str) -> Setup:
        """Delete an insight, unless it is gone, or people have made another one of it, with another name and filter."""
        try:
            found = self._read(arn)
            if found is not None and found.is_ours:
                self._ask("securityhub:DeleteInsight", lambda: self.client.delete_insight(InsightArn=arn), _MISSING)
        except _NotSetUpError as error:
            return Setup(arn, str(error))
        return Setup()

    def put_action(self, action: str, *, name: str, description: str, arn: str) -> Setup:
        """See that there is a custom action of this id, and return it. One that is there stays as people have set it.

        `arn` is the ARN that an action of this id has.
        """
        try:
            self._ask(
                "securityhub:CreateActionTarget",
                lambda: self.client.create_action_target(Name=name, Description=description, Id=action),
                _CONFLICT,
            )
        except _NotSetUpError as error:
            return Setup("", str(error))
        return Setup(arn)

    def delete_action(self, arn: str) -> Setup:
        """Delete a custom action of ours, unless it is gone."""
        if not arn.rpartition("/")[2].startswith(OWN_ACTION):
            return Setup()
        try:
            self._ask(
                "securityhub:DeleteActionTarget",
                lambda: self.client.delete_action_target(ActionTargetArn=arn),
                _MISSING,
            )
        except _NotSetUpError as error:
            return Setup(arn, str(error))
        return Setup()

    def _read(self, arn: str) -> Insight | None:
        def read() -> Insight | None:
            found = self.client.get_insights(InsightArns=[arn])["Insights"]
            return _insight(found[0]) if found else None

        return self._ask("securityhub:GetInsights", read, _MISSING)

    def _named(self, name: str) -> str:
        """Return the ARN of the insight of this name; "": there is none."""

        def read() -> str:
            paginator = self.client.get_paginator("get_insights")
            pages = paginator.paginate(PaginationConfig={"PageSize": _PAGE})
            return next((each["InsightArn"] for page in pages for each in page["Insights"] if each["Name"] == name), "")

        return self._ask("securityhub:GetInsights", read) or ""

    def _create(self, wanted: Insight) -> str:
        """Return the ARN of a new insight; "": Security Hub says that it has it."""

        def create() -> str:
            filters: Any = wanted.filters
            answer = self.client.create_insight(Name=wanted.name, GroupByAttribute=wanted.group_by, Filters=filters)
            return answer["InsightArn"]

        return self._ask("securityhub:CreateInsight", create, _CONFLICT) or ""

    def _update(self, arn: str, wanted: Insight, before: Insight) -> None:
        changes: dict[str, Any] = {}
        if wanted.name != before.name:
            changes["Name"] = wanted.name
        if wanted.group_by != before.group_by:
            changes["GroupByAttribute"] = wanted.group_by
        if wanted.filters != before.filters:
            changes["Filters"] = wanted.filters
        if changes:
            self._ask("securityhub:UpdateInsight", lambda: self.client.update_insight(InsightArn=arn, **changes))

    def _ask(self, action: str, call: Callable[[], T], harmless: str = "") -> T | None:
        """Return the answer of `call`, None where it is refused with the error code `harmless`.

        Raises _NotSetUpError.
        """
        backoff = Backoff(lambda: self.remaining() - _CALL_SECONDS, self.wait)
        tries = 0
        while not backoff.is_over:
            try:
                return call()
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code", "")
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
                if code and code == harmless:
                    return None
                tries += 1
                if not (is_retryable(code, status) and tries < _TRIES and backoff.pause(tries)):
                    raise _NotSetUpError(_reason(action, error, code)) from error
            except BotoCoreError as error:
                raise _NotSetUpError(describe_failure(action, error).reason) from error
            except BROKEN as error:
                raise _NotSetUpError(f"{action} gave an answer that cannot be read") from error
        raise _NotSetUpError(f"{action} was not called: no time was left for it")


def _insight(read: InsightTypeDef) -> Insight:
    return Insight(read["Name"], read["GroupByAttribute"], read["Filters"])


def _reason(action: str, error: ClientError, code: str) -> str:
    return f"Security Hub is off here ({code})" if code.startswith(_OFF) else describe_failure(action, error).reason
