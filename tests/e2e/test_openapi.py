"""openapi.json of both daemons is a valid OpenAPI 3.1 document and needs no token."""
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.http import Client


@pytest.fixture
def documents(cluster, model):
    cluster.start_control()
    node = cluster.start_node("n1", "pools: []\n")
    return {name: Client(address).get("/openapi.json") for name, address
            in (("orchestratord", cluster.address), ("pool-managerd", node.address()))}


def test_both_documents_are_valid(documents):
    for name, answer in documents.items():
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json"), name
        document = answer.json()
        assert document["info"]["title"] == name
        errors = list(OpenAPIV31SpecValidator(document).iter_errors())
        assert errors == [], name


def test_operations_have_different_names(documents):
    for name, answer in documents.items():
        ids = [operation["operationId"] for path in answer.json()["paths"].values() for operation in path.values()]
        assert len(ids) == len(set(ids)) > 5, name


def test_the_version_is_that_of_the_api(cluster):
    cluster.start_control()
    version = cluster.client.get("/v2/meta/version").json()
    assert cluster.client.get("/openapi.json").json()["info"]["version"] == version["api_version"]
    assert cluster.client.get("/v2/meta/capabilities").json()["api_version"] == version["api_version"]
