"""What has changed, for mail and chat alike: what grew, how it ended, and who changed the resource.

Each function takes `say`, as in `telling`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.findings.clock import minute
from pull_responder.findings.notice import IT_GREW, Edge
from pull_responder.findings.problem import seconds_of
from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.deed import Deed
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

    Say = Callable[[str, int], str]

_CAME_BACK: Final = "It came back after it was resolved: look whether something undoes the fix."
# The id of an event in the words of a deed, which are stored with the finding.
_EVENT: Final = re.compile(r" \(event [\w-]{1,64}\)")

_NAME: Final = 100
_FIELD: Final = 600
_SENTENCE: Final = 1_500


def time_words(text: str, say: Say) -> str:
    """Return a time of ISO 8601 to the minute; what is none, as it is."""
    seconds = seconds_of(text)
    return minute(seconds) if seconds is not None else say(text, _NAME)


def before_fix(alert: Alert, say: Say) -> list[str]:
    """Return what people have to know before they do what is asked: that it came back, or what has got worse."""
    if alert.edge is Edge.BACK:
        return [_CAME_BACK]
    if alert.edge is not Edge.WORSE:
        return []
    # Whatever a reason holds, it begins no line of the message.
    grown = (say(without_ids(each.because).removeprefix(IT_GREW).strip(), _SENTENCE) for each in alert.notices)
    return [*(f"{IT_GREW} {each}" for each in dict.fromkeys(grown) if each), *_broke(alert, say)]


def what_changed(alert: Alert, say: Say, limit: int) -> list[str]:
    """Return what has changed: what grew or when it had been resolved, and who changed the resource before it broke."""
    return [*reasons(alert, say, limit), *_broke(alert, say)]


def grew(alert: Alert, say: Say) -> str:
    """Return what has grown, as a short sentence; empty unless it has got worse."""
    because = alert.worst.because if alert.edge is Edge.WORSE else ""
    words = say(because.removeprefix(IT_GREW).strip(), _FIELD)
    return words[:1].upper() + words[1:]


def fixed_by(alert: Alert, say: Say) -> list[str]:
    """Return who changed the resources right before they were resolved, a line for each call."""
    finding = alert.worst.finding
    return [f"Changed before it was resolved: {_dated(each, finding, say)}" for each in deeds_before_end(alert.notices)]


def deeds_before_end(notices: Sequence[Notice]) -> list[Deed]:
    """Return the changes of the resources right before they were resolved, each once."""
    return list(dict.fromkeys(deed for each in notices for deed in _told_of(each)))


def short_deed(deed: Deed, finding: Finding, say: Say) -> str:
    """Return what was done and by whom in few words, as "AttachRolePolicy by admin/jo".

    An account is named only if it is not that of the resource.
    """
    arn = Arn.parse(deed.by)
    who = arn.resource.removeprefix("assumed-role/") if arn else deed.by
    foreign = f" of account {arn.account}" if arn and arn.account != finding.account else ""
    return f"{say(deed.call, _NAME)} by {say(f'{who}{foreign}', _NAME)}"


def event_ids(notice: Notice, say: Say) -> list[str]:
    """Return the ids of CloudTrail's events that the message tells of, for who looks them up, and by whom, a line each.

    Above, who made the call has a short name.
    """
    deeds = [*filter(None, [notice.broken_by]), *_told_of(notice)]
    lines = []
    for each in deeds:
        event = f"CloudTrail event: {say(each.event_id, _NAME)}, by " if each.event_id else "Changed by: "
        lines.append(f"{event}{say(each.by, _FIELD)}")
    return lines


def reasons(alert: Alert, say: Say, limit: int) -> list[str]:
    """Return the reasons of the notices, each once: what grew, or when it had been resolved. Without events' ids."""
    because = (say(without_ids(each.because), limit) for each in alert.notices if each.because)
    return [each for each in dict.fromkeys(because) if each]


def without_ids(because: str) -> str:
    """Return the reason of a notice without the ids of CloudTrail's events."""
    return _EVENT.sub("", because)


def changes_unread(notice: Notice, say: Say) -> Iterator[str]:
    """Yield why it is not known who changed the resource before it broke, if that is to be told."""
    if notice.changes_unread and not notice.broken_by and notice.edge is not Edge.RESOLVED:
        yield f"Who changed it is not known: {say(notice.changes_unread, _FIELD)}"


def _broke(alert: Alert, say: Say) -> list[str]:
    finding = alert.worst.finding
    deeds = dict.fromkeys(each.broken_by for each in alert.notices if each.broken_by)
    return [f"Changed before it broke: {_dated(each, finding, say)}" for each in deeds]


def _dated(deed: Deed, finding: Finding, say: Say) -> str:
    return f"{short_deed(deed, finding, say)}, {time_words(deed.at, say)}"


def _told_of(notice: Notice) -> list[Deed]:
    """Return the calls that the sentence about the end tells of. Others have nothing to do with it."""
    return [each for each in notice.fixed_by if each.words in notice.because]


def how_it_ended(notice: Notice) -> str:
    """Return the sentence that says how a finding ended, without the calls that `findings.ending` appended."""
    because = notice.because
    for deed in notice.fixed_by:
        for words in (f"; {deed.words} at {deed.at}", f"; {deed.words}"):
            because = because.replace(words, "")
    return because
