"""Let parliament look at the policies of templates: `build/scanners/bin/python infra/scan_policies.py TEMPLATE ...`.

It runs in the scanners' environment, which has no CDK. Ends with status 1 if parliament finds what is not answered
below, or no longer finds what is.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# What parliament finds, and why it stays.
ANSWERS: Final = {
    ("UNKNOWN_ACTION", "ecr:GetSigningConfiguration"): "newer than parliament's list of actions, of April 2025",
    ("INVALID_ARN", "arn:aws:iam::aws:policy/*"): "the ARNs of AWS managed policies have `aws` for an account",
    ("INVALID_ARN", "arn:aws:organizations::aws:policy/*"): "so have those of AWS managed policies of organizations",
}
_ACCOUNT, _REGION = "123456789012", "us-east-1"
# What stands in a policy for a pseudo parameter, and for a parameter that is a part of an ARN.
_PSEUDO: Final = {
    "AWS::Partition": "aws",
    "AWS::Region": _REGION,
    "AWS::AccountId": _ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
    "HubAccount": _ACCOUNT,
    "HubRegion": _REGION,
}
# What stands in a policy for a resource of the template, by its type, and for a parameter, by its name.
_ARNS: Final = {
    "SecretArn": "arn:aws:secretsmanager:{}:secret:x",
    "TopicArn": "arn:aws:sns:{}:x",
    "AWS::Events::Rule": "arn:aws:events:{}:rule/x",
    "AWS::DynamoDB::GlobalTable": "arn:aws:dynamodb:{}:table/x",
    "AWS::IAM::Role": "arn:aws:iam::" + _ACCOUNT + ":role/x",
    "AWS::Kinesis::Stream": "arn:aws:kinesis:{}:stream/x",
    "AWS::KMS::Key": "arn:aws:kms:{}:key/x",
    "AWS::Lambda::Function": "arn:aws:lambda:{}:function:x",
    "AWS::Logs::LogGroup": "arn:aws:logs:{}:log-group:x:log-stream:*",
    "AWS::SNS::Topic": "arn:aws:sns:{}:x",
    "AWS::SQS::Queue": "arn:aws:sqs:{}:x",
}


def read_template(path: str) -> dict[str, Any]:
    """Return the template in a file of JSON or YAML. Short forms of functions are read as their long ones."""
    yaml = import_module("yaml")
    loader = type("Loader", (yaml.SafeLoader,), {})
    yaml.add_multi_constructor("!", _function, loader)
    template: dict[str, Any] = yaml.load(Path(path).read_text(encoding="utf-8"), loader)
    return template


def _function(loader: Any, name: str, node: Any) -> dict[str, Any]:  # noqa: ANN401 -- PyYAML has no types
    construct = {"scalar": loader.construct_scalar, "sequence": loader.construct_sequence}
    value = construct.get(node.id, loader.construct_mapping)(node, **({} if node.id == "scalar" else {"deep": True}))
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


def policies(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the policies of a template with the logical ids of their resources; what a deployment fills in, made up."""
    resources = template["Resources"]
    for name, resource in resources.items():
        properties = resource.get("Properties", {})
        for each in properties.get("Policies", []):
            yield name, _plain(each["PolicyDocument"], resources)
        if isinstance(properties.get("PolicyDocument"), dict):
            yield name, _plain(properties["PolicyDocument"], resources)


def _plain(value: Any, resources: dict[str, Any]) -> Any:  # noqa: ANN401 -- JSON
    if isinstance(value, list):
        return [_plain(each, resources) for each in value]
    if not isinstance(value, dict):
        return value
    for name, arguments in value.items() if len(value) == 1 else ():
        if name == "Ref" or name.startswith("Fn::"):
            return _made_up(name, arguments, resources)
    return {key: _plain(each, resources) for key, each in value.items()}


def _made_up(name: str, arguments: Any, resources: dict[str, Any]) -> Any:  # noqa: ANN401 -- JSON
    if name == "Fn::Join":
        return arguments[0].join(str(_plain(each, resources)) for each in arguments[1])
    if name == "Fn::If":
        return _plain(arguments[1], resources)
    first = arguments[0] if isinstance(arguments, list) else arguments
    if name == "Fn::Sub":
        for pseudo, known in _PSEUDO.items():
            first = first.replace(f"${{{pseudo}}}", known)
        return first
    made = first.partition(".")[0]
    arn = _ARNS.get(resources[made]["Type"] if made in resources else made, "x")
    return _PSEUDO.get(made) or arn.format(f"{_REGION}:{_ACCOUNT}")


def findings(policy: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what parliament finds in a policy: the issue, and the text that it is about or what it says of it."""
    for each in import_module("parliament").analyze_policy_string(json.dumps(policy)).findings:
        yield each.issue, str(each.location.get("string") or each.detail)


def main(paths: list[str]) -> int:
    """Look at the templates in `paths`, print what is not as it should be, and return the exit status."""
    found: set[tuple[str, str]] = set()
    lines = []
    for path in paths:
        for name, policy in policies(read_template(path)):
            said = set(findings(policy))
            found |= said
            lines += [f"{path}: {name}: {issue}: {about}" for issue, about in sorted(said - set(ANSWERS))]
    lines += [f"parliament no longer finds {issue}: {about}" for issue, about in sorted(set(ANSWERS) - found)]
    sys.stdout.write("".join(f"{each}\n" for each in lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
