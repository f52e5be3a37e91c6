"""What counts as an answer of AWS. A status of 200 alone does not make one.

The SDK raises for a body that it cannot parse, in many ways, and tries none of them again. A body of another shape it
takes for an answer without members: an empty listing, a setting that is off. So each answer is compared with the shape
that the SDK's model has for it.

Source: botocore, parsers.py and endpoint.py: parsing comes after the retries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from botocore.awsrequest import AWSResponse
    from botocore.model import OperationModel, ServiceModel

T = TypeVar("T")

# What an answer of another shape makes the SDK's parsers, and the code that reads the answer, raise.
_OTHER_SHAPE: Final = (
    ResponseParserError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_READS: Final = ("Describe", "Get", "List", "BatchGet", "Search", "AssumeRole")
_FIRST_ERROR: Final = 300


class IncompleteAnswerError(BotoCoreError):
    """AWS answered, but the answer lacks what it always has."""

    fmt = "the answer lacks {missing}"


class EndlessListingError(BotoCoreError):
    """A listing has more pages than are read."""

    fmt = "the listing has more than {pages} pages"


BROKEN: Final = (IncompleteAnswerError, *_OTHER_SHAPE)
"""What reading an answer raises that is garbage, cut off, empty or of another shape."""


def ask(request: Callable[[], T]) -> T:
    """Return the result of `request`. It runs once more if the answer is broken.

    Raises what `request` raises, IncompleteAnswerError where the second answer is broken too.
    """
    try:
        return request()
    except BROKEN:
        pass
    try:
        return request()
    except _OTHER_SHAPE as error:
        raise IncompleteAnswerError(missing=f"what it should hold ({type(error).__name__})") from error


def check_answer(http_response: AWSResponse, parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
    """Raise IncompleteAnswerError for the answer to a read that lacks all members, or one that it always has.

    A handler of the SDK's event after-call.
    """
    shape = model.output_shape
    if http_response.status_code >= _FIRST_ERROR or shape is None or not model.name.startswith(_READS):
        return
    # Scalars beside what was asked for, such as a listing's MaxItems, may be left out whatever the model says.
    holding = [each for each in shape.required_members if shape.members[each].type_name in ("list", "map", "structure")]
    missing = [each for each in holding if each not in parsed]
    is_empty = not any(each in parsed for each in shape.members)
    if is_empty and not may_omit_lists(model.service_model, parsed):
        missing = list(shape.members)[:3]
    if missing:
        raise IncompleteAnswerError(missing=", ".join(missing))


def may_omit_lists(service: ServiceModel, parsed: Mapping[str, Any]) -> bool:
    """Return whether an answer may have left out an empty list: whether it is one of the query APIs, which answer XML.

    Such an answer has its request's id in its body. Inference: these services write their empty lists, but nothing
    documents it. Inference, from the examples in the API references: services that answer JSON write them.
    """
    return service.resolved_protocol in ("ec2", "query") and "RequestId" in parsed.get("ResponseMetadata", {})
