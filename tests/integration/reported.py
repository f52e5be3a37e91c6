"""The page of each diagnosis that a test makes: its policies are marked in place, and it can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pull_responder.cli.as_json import diagnosis_object
from pull_responder.model.verdict import Status
from pull_responder.page.diagnosis_page import ReportedPull, diagnosis_page

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis

# What a check says that denies, in the words of `quote_denies`.
_QUOTED = ", statement "


def reported(diagnosis: Diagnosis) -> str:
    """Return the page of a diagnosis, once what it shows of policies is sound."""
    failed = {each.cause: each for each in diagnosis.examined if each.status is Status.FAILED}
    for finding in diagnosis.findings:
        policies = failed[finding.cause].policies if finding.cause in failed else ()
        for policy in policies:
            statements: Any = policy.document.get("Statement")
            listed: list[Any] = statements if isinstance(statements, list) else [statements]
            assert all(0 <= index < len(listed) for index in policy.statements), (finding.cause, policy)
            effects = {listed[index]["Effect"] for index in policy.statements}
            assert effects <= {"Allow", "Deny"}, (finding.cause, effects)
        quoted = [line for line in finding.evidence if _QUOTED in line and '"Deny"' in line]
        marked = [each for each in policies if each.statements]
        assert not quoted or marked, f"{finding.cause} quotes a statement, and its policy has none marked: {quoted}"
    object_ = diagnosis_object(diagnosis)
    page = diagnosis_page([ReportedPull(diagnosis, None, None, None, object_)], (), made="Read now", by="A test")
    assert all(f">{finding.cause}<" in page for finding in diagnosis.findings)
    return page
