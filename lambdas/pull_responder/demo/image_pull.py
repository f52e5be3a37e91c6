"""A pull as a node makes it: the calls to ECR, with the credentials of the node's role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.demo.estate import DemoEstate, DemoImage, Node

_DENIED: Final = ("AccessDenied", "AccessDeniedException")


@dataclass(frozen=True, slots=True)
class Call:
    """One call to ECR. `refusal` is the error's code, None when the call was allowed.

    The error's message is left out: the emulated AWS blames identity-based policies for every refusal.
    """

    action: str
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class ImagePull:
    """The calls of one pull, in order. The first refused call ends it. `access_key_id` is the session's."""

    calls: tuple[Call, ...]
    access_key_id: str

    @property
    def refused_call(self) -> Call | None:
        """The call that was refused, None when the image was pulled."""
        return next((call for call in self.calls if call.refusal), None)


def pull(estate: DemoEstate, node: Node, image: DemoImage, *, has_token: bool = False) -> ImagePull:
    """Pull `image` as `node` does. With `has_token` it asks for no registry token, which lasts 12 hours.

    Raises ClientError when the registry answers with any error but a refusal.
    """
    # EC2 gives a node its role's credentials in a session with the instance's id as its name.
    session = estate.aws.client("sts").assume_role(RoleArn=node.role_arn, RoleSessionName=node.instance_id)
    ecr = estate.aws.client("ecr", credentials=session["Credentials"])
    where = {"registryId": image.account, "repositoryName": image.repository}
    requests: Mapping[str, Callable[[], object]] = {
        "GetAuthorizationToken": ecr.get_authorization_token,
        "BatchGetImage": lambda: ecr.batch_get_image(**where, imageIds=[{"imageTag": image.tag}]),
        "GetDownloadUrlForLayer": lambda: ecr.get_download_url_for_layer(**where, layerDigest=image.layer_digest),
    }
    calls: list[Call] = []
    for action, request in requests.items():
        if has_token and action == "GetAuthorizationToken":
            continue
        calls.append(_call(action, request))
        if calls[-1].refusal:
            break
    return ImagePull(tuple(calls), session["Credentials"]["AccessKeyId"])


def _call(action: str, request: Callable[[], object]) -> Call:
    try:
        request()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code not in _DENIED:
            raise
        return Call(action, code)
    return Call(action)
