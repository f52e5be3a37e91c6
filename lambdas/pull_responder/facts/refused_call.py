"""The canary's call: ecr:BatchGetImage on a repository that does not exist, by a role that is not allowed it.

It changes nothing and returns nothing. The role of the function `examine` denies it (infra/examine_function.py), so
that no other policy of the account can let it through. Source: ECR API Reference, BatchGetImage; IAM User Guide,
"Policy evaluation logic" (an explicit deny ends the evaluation, whatever the resource is).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.facts.aws import AWS_ERRORS, describe_failure
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from pull_responder.facts.aws import Aws

CALL: Final = "ecr:BatchGetImage"
_REFUSED: Final = ("AccessDenied", "AccessDeniedException")


def make_refused_call(aws: Aws, *, region: str, repository: str) -> Unread | None:
    """Ask ECR in `region` for an image of `repository`. Return None if it was refused, else why that did not happen."""
    client = aws.client("ecr", account=None, region=region)
    if isinstance(client, Unread):
        return client
    try:
        client.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": "canary"}])
    except AWS_ERRORS as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code")
        return None if code in _REFUSED else describe_failure(CALL, error)
    return Unread(f"{CALL} was not refused, so that nothing is recorded as a refused pull")
