"""HTTP statuses in messages of container runtimes: where they stand, and what they mean."""

from __future__ import annotations

from typing import Final

from pull_responder.events.meaning import Meaning, Weight
from pull_responder.model.pull import Answer, Symptom

STATUS_PLACES: Final = (
    "unexpected status",
    "unexpected status code",
    "unsupported status code",
    "unexpected head status code",
    "unexpected http status",
    "received unexpected http status",
    "pulling from host * failed with status code",
    "pulling from host * failed with unexpected status code",
    "invalid status code from registry",
    "error parsing http",
    "statuscode",
)
"""Phrases before an HTTP status. The status is the next word, or the first word of the next link."""

_ERROR_OF_REGISTRY: Final = Meaning(Symptom.REGISTRY_ERROR)
OF_PROXY: Final = Meaning(Symptom.PROXY_FAILED, Weight.SOMEBODY_ELSE)
"""The answer of a proxy, or of another device between the node and the registry."""

# No status of AWS (Amazon ECR and Amazon S3 API References, "Error responses"), but of gateways, such as
# Cloudflare's 520 to 530 and the 561 of an Application Load Balancer.
GATEWAY_STATUSES: Final = frozenset(str(status) for status in range(520, 600))
"""What gateways answer, and no service of AWS: in the registry's place, or as the gateway of another registry."""

STATUSES: Final = {
    "400": _ERROR_OF_REGISTRY,
    "405": _ERROR_OF_REGISTRY,
    "407": OF_PROXY,
    "401": Meaning(Symptom.NOT_AUTHENTICATED),
    "403": Meaning(Symptom.ACCESS_DENIED),
    "404": Meaning(Symptom.NOT_FOUND),
    "429": Meaning(Symptom.THROTTLED, Weight.EXACT),
    **{str(status): _ERROR_OF_REGISTRY for status in range(500, 520)},
    **dict.fromkeys(GATEWAY_STATUSES, OF_PROXY),
    # "Intended for use by intercepting proxies" (RFC 6585, section 6): a captive portal.
    "511": OF_PROXY,
}
"""The meaning of HTTP statuses. Any other is UNKNOWN_STATUS."""

UNKNOWN_STATUS: Final = Meaning(Symptom.UNKNOWN, answer=Answer.HTTP)

API_STATUSES: Final = {status: meaning for status, meaning in STATUSES.items() if status not in ("400", "404", "405")}
"""The same for ECR's API. Its errors come with 400, and their code says what is wrong. Any other is UNKNOWN_STATUS."""

STATUS_TEXTS: Final = {
    "multiple choices": "300",
    "moved permanently": "301",
    "found": "302",
    "see other": "303",
    "not modified": "304",
    "temporary redirect": "307",
    "permanent redirect": "308",
    "bad request": "400",
    "unauthorized": "401",
    "not authorized": "401",
    "payment required": "402",
    "forbidden": "403",
    "method not allowed": "405",
    "not acceptable": "406",
    "proxy authentication required": "407",
    "request timeout": "408",
    "conflict": "409",
    "gone": "410",
    "misdirected request": "421",
    "upgrade required": "426",
    "too many requests": "429",
    "rate exceeded": "429",
    "unavailable for legal reasons": "451",
    "internal server error": "500",
    "not implemented": "501",
    "bad gateway": "502",
    "service unavailable": "503",
    "gateway timeout": "504",
    "http version not supported": "505",
    "network authentication required": "511",
}
"""HTTP statuses by the reason phrases that Go's net/http gives them (StatusText), and by ECR's own."""
