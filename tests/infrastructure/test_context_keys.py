"""A key of the context that misses the prefix of the settings is refused, and a key of somebody else is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.setting_checks import SettingsError
from infra.setting_sources import read_settings
from infra.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        # The name of the stack.
        ("PullResponder.logLevel", "DEBUG", "pullResponder.logLevel"),
        ("PullResponder:removeData", "true", "pullResponder.removeData"),
        ("PullResponder:pullResponder.logLevel", "DEBUG", "pullResponder.logLevel"),
        ("PullResponder.keepdays", "30", "pullResponder.keepDays"),
        ("PullResponder.keepDay", "30", "pullResponder.keepDays"),
        ("PullResponder.severities.image_not_found", "HIGH", "pullResponder.severities"),
        ("PullResponder.tags", "{}", "pullResponder.tags"),
        ("PullResponder:settings", "prod.json", "settings"),
        ("pullResponder.log_level", "DEBUG", None),
        ("pullresponder.logLevel", "DEBUG", "pullResponder.logLevel"),
        ("pullResponder:logLevel", "DEBUG", "pullResponder.logLevel"),
        ("pullResponder/tableName", "findings", "pullResponder.tableName"),
        ("pull-responder.log-level", "DEBUG", "pullResponder.logLevel"),
        ("pullResponderLogLevel", "DEBUG", "pullResponder.logLevel"),
        ("PULL_RESPONDER_LOG_LEVEL", "DEBUG", "pullResponder.logLevel"),
        ("pullRespnder.logLevel", "DEBUG", "pullResponder.logLevel"),
        ("pullResponders.tags", "{}", "pullResponder.tags"),
        ("PullRespoder/vpc", "null", "pullResponder.vpc"),
        ("PullResponder", '{"logLevel": "DEBUG"}', "pullResponder"),
        ("pullresponder", "{}", "pullResponder"),
        ("pull-responder", {"logLevel": "DEBUG"}, "pullResponder"),
        ("pullRespnder", ' {"logLevel": "DEBUG"}', "pullResponder"),
    ],
)
def test_a_key_that_misses_the_prefix_is_refused_with_the_right_form(
    key: str, value: object, right: str | None, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as invalid:
        read_settings({key: value}, tmp_path)
    if right:
        assert str(invalid.value) == f"cdk -c: {key} is to be written as {right}"
    else:
        assert str(invalid.value) == f"cdk -c: {key} is not a setting; the nearest is logLevel"


def test_a_key_that_could_break_the_line_is_written_in_quotes(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as invalid:
        read_settings({"PullResponder.\nlogLevel": "DEBUG"}, tmp_path)
    assert str(invalid.value) == "cdk -c: 'PullResponder.\\nlogLevel' is to be written as pullResponder.logLevel"


@pytest.mark.parametrize(
    "key",
    [
        "@aws-cdk/core:tags",
        "@aws-cdk/pull-responder:logLevel",
        "aws-cdk:enableDiffNoFail",
        "aws:cdk:enable-path-metadata",
        "cdk-migrate",
        "availability-zones:account=111111111111:region=eu-west-1",
        "ssm:account=111111111111:parameterName=/pullResponder/logLevel:region=eu-west-1",
        "pullResponder/ssm:account=111111111111:parameterName=/a/vpc:region=eu-west-1",
        "vpc-provider:account=111111111111:filter.tag:Name=pullResponder:region=eu-west-1:vpc",
        "myApp.tags",
        "myApp:vpc",
        "MyApp/logLevel",
        "tags",
        "vpc",
        "responder.logLevel",
        "imagePullResponder.tags",
        "pullRequestResponder.tags",
        "pullResponse",
        "pullResponse.tags",
        "github.com/acme/pull-responder/tags",
        "pullRespond.stages",
        "PullResponder:bucketArn",
        "PullResponders",
        "",
        ".",
        ".logLevel",
        "p" * 50_000 + ".logLevel",
    ],
)
@pytest.mark.parametrize("value", ["x", "DEBUG", True, None])
def test_a_key_of_cdk_or_of_another_app_is_left_alone(key: str, value: object, tmp_path: Path) -> None:
    assert read_settings({key: value}, tmp_path) == Settings()


def test_an_object_of_another_app_is_left_alone(tmp_path: Path) -> None:
    others = {"pullResponse": {"logLevel": "DEBUG"}, "imagePullResponder": "{}", "responder": {"tags": {}}}
    assert read_settings(others, tmp_path) == Settings()
