"""Where the stack stands in an account is checked when it is synthesized."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from infra import Settings, SettingsError, Vpc
from infra.permissions import PERMISSIONS_FILE
from infra.setting_sources import read_settings

if TYPE_CHECKING:
    from pathlib import Path

KEY = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SUBNET, GROUP = "subnet-0123456789abcdef0", "sg-0123456789abcdef0"
VPC: dict[str, Any] = {"subnetIds": [SUBNET], "securityGroupIds": [GROUP]}


def read(folder: Path, given: object) -> Settings:
    (folder / "pull-responder.json").write_text(json.dumps(given))
    return read_settings({}, folder)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"tableName": "a/b"},
            "tableName must be 3 to 255 letters, digits, dots, hyphens or underscores, or null, not",
        ),
        ({"tableName": "ab"}, "tableName must be 3 to 255 letters"),
        ({"tableName": ""}, "tableName must be 3 to 255 letters"),
        ({"existingTable": "findings"}, "existingTable must be true or false, not 'findings'"),
        (
            {"existingTable": True},
            "existingTable is true, but cdk.json: pullResponder.tableName does not name the table",
        ),
        (
            {"tableName": "findings", "existingTable": True, "removeData": True},
            "existingTable and pull-responder.json: removeData are both true, but the stack cannot delete a table that",
        ),
        ({"removeData": "yes"}, "removeData must be true or false, not 'yes'"),
        ({"encryptionKeyArn": "alias/findings"}, "encryptionKeyArn must be the ARN of a KMS key"),
        (
            {"encryptionKeyArn": "arn:aws:kms:eu-west-1:111111111111:alias/findings"},
            "encryptionKeyArn must be the ARN of a KMS key (…:key/UUID or …:key/mrk-ID, not an alias) or null, not",
        ),
        ({"encryptionKeyArn": KEY.replace("111111111111", "1111")}, "encryptionKeyArn must be the ARN of a KMS key"),
        ({"encryptionKeyArn": KEY + "*"}, "encryptionKeyArn must be the ARN of a KMS key"),
        ({"encryptionKeyArn": KEY[:-1]}, "encryptionKeyArn must be the ARN of a KMS key"),
        ({"encryptionKeyArn": KEY.replace("1234abcd-12ab", "1234abcd12-ab")}, "encryptionKeyArn must be the ARN of a"),
        ({"encryptionKeyArn": KEY.replace("1234abcd-", "mrk-1234abcd-")}, "encryptionKeyArn must be the ARN of a KMS"),
        ({"encryptionKeyArn": KEY.rpartition("/")[0] + "/alias"}, "encryptionKeyArn must be the ARN of a KMS key"),
        ({"encryptionKeyArn": KEY.rpartition("/")[2]}, "encryptionKeyArn must be the ARN of a KMS key"),
        # Known only at deployment, which a file cannot say.
        ({"encryptionKeyArn": "${Token[TOKEN.1]}"}, "encryptionKeyArn must be the ARN of a KMS key"),
        ({"reservedConcurrency": 5}, "reservedConcurrency must be an object of whole numbers by function, not 5"),
        (
            {"reservedConcurrency": {"Diagnose": 5}},
            "reservedConcurrency names 'Diagnose', which is no function; the functions are audit_log, diagnose, ",
        ),
        (
            {"reservedConcurrency": {"diagnose": 1}},
            "reservedConcurrency.diagnose must be a whole number from 2 to 100000, not 1",
        ),
        ({"reservedConcurrency": {"audit_log": 0}}, "reservedConcurrency.audit_log must be a whole number from 1 to"),
        ({"permissionsBoundaryArn": "limit"}, "permissionsBoundaryArn must be the ARN of a managed IAM policy or null"),
        (
            {"permissionsBoundaryArn": "arn:aws:iam::111111111111:role/limit"},
            "permissionsBoundaryArn must be the ARN of a managed IAM policy or null",
        ),
        ({"tags": ["team"]}, "tags must be an object of texts by key, not ['team']"),
        ({"tags": {"aws:team": "x"}}, "tags has the key 'aws:team'; keys have 1 to 128 letters"),
        ({"tags": {"AWS:team": "x"}}, "tags has the key 'AWS:team'; keys have 1 to 128 letters"),
        ({"tags": {"": "x"}}, "tags has the key ''; keys have 1 to 128 letters"),
        ({"tags": {"team*": "x"}}, "tags has the key 'team*'; keys have 1 to 128 letters"),
        ({"tags": {"team": 4711}}, "tags.team must be a text of at most 256 letters"),
        ({"tags": {"team": "a\nb"}}, "tags.team must be a text of at most 256 letters"),
        ({"tags": {"team": "x" * 257}}, "tags.team must be a text of at most 256 letters"),
        ({"tags": {"team": "x", "Team": "y"}}, "tags has the key 'Team' twice: IAM does not tell capitals apart"),
        ({"tags": {f"tag{at}": "" for at in range(51)}}, "tags must have at most 50 tags, not 51"),
        ({"vpc": SUBNET}, "vpc must be an object with subnetIds and securityGroupIds, or null, not"),
        ({"vpc": {"subnetIds": [SUBNET]}}, "vpc must be an object with subnetIds and securityGroupIds, or null, not"),
        ({"vpc": {**VPC, "vpcId": "vpc-01234567"}}, "vpc must be an object with subnetIds and securityGroupIds, or"),
        ({"vpc": {**VPC, "subnetIds": SUBNET}}, "vpc.subnetIds must be a list, not"),
        ({"vpc": {**VPC, "subnetIds": []}}, "vpc.subnetIds must hold 1 to 16 ids, each once, not 0"),
        ({"vpc": {**VPC, "subnetIds": [SUBNET, SUBNET]}}, "vpc.subnetIds must hold 1 to 16 ids, each once, not 2"),
        ({"vpc": {**VPC, "subnetIds": [GROUP]}}, "vpc.subnetIds must hold ids such as subnet-0123456789abcdef0, not"),
        ({"vpc": {**VPC, "subnetIds": ["${Token[TOKEN.1]}"]}}, "vpc.subnetIds must hold ids such as subnet-0123456789"),
        ({"vpc": {**VPC, "securityGroupIds": ["default"]}}, "vpc.securityGroupIds must hold ids such as sg-0123456789"),
        (
            {"vpc": {**VPC, "securityGroupIds": [f"sg-0123456{at}" for at in range(6)]}},
            "vpc.securityGroupIds must hold 1 to 5 ids, each once, not 6",
        ),
    ],
)
def test_an_invalid_place_is_named_in_one_line(given: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as invalid:
        read(tmp_path, given)
    assert str(invalid.value).startswith(f"pull-responder.json: {says}")
    assert str(invalid.value).isprintable()


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"tableName": "PullResponder-Findings172CF60E-1ABC"}, "table_name", "PullResponder-Findings172CF60E-1ABC"),
        (
            {"encryptionKeyArn": KEY.replace("aws:", "aws-cn:", 1)},
            "encryption_key_arn",
            KEY.replace("aws:", "aws-cn:", 1),
        ),
        (
            {"encryptionKeyArn": "arn:aws:kms:eu-west-1:111111111111:key/mrk-1234abcd12ab34cd56ef1234567890ab"},
            "encryption_key_arn",
            "arn:aws:kms:eu-west-1:111111111111:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        ),
        (
            {"permissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess"},
            "permissions_boundary_arn",
            "arn:aws:iam::aws:policy/PowerUserAccess",
        ),
        ({"tags": {"Kostenstelle Büro": ""}}, "tags", {"Kostenstelle Büro": ""}),
        ({"vpc": VPC}, "vpc", Vpc(subnet_ids=(SUBNET,), security_group_ids=(GROUP,))),
        ({"vpc": None}, "vpc", None),
    ],
)
def test_a_valid_place_is_taken(given: object, field: str, value: object, tmp_path: Path) -> None:
    assert getattr(read(tmp_path, given), field) == value


def test_every_function_can_have_a_reservation(tmp_path: Path) -> None:
    runs = dict.fromkeys(json.loads(PERMISSIONS_FILE.read_text()), 10)
    assert read(tmp_path, {"reservedConcurrency": runs}).reserved_concurrency == runs


def test_another_app_may_give_what_is_known_only_at_deployment() -> None:
    token = "${Token[TOKEN.1]}"
    settings = Settings(encryption_key_arn=token, vpc=Vpc(subnet_ids=(token,), security_group_ids=(GROUP,)))
    assert settings.encryption_key_arn == token
    assert settings.vpc == Vpc(subnet_ids=(token,), security_group_ids=(GROUP,))
    with pytest.raises(SettingsError, match=r"^Settings: vpc.subnetIds must hold ids such as subnet-"):
        Settings(vpc=Vpc(subnet_ids=("default",), security_group_ids=(GROUP,)))
