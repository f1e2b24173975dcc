import pytest
from support.cluster import pool
from support.host_cluster import NODES, HostCluster
from support.hosts import Network, Refused

ENGINE = {"ENGINE_SIM_TOKENS_PER_SECOND": "20", "ENGINE_SIM_ANSWER_TOKENS": "400"}


@pytest.fixture(scope="module")
def network():
    """Four hosts. The test is on the control plane's."""
    try:
        made = Network("control", *NODES)
    except Refused as reason:
        pytest.skip("no hosts: network namespaces need root, iproute2, nftables and a kernel that has them (%s)" % reason)
    try:
        with made["control"].entered():
            yield made
    finally:
        made.close()


@pytest.fixture
def hosts(tmp_path, programs, engine, network):
    """A cluster without anything started, with the real engine."""
    made = HostCluster(tmp_path, programs, engine, network)
    yield made
    network.heal()
    made.close()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory, programs, model, network):
    """Three nodes that serve "tiny" by an engine that writes 20 words a second, 400 unless told otherwise; for tests that leave them whole."""
    made = HostCluster(tmp_path_factory.mktemp("hosts"), programs, programs / "engine-sim", network)
    try:
        made.start_control()
        for node_id in NODES:
            made.start_node(node_id, [pool(model, slots=4, env=ENGINE)])
        made.wait_ready(*NODES)
        yield made
    finally:
        network.heal()
        made.close()


@pytest.fixture
def whole(simulated):
    """The same, healed and whole before and after."""
    yield simulated
    simulated.network.heal()
    simulated.wait_ready(*NODES)
