"""The next step after a call that failed: what to grant, or what to look at.

Sources: IAM User Guide, "Troubleshoot access denied error messages" (who is named, and what AWS says of the policy);
the SDK's own errors where no answer came.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from pull_responder.model.arn import Arn
from pull_responder.model.reason import AGAIN, IN_TERMINAL, OUR_ROLE, Refusal, steps_of

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError

    from pull_responder.model.reason import Step

_REFUSED: Final = ("AccessDenied", "Unauthorized", "AuthorizationError", "NotAuthorized", "Client.Unauthorized")
_USER: Final = re.compile(
    r"User: arn:[\w-]+:(?:iam|sts)::(?P<account>\d{12}):(?P<kind>assumed-role|role|user)/(?P<name>[\w+=,.@/-]{1,600})"
)
_DENY: Final = re.compile(r"explicit deny in an? ([A-Za-z -]{3,40} policy|permissions boundary)")
# To grant the action to the role is not enough where one of these has no Allow.
_LIMIT: Final = re.compile(
    r"because no ((?:service|resource) control policy|permissions boundary|session policy) allows"
)
_OUR_CREDENTIALS: Final = ("NoCredentials", "ExpiredToken", "InvalidClientTokenId", "PartialCredentials")
_NOT_ENABLED: Final = ("UnrecognizedClient", "AuthFailure", "OptInRequired")
_NOT_REACHED: Final = ("EndpointConnection", "ConnectTimeout", "ConnectionClosed", "ProxyConnection", "SSL")
_LATER: Final = ("Throttl", "RequestLimit", "TooManyRequests", "Timeout", "Internal", "Unavailable", "IncompleteAnswer")
_LONGER: Final = "Run the command again, with a longer --timeout if AWS is only slow."
_RENEW: Final = "Renew the credentials that Pull Responder runs with, and see that `aws sts get-caller-identity` works."
_CALL: Final = f"Call {{action}} as {OUR_ROLE}, and look at what AWS answers."
_OTHERWISE: Final = {"sts:GetCallerIdentity": _RENEW}


def may_pass(reason: str) -> bool:
    """Return whether a later try may succeed: the call was throttled, got no answer, or came too late to be made."""
    return any(step in (AGAIN, IN_TERMINAL) or "got no answer" in str(step) for step in steps_of(reason))


def step_after(call: str, error: BotoCoreError | ClientError | ValueError) -> Step:
    """Return what to do after `call` failed: an IAM action, for sts:AssumeRole with " of " and the role's ARN."""
    details = error.response.get("Error", {}) if isinstance(error, ClientError) else {}
    code = str(details.get("Code", "")) if isinstance(error, ClientError) else type(error).__name__
    action, _, target = call.partition(" of ")
    if code.startswith(_REFUSED):
        return _refusal(action, Arn.parse(target), str(details.get("Message", "")))
    return _step_by_code(action, code)


def out_of_time(error: Exception) -> bool:
    """Return whether a call failed because the terminal's time was out (facts/patience.py, which functions lack)."""
    return type(error).__name__ == "NoTimeLeftError"


def _step_by_code(action: str, code: str) -> str:
    if code == "NoTimeLeftError":
        return _LONGER
    if action.startswith("sts:") and any(part in code for part in ("Timeout", "Connection")):
        return f"See that Pull Responder itself can reach AWS STS in its own region: {action} got no answer."
    if code.startswith(_OUR_CREDENTIALS):
        return _RENEW
    if code.startswith(_NOT_ENABLED):
        return f"See that the region is enabled for the account (`aws account list-regions`), as {action} needs it."
    if code.startswith(_NOT_REACHED):
        return f"See that Pull Responder itself can reach AWS's API in that region: {action} got no answer."
    return AGAIN if any(part in code for part in _LATER) else _OTHERWISE.get(action, _CALL).format(action=action)


def _refusal(action: str, target: Arn | None, message: str) -> Refusal:
    if target is not None and target.resource.startswith("role/"):
        return Refusal(action, target.resource.removeprefix("role/"), target.account, member=True)
    user, deny, limit = _USER.search(message), _DENY.search(message), _LIMIT.search(message)
    name = user["name"] if user else None
    if user and name and user["kind"] == "assumed-role":
        name = name.partition("/")[0]
    return Refusal(action, name, user["account"] if user else None, deny and deny[1], limit and limit[1])
