"""The pages of AWS's documentation."""

from __future__ import annotations

from pull_responder.remediation import docs


def test_every_fix_can_name_a_page_of_its_own() -> None:
    pages = [value for name, value in vars(docs).items() if name.isupper() and not name.startswith("_")]
    assert pages
    assert len(set(pages)) == len(pages)
    for page in pages:
        assert page.startswith("https://docs.aws.amazon.com/")
        assert page.partition("#")[0].endswith(".html")
