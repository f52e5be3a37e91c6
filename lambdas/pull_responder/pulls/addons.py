"""What an event of EKS about a failing add-on asks: whether the nodes can pull the add-on's images.

What EKS says of the add-on decides whether the failure can be about pulls at all. Sources: Amazon EKS API Reference,
"AddonIssue"; Amazon EKS User Guide, "Troubleshoot problems with Amazon EKS clusters and nodes", add-on health codes,
and "View Amazon container image registries for Amazon EKS add-ons". See docs/adr/0054-add-ons-that-fail.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.events.outcome import Skipped
from pull_responder.events.redaction import redact
from pull_responder.facts.addons import Addon, read_addon
from pull_responder.model.reason import reword
from pull_responder.model.unread import Unread
from pull_responder.pulls.addon_images import IMAGES, IN_EVERY_CLUSTER
from pull_responder.pulls.inspections import questions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.events.eks_change import Inspection
    from pull_responder.facts.reader import Reader
    from pull_responder.pulls.inspections import NodesQuestion

_NOT_ABOUT_PULLS: Final = frozenset(
    {
        "AddonPermissionFailure",
        "AddonSubscriptionNeeded",
        "AdmissionRequestDenied",
        "ClusterUnreachable",
        "ConfigurationConflict",
        "K8sResourceNotFound",
        "UnsupportedAddonModification",
    }
)
"""The codes of health issues that pods which cannot pull do not cause. Of others, and of new ones, it is asked."""

_OF_AWS: Final = "aws"


def event_questions(
    inspection: Inspection, reader: Reader, *, known_principals: tuple[str, ...]
) -> Iterator[NodesQuestion | Unread | Skipped]:
    """Return the questions that an event asks about nodes: `questions`, of an add-on only if it can be about pulls.

    Why an add-on is not asked about is Skipped. What could not be read of it is Unread; the rest is still asked.
    """
    asked = []
    for name in inspection.addons:
        word, is_asked = _judge(name, inspection, reader)
        if word is not None:
            yield word
        if is_asked:
            asked.append(name)
    if inspection.addons and not asked:
        return
    asked_about = replace(inspection, addons=tuple(asked))
    yield from questions(asked_about, reader, known_principals=known_principals)


def _judge(name: str, inspection: Inspection, reader: Reader) -> tuple[Unread | Skipped | None, bool]:
    """Return what there is to say about an add-on, and whether its images are asked about."""
    cluster = inspection.cluster or ""
    title = f"add-on {name} of cluster {cluster}"
    addon = read_addon(reader, inspection.account, inspection.region, cluster, name)
    if isinstance(addon, Unread):
        unread = f"the health of {title} could not be read: {addon.reason}"
        return Unread(reword(addon.reason, unread)), name in IMAGES
    if addon is None:
        # The pods of these also run where EKS does not manage them, and may fail all the same.
        return (None, True) if name in IN_EVERY_CLUSTER else (Skipped(f"{title} does not exist any more"), False)
    if reason := _other_reason(addon):
        return Skipped(f"{title}: {reason}"), False
    if name not in IMAGES and addon.owner not in (None, _OF_AWS):
        return Unread(f"the registry of {title} is not known: it belongs to {redact(addon.owner, limit=80)}"), False
    return None, True


def _other_reason(addon: Addon) -> str:
    """Return why the add-on fails if that is not about pulls; empty if it may be."""
    codes = list(dict.fromkeys(issue.code for issue in addon.issues))
    if not codes or any(code not in _NOT_ABOUT_PULLS for code in codes):
        return ""
    return f"EKS reports {', '.join(codes)}, which is not about pulling its images"
