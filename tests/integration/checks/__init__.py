"""What tests assert through these modules is explained as in a test itself."""

import pytest

pytest.register_assert_rewrite("tests.integration.checks.estate", "tests.integration.checks.by_words")
