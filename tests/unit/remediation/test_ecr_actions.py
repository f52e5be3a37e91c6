from __future__ import annotations

import json
from importlib.resources import files

import boto3

from pull_responder.remediation.ecr_actions import ECR_ACTIONS, PULL_ACTIONS, REGISTRY_ACTIONS, REPOSITORY_ACTIONS


def test_a_pull_needs_three_actions() -> None:
    """Amazon ECR User Guide, "Private registry authentication" and "Private repository policy examples"."""
    assert PULL_ACTIONS == ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def test_every_ecr_operation_of_the_sdk_is_listed() -> None:
    client = boto3.client("ecr", region_name="eu-west-1", aws_access_key_id="none", aws_secret_access_key="none")
    assert {f"ecr:{operation}" for operation in client.meta.service_model.operation_names} <= set(ECR_ACTIONS)


def test_actions_have_the_resource_of_the_service_authorization_reference() -> None:
    policies = json.loads((files("cfnlint") / "data/AdditionalSpecs/Policies.json").read_text())
    reference = {f"ecr:{name}": "Resources" in entry for name, entry in policies["ecr"]["Actions"].items()}
    known = {action.lower() for action in ECR_ACTIONS}
    assert reference.keys() <= known
    assert {action for action, on_repository in reference.items() if on_repository} <= {
        action.lower() for action in REPOSITORY_ACTIONS
    }
    assert {action for action, on_repository in reference.items() if not on_repository} <= {
        action.lower() for action in REGISTRY_ACTIONS
    }
