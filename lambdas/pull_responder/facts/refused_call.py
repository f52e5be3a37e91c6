"""The canary's call: ecr:BatchGetImage on a repository that does not exist, by a role that is not allowed it.

It changes nothing and returns nothing. The role of the function `examine` denies it (infra/examine_function.py), so
that no other policy of the account can let it through. Source: ECR API Reference, BatchGetImage; IAM User Guide,
"Policy evaluation logic" (an explicit deny ends the evaluation, whatever the resource is).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.events.denial import parse_denial
from pull_responder.facts.aws import AWS_ERRORS, describe_failure
from pull_responder.model.pull import PolicyType
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from pull_responder.facts.aws import Aws

CALL: Final = "ecr:BatchGetImage"
_REFUSED: Final = ("AccessDenied", "AccessDeniedException")
_BY_ENDPOINT: Final = (
    f"a VPC endpoint policy refused {CALL} before ECR did, and CloudTrail need not record that as a refused pull"
)
_LET_THROUGH: Final = f"Let the policy of the ECR API endpoint allow {CALL} to the function's role."


def make_refused_call(aws: Aws, *, region: str, repository: str) -> Unread | None:
    """Ask ECR in `region` for an image of `repository`. Return None if it was refused, else why that did not happen.

    What the policy of a VPC endpoint refused does not count. Inference: its record may be a network activity event
    alone, which a trail has only where it is asked for (CloudTrail User Guide, "Logging network activity events"), and
    no refused pull whose record has to come.
    """
    client = aws.client("ecr", account=None, region=region)
    if isinstance(client, Unread):
        return client
    try:
        client.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "canary"}])
    except AWS_ERRORS as error:
        answer = getattr(error, "response", {}).get("Error", {})
        if answer.get("Code") not in _REFUSED:
            return describe_failure(CALL, error)
        _, denial = parse_denial(answer.get("Message", ""), action=CALL)
        return Unread(Reason(_BY_ENDPOINT, _LET_THROUGH)) if denial.policy_type is PolicyType.VPC_ENDPOINT else None
    return Unread(f"{CALL} was not refused, so that nothing is recorded as a refused pull")
