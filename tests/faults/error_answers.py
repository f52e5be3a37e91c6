"""The errors of AWS as they look on the wire, by the protocol of the service.

Source: botocore, parsers.py; the codes are in the services' lists of common errors.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.faults.fault import Kind

if TYPE_CHECKING:
    from botocore.model import ServiceModel

_ID = "0a1b2c3d-0000-4000-8000-000000000000"


def _code(service: str, protocol: str, kind: Kind) -> tuple[int, str]:
    if kind is Kind.HTTP_500:
        return 500, "InternalError" if protocol in ("ec2", "query") else "InternalServerException"
    if kind is Kind.THROTTLING:
        special = {"dynamodb": "ProvisionedThroughputExceededException", "ec2": "RequestLimitExceeded"}
        return (503 if protocol == "ec2" else 400), special.get(
            service, "Throttling" if protocol == "query" else "ThrottlingException"
        )
    if protocol == "ec2":
        return 403, "UnauthorizedOperation"
    return (403, "AccessDenied") if protocol == "query" else (400, "AccessDeniedException")


def refusal(model: ServiceModel, kind: Kind) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return the status, the headers and the body of an error answer of a service."""
    protocol = model.resolved_protocol
    status, code = _code(model.service_name, protocol, kind)
    message = f"made to fail: {kind}"
    headers = [("x-amzn-requestid", _ID)]
    if protocol == "ec2":
        text = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{_ID}</RequestID></Response>"
        )
    elif protocol in ("query", "rest-xml"):
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{_ID}</RequestId></ErrorResponse>"
        )
    else:
        headers.append(("x-amzn-errortype", code))
        text = json.dumps({"__type": code, "message": message})
    return status, headers, text.encode()
