"""What of the SDK's data is in the layer: all that the functions call, as botocore has it, and nothing else."""

from __future__ import annotations

import ast
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from botocore.session import Session

from infra.dependency_layer import build_layer
from infra.runtime_python import find_runtime_python
from infra.sdk_data import cut_model, cut_sdk_data, read_operations
from tests.infrastructure.test_dependency_layer import LAMBDAS, NOT_DEPLOYED

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def layer() -> Path:
    """The folder of botocore's data, as it is deployed."""
    return build_layer(python=find_runtime_python()) / "python" / "botocore" / "data"


@pytest.fixture(scope="module")
def cut(layer: Path) -> Session:
    """A session of the SDK that has the layer's data alone."""
    session = Session()
    session.register_component(
        "data_loader", Loader(extra_search_paths=[str(layer)], include_default_search_paths=False)
    )
    return session


def names_in_code() -> set[str]:
    """Return the attributes and the texts in the functions' code that can name an operation."""
    found = set()
    for path in (LAMBDAS / "pull_responder").rglob("*.py"):
        if path.relative_to(LAMBDAS / "pull_responder").parts[0] not in NOT_DEPLOYED:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def client(session: Session, service: str, region: str) -> Any:  # noqa: ANN401 -- one of botocore's generated clients
    return session.create_client(service, region, aws_access_key_id="test", aws_secret_access_key="test")


