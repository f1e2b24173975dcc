"""The deployment examples that operators start from: their settings, flags and environment, each tried as it is written."""
import json
import secrets

import pytest
from support.certificates import Certificates
from support.deployments import Daemon, on_this_machine, read_command_lines, read_compose, read_env_file, read_kubernetes
from support.http import Client, chat
from support.process import wait_for

TOKEN = secrets.token_hex(16)


@pytest.fixture(scope="session")
def examples(pytestconfig):
    return pytestconfig.rootpath.parent / "data/deployment"


@pytest.fixture
def start(runner, tmp_path):
    """start(daemon, control_address=..., files=..., **more environment) -> the started program."""
    def go(daemon, control_address=None, files=None, **env):
        here = on_this_machine(daemon, control_address, files)
        state = tmp_path / daemon.name / "state"
        own_disk = {"ORCHESTRATORD_STATE_DIR": str(state / "orchestratord"), "POOL_MANAGERD_STATE_DIR": str(state / "pool-managerd")}
        return runner.start(here.program, *here.flags, name=daemon.name, env={**own_disk, **here.env, **env})
    return go


def refused(program, *said):
    assert program.process.wait(30) == 2, program.tail()
    assert program.stdout == ""
    for text in said:
        assert text in program.stderr, program.stderr


def loopback(control):
    return "127.0.0.1:" + control.address().rsplit(":", 1)[1]


def wait_online(client, *node_ids):
    def all_there():
        seen = {n["node_id"]: n for n in client.get("/v2/nodes").json()["nodes"]}
        return set(seen) == set(node_ids) and all(n["online"] and n["reachable"] for n in seen.values())
    wait_for("%s to be online and reachable" % ", ".join(node_ids), all_there)


def hand_over_engine(runner, node, engine, model):
    """Starts an engine as a provisioner does and says so in the node's runtime directory."""
    said = runner.make(engine, "--model", model, "--alias", "tiny", "--host", "127.0.0.1", "--port", "0",
                       "--parallel", "2", "--ctx-size", "4096", "--slots", "--metrics", name="engine").start()
    url = wait_for("the engine to listen", lambda: said.stderr.partition("listening on ")[2].partition("\n")[0].strip())
    folder = node.state_dir / "pool-managerd/.runtime/engines"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "new").write_text(json.dumps(
        {"pool_id": "chat", "replica_id": "r0", "engine": "llamacpp", "url": url, "slots_total": 2,
         "model": {"id": "tiny", "path": str(model)}}))
    (folder / "new").rename(folder / "chat-r0.json")


# Compose

@pytest.fixture
def compose(examples, start):
    """The three services of the Compose file, running: {name: program} and a client."""
    control, *nodes = read_compose(examples / "compose.yaml")
    running = {control.name: start(control)}
    address = loopback(running[control.name])
    for node in nodes:
        running[node.name] = start(node, address)
    return running, Client(address, "dev-token")


def test_compose_works_as_given(compose, runner, engine, model):
    running, client = compose
    wait_online(client, "node1", "node2")
    assert "CLOUD profile" in running["orchestratord"].stderr
    hand_over_engine(runner, running["pool-managerd-node2"], engine, model)
    wait_for("the pool to be ready", lambda: client.get("/health").json()["pools_ready"] == 1)
    answer = client.post("/v1/chat/completions", chat("hello", model="tiny"))
    assert (answer.status, answer.headers["X-Llorch-Node"]) == (200, "node2"), answer


def test_compose_is_closed_to_those_without_the_token(compose):
    _, client = compose
    assert Client(client.address).get("/v2/nodes").status == 401
    assert Client(client.address, "dev-tokem").get("/v2/nodes").status == 401


def test_the_short_token_of_compose_is_warned_about_and_not_shown(compose):
    running, client = compose
    wait_online(client, "node1", "node2")
    for program in running.values():
        assert "LLORCH_API_TOKEN" in program.stderr and "use 16 or more" in program.stderr, program.stderr
        assert "dev-token" not in program.stderr


# Kubernetes

@pytest.fixture
def kubernetes(examples):
    return read_kubernetes(examples / "kubernetes.yaml", {("llorch-secrets", "api-token"): TOKEN}, "gpu-host-7")


def test_the_kubernetes_control_plane_works_as_given(kubernetes, start):
    control = start(kubernetes[0])
    assert Client(loopback(control)).get("/readyz").status == 200
    assert "CLOUD profile" in control.stderr


def test_the_kubernetes_daemon_set_lacks_only_the_token(kubernetes, start):
    control, node = kubernetes
    address = loopback(start(control))
    refused(start(node, address), "NON_LOOPBACK_WITHOUT_TOKEN", "LLORCH_API_TOKEN")
    start(Daemon(node.program, "with-token", env=node.env), address, LLORCH_API_TOKEN=TOKEN)
    wait_online(Client(address, TOKEN), "gpu-host-7")


# Bare metal

@pytest.fixture
def bare_metal(examples):
    return read_command_lines(examples / "bare_metal.sh", {"LLORCH_API_TOKEN": TOKEN})


def test_the_bare_metal_control_plane_works_as_given(bare_metal, start):
    control = start(bare_metal[0])
    assert Client(loopback(control), TOKEN).get("/v2/nodes").json()["count"] == 0


