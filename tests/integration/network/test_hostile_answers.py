"""Answers of AWS that lack a part, and reads that are refused, anywhere in an estate of four accounts.

Nothing is found then that is not so, and what is broken is never fine. `PULL_RESPONDER_ESTATES=300 pytest` with this
file tries that many answers, and others each time.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from tests.integration.network.enterprise import Enterprise, enterprise
from tests.integration.network.estate import ACCOUNT, NetworkEstate, causes
from tests.integration.network.test_enterprise import ACL, BREAKS, INGRESS, NO_ROUTE, TGW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.diagnosis import Diagnosis

_ASKED: Final = os.environ.get("PULL_RESPONDER_ESTATES")
_EXAMPLES: Final = int(_ASKED or 12)
# Of what a pull needs beside its way: the questions about it have tests of their own.
_SERVICES: Final = ("ec2", "route53", "route53resolver", "route53profiles", "network-firewall")


@dataclass
class Interference:
    """What happens to the answers of AWS: reads that are refused, and one part that is missing.

    `asked` has each read, with the account that was asked.
    """

    refused: frozenset[tuple[str, str]] = frozenset()
    cut: tuple[str, str] = ("", "")
    dice: Random = field(default_factory=Random)
    asked: dict[tuple[str, str], None] = field(default_factory=dict)
    missing: str = ""
    _accounts: dict[str, str] = field(default_factory=dict)
    _contexts: dict[int, tuple[str, str]] = field(default_factory=dict)

    def before(self, **call: Any) -> Any:  # noqa: ANN401 -- as botocore calls it
        model = call["model"]
        action = f"{model.service_model.service_name}:{model.name}"
        key = call["request_signer"]._credentials.access_key
        read = action, self._accounts.get(key, ACCOUNT)
        call["context"]["pull_responder_read"] = read
        if read[0].partition(":")[0] in _SERVICES:
            self.asked[read] = None
        if read not in self.refused:
            return None
        error = {"Code": "UnauthorizedOperation", "Message": "refused"}
        return AWSResponse("", 403, HTTPHeaders(), None), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 403}}

    def after(self, **call: Any) -> None:  # noqa: ANN401 -- the same
        parsed, read = call["parsed"], call["context"].get("pull_responder_read")
        if "Credentials" in parsed:
            account = parsed["AssumedRoleUser"]["Arn"].split(":")[4]
            self._accounts[parsed["Credentials"]["AccessKeyId"]] = account
        if read == self.cut and not self.missing:
            parts = list(_parts(parsed, ""))
            if parts:
                self.missing, holder, name = self.dice.choice(parts)
                del holder[name]

    def diagnosis(self, whole: Enterprise) -> Diagnosis:
        spoke = whole.spoke
        parsed = parse_image(spoke.image)
        assert parsed
        aws = spoke.aws()
        aws._session.events.register("before-call", self.before)
        aws._session.events.register("after-call", self.after)
        (answer,) = ask(Reader(aws), parsed, Chosen(spoke.name, instance=spoke.instance), ())
        return answer.diagnosis


def _parts(answer: Any, where: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 -- an answer of AWS
    """Return each member of an answer's structures that is no list: its path, what holds it, and its name.

    A list that is missing may be an empty one.
    """
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name != "ResponseMetadata":
                if not isinstance(value, list):
                    yield f"{where}.{name}", answer, name
                yield from _parts(value, f"{where}.{name}")
    elif isinstance(answer, list):
        for each in answer:
            yield from _parts(each, f"{where}[]")


def _no_break(_: Enterprise) -> None:
    pass


def _shut(whole: Enterprise) -> None:
    whole.shut_hub()


_BROKEN: Final[dict[str, tuple[Callable[[Enterprise], object], str]]] = {
    "nothing": (_no_break, ""),
    "the hub's group": (_shut, INGRESS),
    **{
        name: (BREAKS[name].make, BREAKS[name].cause)
        for name in (
            "no route at the gateway",
            "no way back at the gateway",
            "no subnet in the node's zone",
            "no way back from the NAT gateway",
            "the ACL of the egress VPC's attachment",
        )
    },
}
assert {cause for _, cause in _BROKEN.values()} == {"", INGRESS, TGW, NO_ROUTE, ACL}


@pytest.fixture
def whole(estate: NetworkEstate) -> Enterprise:
    """The estate. The registry's and the API's names lead to the hub, S3's to the egress VPC."""
    found = enterprise(estate)
    found.zone("ecr.api", "")
    found.zone("ecr.dkr", "*")
    return found


def _hold(diagnosis: Diagnosis, cause: str, shown: object) -> None:
    """Only the planted cause is found, and if it is not, something is open."""
    assert set(causes(diagnosis)) <= {cause}, (shown, [each.explanation for each in diagnosis.findings])
    if cause and not diagnosis.findings:
        assert diagnosis.inconclusive, shown


@pytest.mark.parametrize("name", _BROKEN)
def test_reads_that_are_refused_invent_nothing(whole: Enterprise, name: str) -> None:
    make, cause = _BROKEN[name]
    make(whole)
    seen = Interference()
    assert causes(seen.diagnosis(whole)) == ([cause] if cause else [])
    dice = Random(name) if _ASKED is None else Random()  # noqa: S311 -- nothing is kept secret
    reads = list(seen.asked)
    for read in dice.sample(reads, min(len(reads), _EXAMPLES if _ASKED else 3)):
        _hold(Interference(refused=frozenset({read})).diagnosis(whole), cause, read)


@pytest.mark.parametrize("name", _BROKEN)
def test_answers_that_lack_a_part_invent_nothing(whole: Enterprise, name: str) -> None:
    make, cause = _BROKEN[name]
    make(whole)
    seen = Interference()
    seen.diagnosis(whole)
    dice = Random(name) if _ASKED is None else Random()  # noqa: S311 -- nothing is kept secret
    for _ in range(_EXAMPLES if _ASKED else 3):
        cut = Interference(cut=dice.choice(list(seen.asked)), dice=dice)
        found = cut.diagnosis(whole)
        _hold(found, cause, (cut.cut, cut.missing))