def resolved(model: dict[str, Any], reference: dict[str, Any], above: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 -- JSON
    """Return a shape with all shapes in it, without prose. A shape within itself is its name."""
    name = reference["shape"]
    traits = {key: value for key, value in reference.items() if key not in ("shape", "documentation")}
    if name in above:
        return name, traits
    inner = {
        key: {member: resolved(model, each, (*above, name)) for member, each in value.items()}
        if key == "members"
        else resolved(model, value, (*above, name))
        if key in ("member", "key", "value")
        else value
        for key, value in model["shapes"][name].items()
        if key != "documentation"
    }
    return name, traits, inner


@pytest.mark.parametrize("service", read_operations())
def test_each_operation_that_is_called_is_as_botocore_has_it(cut: Session, service: str) -> None:
    whole = Loader().load_service_model(service, "service-2")
    ours = cut.get_component("data_loader").load_service_model(service, "service-2")
    assert set(read_operations()[service]) <= set(ours["operations"])
    assert ours["metadata"] == whole["metadata"]
    for name, operation in ours["operations"].items():
        expected = dict(whole["operations"][name])
        expected.pop("documentation", None)
        for part in ("input", "output"):
            if part in operation:
                assert resolved(ours, operation[part]) == resolved(whole, expected.pop(part))
        errors = [resolved(whole, each) for each in expected.pop("errors", [])]
        assert [resolved(ours, each) for each in operation.get("errors", [])] == errors
        assert {key: value for key, value in operation.items() if key not in ("input", "output", "errors")} == expected
    raised = {name for name, shape in whole["shapes"].items() if shape.get("exception")}
    assert raised <= set(ours["shapes"])


def test_the_models_have_no_other_operation_and_no_prose(cut: Session) -> None:
    assert list(cut.get_service_model("ecr").operation_names) == list(read_operations()["ecr"])
    # By this one, DynamoDB tells its endpoints.
    assert set(cut.get_service_model("dynamodb").operation_names) - set(read_operations()["dynamodb"]) == {
        "DescribeEndpoints"
    }
    assert cut.get_service_model("ec2").operation_model("DescribeSubnets").documentation == ""


def test_the_code_calls_no_operation_that_was_cut() -> None:
    called = names_in_code()
    assert {
        "describe_vpc_endpoints",
        "get_caller_identity",
        "send_message_batch",
        "list_attached_role_policies",
    } <= called
    lacking = []
    kept = {xform_name(name) for names in read_operations().values() for name in names}
    for service in read_operations():
        for operation in Session().get_service_model(service).operation_names:
            name = xform_name(operation)
            if name in called and name not in kept:
                lacking.append(f"{service}:{operation}")
    assert lacking == []


@pytest.mark.parametrize("service", read_operations())
def test_services_are_in_the_same_regions_at_the_same_addresses(cut: Session, service: str) -> None:
    whole = Session()
    for partition in whole.get_available_partitions():
        regions = whole.get_available_regions(service, partition)
        assert cut.get_available_regions(service, partition) == regions
    for region in ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"):
        assert client(cut, service, region).meta.endpoint_url == client(whole, service, region).meta.endpoint_url


def test_listings_have_their_pages(cut: Session) -> None:
    ec2 = client(cut, "ec2", "us-east-1")
    assert ec2.can_paginate("describe_subnets")
    assert not hasattr(ec2, "run_instances")


MODEL: dict[str, Any] = {
    "metadata": {"serviceId": "Store", "endpointPrefix": "store"},
    "operations": {
        "GetThing": {"name": "GetThing", "output": {"shape": "Thing"}, "documentation": "<p>Gets a thing.</p>"},
        "PutThing": {"name": "PutThing", "input": {"shape": "Other"}},
        "DescribeEndpoints": {"name": "DescribeEndpoints", "endpointoperation": True},
    },
    "shapes": {
        "Thing": {
            "type": "structure",
            "members": {
                # Members can be called like the words of a model.
                "shape": {"shape": "Name", "documentation": "<p>Its form.</p>"},
                "documentation": {"shape": "Name"},
                "parts": {"shape": "Things"},
            },
        },
        "Things": {"type": "list", "member": {"shape": "Thing"}},
        "Name": {"type": "string", "documentation": "<p>A name.</p>"},
        "Other": {"type": "structure", "members": {"size": {"shape": "Size"}}},
        "Size": {"type": "integer"},
        "Refused": {"type": "structure", "members": {"why": {"shape": "Why"}}, "exception": True},
        "Why": {"type": "string"},
    },
    "documentation": "<p>A store.</p>",
}


def test_a_model_keeps_what_its_operations_and_errors_have() -> None:
    cut = cut_model(MODEL, ["GetThing"])
    assert set(cut["operations"]) == {"GetThing", "DescribeEndpoints"}
    assert set(cut["shapes"]) == {"Thing", "Things", "Name", "Refused", "Why"}
    assert set(cut["shapes"]["Thing"]["members"]) == {"shape", "documentation", "parts"}
    assert cut["shapes"]["Thing"]["members"]["documentation"] == {"shape": "Name"}
    assert "<p>" not in json.dumps(cut)
    assert "<p>" in json.dumps(MODEL)


def test_an_operation_that_the_model_lacks_fails_the_build() -> None:
    with pytest.raises(LookupError, match="Store has no operation GetAll, GetThings"):
        cut_model(MODEL, ["GetThings", "GetThing", "GetAll"])


def test_the_sdk_has_to_know_every_service(tmp_path: Path) -> None:
    data = tmp_path / "botocore" / "data"
    for service in ("ecr/2015-09-21", "ec2/2014-09-01", "ec2/2016-11-15", "s3/2006-03-01"):
        (data / service).mkdir(parents=True)
        (data / service / "service-2.json").write_text(json.dumps(MODEL))
    (data / "ec2/2016-11-15/examples-1.json").touch()
    services: dict[str, Any] = {name: {"endpoints": {}} for name in ("store", "s3")}
    (data / "endpoints.json").write_text(json.dumps({"partitions": [{"services": services}]}))
    with pytest.raises(LookupError, match="botocore has no data of nosuch"):
        cut_sdk_data(tmp_path, {"ec2": ["GetThing"], "ecr": ["GetThing"], "nosuch": ["GetThing"]})
    cut_sdk_data(tmp_path, {"ec2": ["GetThing"], "ecr": ["PutThing"]})
    left = sorted(each.relative_to(data).as_posix() for each in data.rglob("*") if each.is_file())
    assert left == ["ec2/2016-11-15/service-2.json", "ecr/2015-09-21/service-2.json", "endpoints.json"]
    assert list(json.loads((data / "endpoints.json").read_text())["partitions"][0]["services"]) == ["store"]
    assert "PutThing" in json.loads((data / left[1]).read_text())["operations"]
