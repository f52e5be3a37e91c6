"""One remediation out of several, for a fault that more than one policy causes."""

from __future__ import annotations

from pull_responder.model.verdict import Remediation


def together(first: Remediation, *others: Remediation) -> Remediation:
    """Return what does all of them, in this order; the account, the region and the page are those of the first.

    All must be of one account, whose credentials run the commands: ValueError otherwise. What has no command stays in
    the summary.
    """
    if any(other.account != first.account for other in others):
        raise ValueError("remediations of different accounts cannot share one set of credentials")
    parts = (first, *others)
    return Remediation(
        summary=" ".join(part.summary for part in parts),
        account=first.account,
        region=first.region,
        docs_url=first.docs_url,
        commands=tuple(command for part in parts for command in part.commands),
    )
