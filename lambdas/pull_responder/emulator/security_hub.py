"""Patches for moto 5.2's Security Hub CSPM: what it lacks, or does differently from AWS, where that matters here.

The rules on who owns which field, and what an update changes, come from the User Guide: "BatchImportFindings for
finding providers" and "Setting the workflow status of findings". requirements.txt pins moto. A patch whose target is
gone fails at once, so that it never silently does nothing.
"""
# ruff: noqa: ANN401 -- moto's own objects, which are not typed for this

from __future__ import annotations

import json
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pull_responder.emulator import hub_accounts, hub_insights
from pull_responder.emulator.hub_refusals import refusal, require_security_hub

if TYPE_CHECKING:
    from collections.abc import Callable

    _Finding = dict[str, Any]

_CALL_FINDINGS: Final = 100
_FILTER_VALUES: Final = 20
_FILTERS: Final = ("Id", "ProductArn")
# Fields that only customers may change, and fields that both may change. They are stored apart.
_CUSTOMERS: Final = ("Note", "UserDefinedFields", "VerificationState", "Workflow")
_SHARED: Final = ("Confidence", "Criticality", "RelatedFindings", "Severity", "Types")
_UPDATE_PATH: Final = "{0}/findings/batchupdate$"


def apply() -> None:
    """Patch moto in this process. Call it before moto starts; a second time does nothing."""
    models, responses, urls = (import_module(f"moto.securityhub.{name}") for name in ("models", "responses", "urls"))
    backend, answering = models.SecurityHubBackend, responses.SecurityHubResponse
    if backend.get_findings.__module__ == __name__:
        return
    if hasattr(answering, "batch_update_findings"):
        raise RuntimeError("moto knows BatchUpdateFindings now: review the patches of its Security Hub")
    paginated = import_module("moto.utilities.paginator").paginate(pagination_model=backend.PAGINATION_MODEL)
    backend.get_findings = paginated(get_findings)
    backend.batch_import_findings = _importer(backend.batch_import_findings)
    stock: Callable[[Any], str] = answering.get_current_account
    answering.get_current_account = lambda own: hub_accounts.account_of(own, stock)
    answering.batch_update_findings = batch_update_findings
    urls.url_paths[_UPDATE_PATH] = answering.dispatch
    hub_insights.serve(answering, urls.url_paths)


def get_findings(
    backend: Any, filters: dict[str, Any] | None = None, sort_criteria: Any = None, max_results: Any = None
) -> list[_Finding]:
    """GetFindings ignores filters, and whether Security Hub is on. Here the filters that we use work, others fail."""
    require_security_hub(backend)
    wanted = filters or {}
    values = {name: {each["Value"] for each in wanted[name] if each["Comparison"] == "EQUALS"} for name in wanted}
    if (
        sort_criteria
        or not set(wanted) <= set(_FILTERS)
        or any(len(values[name]) < len(wanted[name]) for name in wanted)
    ):
        raise NotImplementedError(f"the emulated Security Hub knows no such filters: {wanted} {sort_criteria}")
    if any(len(each) > _FILTER_VALUES for each in values.values()):
        raise refusal("InvalidInputException", f"An attribute has at most {_FILTER_VALUES} filter values")
    if max_results and not 0 < int(max_results) <= _CALL_FINDINGS:
        raise refusal("InvalidInputException", f"MaxResults is at most {_CALL_FINDINGS}")
    stored = [each.as_dict() for each in backend.findings]
    return [each for each in stored if all(each[name] in values[name] for name in values)]


def _importer(stock: Callable[..., Any]) -> Callable[..., Any]:
    """BatchImportFindings replaces the stored finding, whatever its age, and sets no workflow status."""

    def batch_import_findings(backend: Any, findings: list[_Finding]) -> tuple[int, int, list[dict[str, Any]]]:
        require_security_hub(backend)
        if not 0 < len(findings) <= _CALL_FINDINGS:
            raise refusal("InvalidInputException", f"A call takes 1 to {_CALL_FINDINGS} findings")
        for each in findings:
            _require_own_product(backend, each)
        answers = [import_one(backend, each) for each in findings]
        failed = [error for _, errors in answers for error in errors]
        return len(failed), sum(succeeded for succeeded, _ in answers), failed

    def import_one(backend: Any, finding: _Finding) -> tuple[int, list[dict[str, Any]]]:
        known = next((each for each in backend.findings if each.id == finding.get("Id")), None)
        if known is None or not finding["Resources"]:
            _, succeeded, errors = stock(backend, [_create(finding)])
            return succeeded, errors
        # Inference: an update that is ignored for its age counts as a success. AWS documents no error for it.
        if _moment(finding) > _moment(known.data):
            known.data = _update(known, finding)
        return 1, []

    return batch_import_findings


