"""The values of a template as they were deployed.

Only the functions of CloudFormation that our own template uses are known. Source: CloudFormation User Guide,
"Intrinsic function reference" and "Pseudo parameters reference"; what `Ref` and `Fn::GetAtt` return is from the page of
each resource type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.resource import Resource

_FUNCTION_KEYS: Final = ("Ref", "Condition")


class UnresolvedError(Exception):
    """A value is not known before CloudFormation has worked it out. The message names it."""


class Values:
    """The values of one stack's template, by the resources that it has."""

    def __init__(self, resources: Mapping[str, Resource], *, partition: str, account: str, region: str) -> None:
        self._resources = resources
        self._place = (partition, region, account)
        suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
        self._pseudo = {
            "AWS::Partition": partition,
            "AWS::AccountId": account,
            "AWS::Region": region,
            "AWS::URLSuffix": suffix,
        }

    def resolve(self, value: Any) -> Any:  # noqa: ANN401 -- a template is any JSON
        """Return `value` with every function in it replaced by its value. Raises UnresolvedError."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), *_ = value.items()
            if name == "Ref":
                return self._ref(str(argument))
            if name == "Fn::GetAtt":
                return self._attribute(argument)
            if name == "Fn::Join":
                return str(argument[0]).join(str(self.resolve(each)) for each in argument[1])
            if name.startswith("Fn::") or name in _FUNCTION_KEYS:
                raise UnresolvedError(name)
        return {str(name): self.resolve(each) for name, each in value.items()}

    def _ref(self, name: str) -> str:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._resources:
            return self._resources[name].physical_id
        raise UnresolvedError(name)

    def _attribute(self, argument: Any) -> str:  # noqa: ANN401 -- a list, or a text with a dot
        name, _, attribute = argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
        resource = self._resources.get(name)
        if resource is None:
            raise UnresolvedError(name)
        partition, region, account = self._place
        if attribute == "Arn":
            if resource.kind == "AWS::SQS::Queue":
                # Ref of a queue is its URL, whose path ends in the account and the name.
                queue = urlsplit(resource.physical_id).path.rpartition("/")[2]
                return f"arn:{partition}:sqs:{region}:{account}:{queue}"
            if resource.kind == "AWS::Lambda::Function":
                return f"arn:{partition}:lambda:{region}:{account}:function:{resource.physical_id}"
            if resource.kind == "AWS::IAM::Role":
                return f"arn:{partition}:iam::{account}:role/{resource.physical_id}"
        raise UnresolvedError(f"{name}.{attribute}")
