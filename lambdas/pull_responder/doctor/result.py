"""What the doctor says about one thing: its state, what that means, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import AGAIN, IN_TERMINAL, Refusal, steps_of
from pull_responder.next_steps import merge_steps

if TYPE_CHECKING:
    from pull_responder.model.unread import Unread
    from pull_responder.remediation.shell import Command

_LATER: Final = "Run `pull-responder doctor` again in a few minutes."


class State(StrEnum):
    """How a thing is."""

    WORKS = "works"  # it was read, and it is as the stack needs it
    BROKEN = "broken"  # it was read, and something will not be seen, notified or kept
    OFF = "off"  # it works as the settings say, and they leave something out
    UNREAD = "unread"  # it could not be read, or what was read does not decide it


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One thing and its state.

    - `check`: the id of the check
    - `subject`: the thing, for people
    - `found`: what was read, one sentence; of an unread thing the reason
    - `meaning`: what follows from it, one sentence; empty for what works
    - `step`: what to do where no command does it, one sentence; else empty
    - `commands`: what mends it, one after the other, with credentials of `account`
    - `account`: the account that owns the thing; empty for the account of the stack
    - `region`: the region of the thing; empty for the region of the stack
    - `needs`: the IAM actions that AWS refused, of an unread thing
    - `blinds`: whether failed pulls do not arrive, or are lost, as long as it is so
    """

    check: str
    subject: str
    state: State
    found: str
    meaning: str = ""
    step: str = ""
    commands: tuple[Command, ...] = ()
    account: str = ""
    region: str = ""
    needs: tuple[str, ...] = ()
    blinds: bool = False

    @property
    def key(self) -> str:
        """What tells the thing from all others, whatever its state."""
        return f"{self.check}: {self.subject}"


def works(check: str, subject: str, found: str, *, region: str = "") -> Result:
    """Return that something works."""
    return Result(check=check, subject=subject, state=State.WORKS, found=found, region=region)


def broken(  # noqa: PLR0913 -- the last five are keywords
    check: str,
    subject: str,
    found: str,
    meaning: str,
    *,
    step: str = "",
    commands: tuple[Command, ...] = (),
    account: str = "",
    region: str = "",
    blinds: bool = False,
) -> Result:
    """Return that something does not work. The arguments are the fields of `Result`."""
    return Result(
        check=check,
        subject=subject,
        state=State.BROKEN,
        found=found,
        meaning=meaning,
        step=step,
        commands=commands,
        account=account,
        region=region,
        blinds=blinds,
    )


def off(check: str, subject: str, found: str, meaning: str, *, step: str) -> Result:
    """Return that the settings leave something out."""
    return Result(check=check, subject=subject, state=State.OFF, found=found, meaning=meaning, step=step)


def unread(check: str, subject: str, why: Unread, meaning: str, *, region: str = "") -> Result:
    """Return that something could not be read, and which permission is missing, if that is why.

    `meaning` says what is therefore not known.
    """
    steps = steps_of(why.reason)
    needs = tuple(dict.fromkeys(each.action for each in steps if isinstance(each, Refusal)))
    sentences = [_LATER if each in (AGAIN, IN_TERMINAL) else each for each in steps if isinstance(each, str)]
    step = " ".join(dict.fromkeys((*merge_steps([(why.reason, "")]), *sentences)))
    return Result(
        check=check,
        subject=subject,
        state=State.UNREAD,
        found=why.reason,
        meaning=meaning,
        step=step,
        region=region,
        needs=needs,
    )