def _require_own_product(backend: Any, finding: _Finding) -> None:
    """Refuse a finding of another account. User Guide, "Integrating Security Hub CSPM with custom products": with the
    default product ARN, it takes only findings whose AwsAccountId is the caller's account.
    """
    account = backend.account_id
    own = f":securityhub:{backend.region_name}:{account}:product/{account}/default"
    if not finding["ProductArn"].endswith(own) or finding["AwsAccountId"] != account:
        words = f"not authorized to perform: securityhub:BatchImportFindings on resource: {finding['ProductArn']}"
        raise refusal("AccessDeniedException", f"Account {account} is {words}")


def batch_update_findings(answering: Any) -> str:
    """BatchUpdateFindings does not exist."""
    backend, asked = answering.securityhub_backend, json.loads(answering.body)
    require_security_hub(backend)
    identifiers = asked.pop("FindingIdentifiers")
    if not 0 < len(identifiers) <= _CALL_FINDINGS:
        raise refusal("InvalidInputException", f"A call takes 1 to {_CALL_FINDINGS} findings")
    processed, unprocessed = [], []
    for identifier in identifiers:
        known = next((each for each in backend.findings if identifier.items() <= each.data.items()), None)
        if identifiers.count(identifier) > 1:
            unprocessed.append(
                _unprocessed(identifier, "DuplicatedFindingIdentifier", "Finding Identifier is duplicated")
            )
        elif known is None:
            unprocessed.append(_unprocessed(identifier, "FindingNotFound", "Finding Not Found"))
        else:
            known.data |= asked
            known.changed_by_customer = _changed_fields(known) | asked.keys()
            processed.append(identifier)
    return json.dumps({"ProcessedFindings": processed, "UnprocessedFindings": unprocessed})


def _create(finding: _Finding) -> _Finding:
    provided = _provider_fields(finding, {})
    return {
        "RecordState": "ACTIVE",
        "Workflow": {"Status": "NEW"},
        **finding,
        **provided,
        "FindingProviderFields": provided,
    }


def _update(known: Any, finding: _Finding) -> _Finding:
    """A finding that is sent again replaces the stored one, CreatedAt too. To keep CreatedAt is up to the provider."""
    before = known.data
    provided = _provider_fields(finding, before["FindingProviderFields"])
    sent = {name: value for name, value in finding.items() if name not in _CUSTOMERS}
    kept = {name: before[name] for name in (*_CUSTOMERS, *_changed_fields(known)) if name in before}
    after = {"RecordState": "ACTIVE", **provided, **sent, **kept, "FindingProviderFields": provided}
    if _reopens(before, after) and before["Workflow"]["Status"] in {"NOTIFIED", "RESOLVED"}:
        after["Workflow"] = {"Status": "NEW"}
    return after


def _provider_fields(finding: _Finding, before: _Finding) -> _Finding:
    """The provider's own fields: those under FindingProviderFields, else the top-level ones, else the stored ones."""
    top = {name: finding[name] for name in _SHARED if name in finding}
    return {**before, **top, **finding.get("FindingProviderFields", {})}


def _reopens(before: _Finding, after: _Finding) -> bool:
    compliance = [each.get("Compliance", {}).get("Status") for each in (before, after)]
    activated = (before["RecordState"], after["RecordState"]) == ("ARCHIVED", "ACTIVE")
    return activated or (compliance[0] == "PASSED" and compliance[1] in {"FAILED", "WARNING", "NOT_AVAILABLE"})


def _changed_fields(known: Any) -> set[str]:
    changed: set[str] = getattr(known, "changed_by_customer", set())
    return changed


def _moment(finding: _Finding) -> datetime:
    return datetime.fromisoformat(finding["UpdatedAt"])


def _unprocessed(identifier: dict[str, str], code: str, message: str) -> dict[str, Any]:
    return {"FindingIdentifier": identifier, "ErrorCode": code, "ErrorMessage": message}
