"""deploy/kubernetes: valid by the schemas of Kubernetes, and its parts fit each other and the daemons."""
import kubernetes_validate
import pytest
import yaml

VERSIONS = ("1.28", "1.31", "1.34")


@pytest.fixture(scope="module")
def objects(deploy):
    found = [made for path in sorted((deploy / "kubernetes").glob("*.yaml")) if path.name != "kustomization.yaml"
             for made in yaml.safe_load_all(path.read_text())]
    assert len(found) == 9
    return {(made["kind"], made["metadata"]["name"]): made for made in found}


def container_of(workload):
    found, = workload["spec"]["template"]["spec"]["containers"]
    return found


@pytest.fixture(scope="module")
def workloads(objects):
    return {"orchestratord": objects["Deployment", "orchestratord"], "pool-managerd": objects["DaemonSet", "pool-managerd"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid(objects, version):
    for made in objects.values():
        assert kubernetes_validate.validate(made, version, strict=True) == version


def test_the_validator_refuses_an_unknown_field(objects):
    broken = dict(objects["Namespace", "llama-orch"], spec={"finalisers": []})
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


def test_the_kustomization_names_every_file_but_the_secret(deploy):
    folder = deploy / "kubernetes"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert set(listed) == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}


def test_all_live_in_the_namespace(objects):
    for (kind, _), made in objects.items():
        assert kind == "Namespace" or made["metadata"]["namespace"] == "llama-orch"


def test_selectors_find_their_pods(objects, workloads):
    labels = {name: made["spec"]["template"]["metadata"]["labels"] for name, made in workloads.items()}
    for name, made in workloads.items():
        assert made["spec"]["selector"]["matchLabels"] == labels[name] == {"app": name}
        assert objects["NetworkPolicy", name]["spec"]["podSelector"]["matchLabels"] == labels[name]
    assert objects["Service", "orchestratord"]["spec"]["selector"] == labels["orchestratord"]


def test_nodes_call_the_service_and_the_policies_let_them(objects, workloads):
    env = {entry["name"]: entry.get("value") for entry in container_of(workloads["pool-managerd"])["env"]}
    service = objects["Service", "orchestratord"]
    assert env["ORCHESTRATORD_URL"] == "http://%s:%d" % (service["metadata"]["name"], service["spec"]["ports"][0]["port"])
    for name, port in (("orchestratord", 8080), ("pool-managerd", 9200)):
        container, = (container_of(workloads[name]),)
        assert container["ports"][0]["containerPort"] == port
        ingress, = objects["NetworkPolicy", name]["spec"]["ingress"]
        assert ingress["ports"] == [{"port": port}]
        other = "pool-managerd" if name == "orchestratord" else "orchestratord"
        egress = objects["NetworkPolicy", other]["spec"]["egress"][0]
        assert (egress["to"][0]["podSelector"]["matchLabels"]["app"], egress["ports"]) == (name, [{"port": port}])


def test_every_setting_is_one_that_the_daemon_reads(workloads, settings):
    for name, made in workloads.items():
        assert {entry["name"] for entry in container_of(made)["env"]} <= settings[name]


def test_the_token_comes_from_the_secret_and_from_nowhere_else(objects, workloads):
    secret = objects["Secret", "llorch-secrets"]
    assert list(secret["stringData"].values()) == [""], "no token is in the repository"
    for made in workloads.values():
        env = {entry["name"]: entry.get("value") for entry in container_of(made)["env"]}
        mount, = [m for m in container_of(made)["volumeMounts"] if m["name"] == "token"]
        volume, = [v for v in made["spec"]["template"]["spec"]["volumes"] if v["name"] == "token"]
        assert volume["secret"]["secretName"] == secret["metadata"]["name"]
        assert env["LLORCH_API_TOKEN_FILE"] == "%s/%s" % (mount["mountPath"], *secret["stringData"])


def test_an_empty_secret_keeps_the_daemons_from_starting(ask, tmp_path):
    token = tmp_path / "api-token"
    token.touch()
    env = {"ORCHESTRATORD_ADDR": "0.0.0.0:0", "LLORCH_API_TOKEN_FILE": str(token), "ORCHESTRATORD_STATE_DIR": str(tmp_path)}
    answer = ask("orchestratord", env=env)
    assert answer.returncode == 2 and "token" in answer.stderr


def test_every_mount_has_a_volume_and_every_volume_a_mount(workloads):
    for made in workloads.values():
        pod = made["spec"]["template"]["spec"]
        mounted = {mount["name"] for part in pod["containers"] + pod.get("initContainers", []) for mount in part["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}


def test_the_daemons_run_as_the_user_of_the_image(workloads, root):
    assert "USER 10001:10001" in (root / "deploy/docker/Dockerfile").read_text()
    for made in workloads.values():
        security = made["spec"]["template"]["spec"]["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"], security["runAsGroup"]) == (True, 10001, 10001)
        own = container_of(made)["securityContext"]
        assert own == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def test_only_the_control_plane_says_when_it_is_ready_by_livez_and_readyz(workloads):
    probes = {name: (container_of(made)["livenessProbe"]["httpGet"]["path"], container_of(made)["readinessProbe"]["httpGet"]["path"])
              for name, made in workloads.items()}
    assert probes == {"orchestratord": ("/livez", "/readyz"), "pool-managerd": ("/health", "/health")}


def test_the_pools_are_accepted(objects, check_pools):
    check_pools(objects["ConfigMap", "pool-managerd"]["data"]["pools.yaml"])
