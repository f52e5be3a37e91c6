"""What the operator has decided about the form of notifications."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from pull_responder.publish.console import object_url
from pull_responder.settings import SCHEMAS

_CAUSE: Final = re.compile(r"[a-z0-9_]{1,80}")


@dataclass(frozen=True, slots=True)
class Style:
    """How notifications are written.

    - `schema`: the version of the JSON document, one of `SCHEMAS`.
    - `runbook_url`: the address of a cause's page, with "{cause}" where its name belongs; None for no links to them.
    - `report_bucket`, `region`: the bucket of reports and its region; None for no links to them.
    """

    schema: str = SCHEMAS[0]
    runbook_url: str | None = None
    report_bucket: str | None = None
    region: str = ""

    def report(self, page: str) -> str | None:
        """Return the URL of the page with this key; None if there is none."""
        return object_url(self.report_bucket, page, self.region) if self.report_bucket and page else None

    def runbook(self, cause: str) -> str | None:
        """Return the URL of a cause's page; None if nobody has said where the pages are."""
        if self.runbook_url is None or _CAUSE.fullmatch(cause) is None:
            return None
        return self.runbook_url.replace("{cause}", cause)