@pytest.mark.parametrize("index,node_id", [(1, "gpu-node-1"), (2, "gpu-node-2")])
def test_the_bare_metal_nodes_lack_only_tls(bare_metal, start, index, node_id):
    node = bare_metal[index]
    assert node.name == node_id
    refused(start(node), "ORCHESTRATORD_URL", "POOL_MANAGERD_TLS_CERT", "https://")


def test_the_bare_metal_nodes_work_with_tls(bare_metal, start, tmp_path):
    control, *nodes = bare_metal
    certificates = Certificates(tmp_path / "tls", control.name, *(node.name for node in nodes))

    def with_tls(daemon):
        return Daemon(daemon.program, daemon.name, [*daemon.flags, *(str(word) for word in certificates.flags(daemon.name))])

    address = loopback(start(with_tls(control)))
    for node in nodes:
        start(with_tls(node), address)
    wait_online(Client(address, TOKEN, tls=certificates.trusting()), "gpu-node-1", "gpu-node-2")


def test_the_bare_metal_nodes_join_over_http(bare_metal, start):
    control, *nodes = bare_metal
    address = loopback(start(control))
    for node in nodes:
        start(Daemon(node.program, node.name, [flag.replace("https://", "http://") for flag in node.flags]), address)
    wait_online(Client(address, TOKEN), "gpu-node-1", "gpu-node-2")


# The listings of settings

def test_the_home_settings_work_as_given(examples, start):
    home = start(Daemon("orchestratord", "home", env=read_env_file(examples / "home.env")))
    assert Client(home.address()).get("/v2/nodes").status == 200
    assert "HOME profile" in home.stderr


@pytest.mark.parametrize("listing", ["cloud", "orchestratord"])
def test_the_cloud_settings_work_as_given(examples, start, listing):
    settings = read_env_file(examples / (listing + ".env"))
    assert settings["LLORCH_API_TOKEN"] == "<secret>"
    control = start(Daemon("orchestratord", listing, env=settings), LLORCH_API_TOKEN=TOKEN)
    assert Client(loopback(control), TOKEN).get("/v2/nodes").status == 200
    assert "CLOUD profile" in control.stderr


def test_the_node_settings_lack_only_tls(examples, start):
    settings = dict(read_env_file(examples / "pool_managerd.env"), LLORCH_API_TOKEN=TOKEN)
    refused(start(Daemon("pool-managerd", "node", env=settings)), "ORCHESTRATORD_URL", "POOL_MANAGERD_TLS_CERT", "https://")


# The files of deploy/

@pytest.fixture
def deploy(examples):
    return examples.parent.parent.parent / "deploy"


@pytest.fixture
def mounted(tmp_path, deploy, model):
    """What the containers find mounted: the token, and the pools with a model that exists."""
    token, pools = tmp_path / "api-token", tmp_path / "pools.yaml"
    token.write_text(TOKEN)
    pools.write_text((deploy / "compose/pools.yaml").read_text().replace("/models/tiny.gguf", str(model)))
    return {"/etc/llama-orch/token/api-token": token, "/etc/llama-orch/pools.yaml": pools,
            "/etc/llama-orch/pools/pools.yaml": pools}


def with_engine(tmp_path, engine):
    folder = tmp_path / "engine"
    folder.mkdir(exist_ok=True)
    (folder / "llama-server").symlink_to(engine)
    return "%s:/usr/bin:/bin" % folder


def test_our_compose_file_serves_from_two_nodes(deploy, start, mounted, tmp_path, engine):
    control, *nodes = read_compose(deploy / "compose/compose.yaml", {"LLORCH_API_TOKEN": TOKEN})
    address, path = loopback(start(control)), with_engine(tmp_path, engine)
    for node in nodes:
        start(node, address, mounted, PATH=path)
    client = Client(address, TOKEN)
    wait_online(client, "node1", "node2")
    wait_for("both pools to be ready", lambda: client.get("/health").json()["pools_ready"] == 2)
    for node in ("node1", "node2"):
        answer = client.post("/v1/chat/completions", chat("hello", model="tiny"), {"X-Llorch-Node": node})
        assert (answer.status, answer.headers["X-Llorch-Node"]) == (200, node), answer


def test_our_manifests_make_a_cluster(deploy, start, mounted, tmp_path, engine):
    read = [daemon for name in ("orchestratord", "pool-managerd")
            for daemon in read_kubernetes(deploy / ("kubernetes/%s.yaml" % name), {}, "gpu-host-7")]
    control, node = read
    address = loopback(start(control, files=mounted))
    start(node, address, mounted, PATH=with_engine(tmp_path, engine))
    client = Client(address, TOKEN)
    wait_online(client, "gpu-host-7")
    wait_for("the pool to be ready", lambda: client.get("/health").json()["pools_ready"] == 1)
    assert client.post("/v1/chat/completions", chat("hello", model="tiny")).status == 200


def test_our_environment_files_make_a_cluster(deploy, start, mounted):
    files = dict(mounted, **{"/etc/llama-orch/token": mounted["/etc/llama-orch/token/api-token"]})
    control = start(Daemon("orchestratord", "control", env=read_env_file(deploy / "systemd/orchestratord.env")), files=files)
    start(Daemon("pool-managerd", "node", env=read_env_file(deploy / "systemd/pool-managerd.env")), loopback(control), files,
          POOL_MANAGERD_ADDR="127.0.0.1:0", POOL_MANAGERD_NODE_ID="gpu1")
    wait_online(Client(loopback(control), TOKEN), "gpu1")
