"""What Amazon S3 answers to the request for a layer: its codes, in XML and alone, and what only looks like one."""

from __future__ import annotations

import pytest

from pull_responder.events.meaning import Meaning
from pull_responder.events.s3_errors import is_from_s3, read_s3_error, read_s3_words
from pull_responder.model.pull import Answer, Symptom

CODES = {
    "AccessDenied": Meaning(Symptom.ACCESS_DENIED),
    "RequestTimeTooSkewed": Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL),
    "SignatureDoesNotMatch": Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL),
    "InvalidAccessKeyId": Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL),
    "AuthorizationQueryParametersError": Meaning(Symptom.REGISTRY_ERROR, answer=Answer.SIGNED_URL),
    "ExpiredToken": Meaning(Symptom.REGISTRY_ERROR, answer=Answer.SIGNED_URL),
    "InvalidToken": Meaning(Symptom.REGISTRY_ERROR, answer=Answer.SIGNED_URL),
    "NoSuchBucket": Meaning(Symptom.NOT_FOUND, answer=Answer.OBJECT),
    "NoSuchKey": Meaning(Symptom.NOT_FOUND, answer=Answer.OBJECT),
    "NoSuchVersion": Meaning(Symptom.NOT_FOUND, answer=Answer.OBJECT),
    "InternalError": Meaning(Symptom.REGISTRY_ERROR),
    "ServiceUnavailable": Meaning(Symptom.REGISTRY_ERROR),
    "SlowDown": Meaning(Symptom.REGISTRY_ERROR),
}
KEY = Meaning(Symptom.ACCESS_DENIED, answer=Answer.KEY)
SIGNED_URL = Meaning(Symptom.ACCESS_DENIED, answer=Answer.SIGNED_URL)


def answer(code: str, message: str = "") -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'


@pytest.mark.parametrize(("code", "meaning"), CODES.items())
def test_what_a_code_means_in_xml_and_alone(code: str, meaning: Meaning) -> None:
    assert read_s3_error(answer(code, "x")) == read_s3_error(f"<Error><Code>{code}</Code>") == meaning
    assert read_s3_words(code) == read_s3_words(f' "{code}." ') == meaning


@pytest.mark.parametrize("link", ["XAccessDenied", "AccessDeniedX", "accessdenied", "Access Denied", "Forbidden", ""])
def test_what_is_no_code_of_s3_alone_means_nothing(link: str) -> None:
    assert read_s3_words(link) is None


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        ("AccessDenied", "Request has expired", SIGNED_URL),
        ("AccessDenied", "Access Denied", CODES["AccessDenied"]),
        ("AccessDenied", "Access Denied: Request has expired", CODES["AccessDenied"]),
        ("NoSuchKey", "Request has expired", CODES["NoSuchKey"]),
        ("KMS.DisabledException", "arn:x is disabled.", KEY),
        ("KMS.NotFoundException", "", KEY),
        ("AccessDenied", "The ciphertext refers to a customer master key that does not exist", KEY),
        ("AccessDenied", "User is not authorized to perform: kms:Decrypt on this resource", KEY),
        ("AccessDenied", "skms and KMSX are names", CODES["AccessDenied"]),
        ("Teapot", "", Meaning(Symptom.UNKNOWN, answer=Answer.HTTP)),
    ],
)
def test_what_the_message_adds_to_a_code(code: str, message: str, meaning: Meaning) -> None:
    assert read_s3_error(answer(code, message)) == meaning


def test_an_expired_url_is_known_by_its_words_alone() -> None:
    assert read_s3_words("Request has expired") == read_s3_words("'Request has expired.'") == SIGNED_URL


def test_the_last_of_several_answers_counts_and_none_is_none() -> None:
    assert read_s3_error(f"{answer('SlowDown')} then {answer('NoSuchKey')}") == CODES["NoSuchKey"]
    assert read_s3_error("<Error>AccessDenied</Error>") is None


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        (answer("SlowDown"), True),
        (answer("SlowDown")[:50], True),
        ("<Error><Code>SlowDown</Code></Error>", False),
        ('<?xml version="1.0"?><html>', False),
    ],
)
def test_an_answer_that_was_cut_is_known_by_its_start(text: str, *, is_so: bool) -> None:
    assert is_from_s3(text) is is_so
