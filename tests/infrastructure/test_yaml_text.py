"""What is written as YAML is read as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.scan_policies import read_template
from infra.yaml_text import Raw, yaml_lines

if TYPE_CHECKING:
    from pathlib import Path

# Words that YAML 1.1 takes for something else, characters with a meaning, and texts of templates.
WORDS = ("no", "On", "null", "~", "1", "1e3", "0x1", "2012-10-17", "12:30", "a: b", "a #b", "- a", "*", "?x", "a:", "")
TEXTS = st.one_of(
    st.sampled_from(
        [*WORDS, "sqs:*", "aws.ecr", "AWS::SQS::Queue", "a, b", "[x]", "{x}", "x]", "'", '"', "!Ref X", "é\n"]
    ),
    # What JSON escapes as two halves, YAML does not join.
    st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=12),
)
SCALARS = st.one_of(TEXTS, st.booleans(), st.integers(0, 10**6))
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4), st.dictionaries(TEXTS, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_what_is_written_is_read_again(value: dict[str, Any]) -> None:
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load("\n".join(yaml_lines(value, 0))) == value


def test_short_forms_of_functions_stand_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "template.yaml"
    value = {"A": Raw("!Ref B"), "C": [Raw("!Sub ${D}"), "e"], "F": {"G": Raw("!If [H, !Ref I, !Ref AWS::NoValue]")}}
    path.write_text("\n".join(yaml_lines(value, 0)))
    assert read_template(str(path)) == {
        "A": {"Ref": "B"},
        "C": [{"Fn::Sub": "${D}"}, "e"],
        "F": {"G": {"Fn::If": ["H", {"Ref": "I"}, {"Ref": "AWS::NoValue"}]}},
    }


@pytest.mark.parametrize("value", [{"a": []}, {"a": {}}, {"a": None}, {"a": 1.5}])
def test_what_templates_do_not_hold_is_not_written(value: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="not written as YAML"):
        yaml_lines(value, 0)
