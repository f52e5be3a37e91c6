"""Access to the CloudFormation resource of a construct, for properties that the construct does not offer.

AWS CDK developer guide, "Customize constructs from the AWS Construct Library".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from constructs import Construct

_Resource = TypeVar("_Resource")


def cfn_resource(construct: Construct, kind: type[_Resource]) -> _Resource:
    """Return the resource of `construct`. Raises TypeError when it is not a `kind`."""
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} is a {type(resource).__name__}, not a {kind.__name__}")
    return resource
