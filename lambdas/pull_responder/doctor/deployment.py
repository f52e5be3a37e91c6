"""The deployed stack, as CloudFormation knows it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.resource import Resource
from pull_responder.doctor.template import UnresolvedError, Values
from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.facts.reader import Reader
    from pull_responder.model.arn import Arn

PERMISSIONS: Final = (
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
)
# DescribeStacks has no other code for a stack that does not exist (CloudFormation API Reference, DescribeStacks). A
# name that is malformed has the same: whoever asks checks that first.
_NO_SUCH_STACK: Final = frozenset({"ValidationError"})
_GONE: Final = ("DELETE_COMPLETE", "DELETE_SKIPPED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The stack and its place.

    - `status`: the stack's status, such as UPDATE_COMPLETE
    - `resources`: by logical id
    - `outputs`: by name
    - `template`: why the template could not be read; None if it was
    """

    stack: str
    status: str
    partition: str
    account: str
    region: str
    resources: Mapping[str, Resource]
    outputs: Mapping[str, str]
    template: Unread | None = None

    def of_kind(self, kind: str) -> list[Resource]:
        """Return the resources of a type, such as AWS::SQS::Queue, in the order of their logical ids."""
        return sorted((each for each in self.resources.values() if each.kind == kind), key=lambda each: each.logical_id)

    def value(self, value: Any) -> Any:  # noqa: ANN401 -- a template is any JSON
        """Return a value of the template as it was deployed, None if that is not known."""
        values = Values(self.resources, partition=self.partition, account=self.account, region=self.region)
        try:
            return values.resolve(value)
        except UnresolvedError:
            return None

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment variables of the function `diagnose` in the template, those that are known."""
        name = self.outputs.get("DiagnoseFunctionName")
        for function in self.of_kind("AWS::Lambda::Function"):
            if name and function.physical_id == name:
                variables = function.properties.get("Environment", {}).get("Variables", {})
                known = {key: self.value(each) for key, each in variables.items()}
                return {key: each for key, each in known.items() if isinstance(each, str)}
        return {}


def find_deployment(reader: Reader, stack: str, *, own: Arn, region: str) -> Deployment | Unread | None:
    """Return the stack of this name in the account of `own` and `region`. None if there is none."""

    def describe(client: Any) -> tuple[str, str, dict[str, str]]:  # noqa: ANN401 -- boto3's generated client
        found = client.describe_stacks(StackName=stack)["Stacks"][0]
        outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}
        return found["StackName"], found["StackStatus"], outputs

    account = own.account
    described = reader.call(PERMISSIONS[0], account=account, region=region, request=describe, absent=_NO_SUCH_STACK)
    if described is None or isinstance(described, Unread):
        return described
    name, status, outputs = described
    if status in _GONE:
        return None
    listed = reader.call(PERMISSIONS[2], account=account, region=region, request=lambda client: _list(client, stack))
    if listed is None or isinstance(listed, Unread):
        return listed
    template = reader.call(
        PERMISSIONS[1], account=account, region=region, request=lambda client: _template(client, stack)
    )
    properties = {} if template is None or isinstance(template, Unread) else template
    resources = [replace(each, properties=properties.get(each.logical_id, {})) for each in listed]
    return Deployment(
        stack=name,
        status=status,
        partition=own.partition,
        account=account,
        region=region,
        resources={each.logical_id: each for each in resources},
        outputs=outputs,
        template=template if isinstance(template, Unread) else None,
    )


def _list(client: Any, stack: str) -> list[Resource]:  # noqa: ANN401 -- boto3's generated client
    return [
        Resource(each["LogicalResourceId"], each["ResourceType"], each.get("PhysicalResourceId", ""))
        for each in pages(client, "list_stack_resources", "StackResourceSummaries", StackName=stack)
        if each["ResourceStatus"] not in _GONE
    ]


def _template(client: Any, stack: str) -> Mapping[str, Mapping[str, Any]]:  # noqa: ANN401 -- boto3's generated client
    """Return the properties of each resource. boto3 parses a template that is JSON, and CDK's are."""
    body = client.get_template(StackName=stack)["TemplateBody"]
    parsed = json.loads(body) if isinstance(body, str) else body
    return {name: each.get("Properties", {}) for name, each in parsed["Resources"].items()}
