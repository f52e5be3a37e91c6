"""Recognize the body of an answer that Amazon ECR does not give: a page for people, or the words of a gateway.

Amazon ECR answers a registry's client with JSON, {"errors": [...]} (OCI Distribution Specification, "Error Codes"), or
with a few words. Storage answers with XML (s3_errors.py). HTML comes from a filter, a proxy, a portal or a gateway in
between. What shows bodies: containers/image (docker/errors.go, `StatusCode: 403, "<html>…"`), docker/distribution
(registry/client/errors.go, `error parsing HTTP 403 response body: …`, `denied: <html>…`) and go-containerregistry.
containerd shows none that is not JSON (core/remotes/docker/fetcher.go, core/remotes/errors).
"""

from __future__ import annotations

import re
from typing import Final

# Doctypes and first elements of a page. XHTML begins as XML does.
_HTML: Final = re.compile(
    r"(?:<|\\u003c)(?:!--|(?:!doctype\s{1,4}html|html|head|body|title|center|h1|meta|script|style|div|p)\b)",
    re.IGNORECASE,
)
# A body that is no JSON, of which the message shows no more. Storage answers so for layers alone.
_NO_JSON: Final = re.compile(
    r"http [1-5][0-9]{2} response body: invalid character '<' looking for beginning of value", re.IGNORECASE
)
_XML: Final = re.compile(r"<\?xml|<error>", re.IGNORECASE)

# Envoy, so Istio's gateways and Cilium, too (source/common/router, extensions/filters/http/rbac); Squid's pages
# (errors/templates); Cloudflare's; and what filters of the web call theirs. Names of images have neither spaces nor
# brackets, and may have Squid's word: it counts where no part of a name stands before it.
_GATEWAYS: Final = re.compile(
    r"rbac: access denied|upstream connect error or disconnect/reset before headers|no healthy upstream|"
    r"upstream request timeout|(?<![\w./:@-])err_access_denied|\(squid/|web page blocked|"
    r"<center>(?:cloudflare|nginx|openresty)\b|"
    # Cilium's words with 403, those of Go's net/http and ingress-nginx with 404, and a filter's, as CRI-O quotes them.
    r"statuscode: 403, \"access denied(?=[:\\\\\"]|$)|\"404 page not found|default backend - 404|"
    r"statuscode: 4[0-9]{2}, \"[^\"{]{0,100}\bblocked\b",
    re.IGNORECASE,
)


def has_html(text: str) -> bool:
    """Return whether `text` has the start of a page for people."""
    return _HTML.search(text) is not None


def is_page(text: str, *, may_be_storage: bool) -> bool:
    """Return whether `text`, the message of a failed request, shows a body that Amazon ECR does not give.

    `may_be_storage` says that the storage of layers may have answered, which does so in XML.
    """
    if has_html(text) or is_gateways(text):
        return True
    return not may_be_storage and _NO_JSON.search(text) is not None and _XML.search(text) is None


def is_gateways(text: str) -> bool:
    """Return whether a body has words that only a gateway, a proxy or a filter says."""
    return _GATEWAYS.search(text) is not None


def is_cloudflares(text: str) -> bool:
    """Return whether a body is a page of Cloudflare's."""
    return "<center>cloudflare" in text.lower()
