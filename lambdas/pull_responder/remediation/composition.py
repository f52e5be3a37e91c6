"""Combine several remediations into one, for a cause that needs more than one fix."""

from __future__ import annotations

from pull_responder.model.verdict import Remediation


def combine(first: Remediation, *others: Remediation) -> Remediation:
    """Return one remediation with all summaries and commands, in this order; it can be undone if all of them can.

    Account, region and page are those of `first`. Raises ValueError if the accounts differ, because all commands run
    with the credentials of one account.
    """
    if any(other.account != first.account for other in others):
        raise ValueError("remediations of different accounts cannot share one set of credentials")
    parts = (first, *others)
    run = [part for part in parts if part.commands]
    return Remediation(
        summary=" ".join(part.summary for part in parts),
        account=first.account,
        region=first.region,
        docs_url=first.docs_url,
        commands=tuple(command for part in parts for command in part.commands),
        undo=tuple(command for part in reversed(run) for command in part.undo)
        if all(part.undo for part in run)
        else (),
        short=" ".join(part.short or part.summary for part in parts) if any(part.short for part in parts) else "",
    )
