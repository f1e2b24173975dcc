"""Settings of daemons as deployment files state them, each mapped to a process on this machine.

What is mapped, and nothing else: a fixed port becomes one of the system's choice, the control plane's host name becomes
127.0.0.1, mounted files are files of this machine, and each daemon gets a state directory of its own, as a container or a machine
has.
"""
import re
import shlex
from dataclasses import dataclass, field

import yaml

CONTROL_HOSTS = ("orchestratord", "machine-a", "orchestratord.example.com", "FIRST_MACHINE")


@dataclass
class Daemon:
    program: str
    name: str
    flags: list = field(default_factory=list)
    env: dict = field(default_factory=dict)

    def __str__(self):
        return self.name


def read_env_file(path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def read_compose(path, variables=None):
    """One daemon per service; ${NAME:?...} is replaced from `variables`."""
    text = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda match: variables[match[1]], path.read_text())
    services = yaml.safe_load(text)["services"]
    return [Daemon(_program(service["image"]), name, env={key: str(value) for key, value in service["environment"].items()})
            for name, service in services.items()]


def read_kubernetes(path, secrets, node_name):
    """One daemon per workload, other objects left out. `secrets` is {(secret, key): value}; `node_name` stands for spec.nodeName."""
    def value_of(entry):
        if "value" in entry:
            return entry["value"]
        source = entry["valueFrom"]
        if "secretKeyRef" in source:
            return secrets[source["secretKeyRef"]["name"], source["secretKeyRef"]["key"]]
        assert source["fieldRef"]["fieldPath"] == "spec.nodeName", source
        return node_name

    daemons = []
    for workload in yaml.safe_load_all(path.read_text()):
        if workload["kind"] not in ("Deployment", "DaemonSet"):
            continue
        container, = workload["spec"]["template"]["spec"]["containers"]
        env = {entry["name"]: value_of(entry) for entry in container["env"]}
        daemons.append(Daemon(_program(container["image"]), workload["metadata"]["name"], env=env))
    return daemons


def read_command_lines(path, variables):
    """One daemon per command of a shell script; $NAME is replaced from `variables`."""
    daemons = []
    for line in path.read_text().replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            flags = [variables[word[1:]] if word.startswith("$") else word for word in words[1:]]
            name = flags[flags.index("--node-id") + 1] if "--node-id" in flags else words[0].removeprefix("./")
            daemons.append(Daemon(words[0].removeprefix("./"), name, flags))
    return daemons


def on_this_machine(daemon, control_address=None, files=None):
    """The same daemon with its addresses mapped; `control_address` is where the control plane listens here, `files` says which
    file of this machine stands for a mounted one."""
    def mapped(value):
        if files and value in files:
            return str(files[value])
        for port in ("8080", "9200"):
            if value in ("0.0.0.0:" + port, "127.0.0.1:" + port):
                return value.removesuffix(port) + "0"
        for host in CONTROL_HOSTS:
            for scheme in ("http", "https"):
                if value == "%s://%s:8080" % (scheme, host):
                    return "%s://%s" % (scheme, control_address or "127.0.0.1:1")
        return value

    return Daemon(daemon.program, daemon.name, [mapped(flag) for flag in daemon.flags],
                  {key: mapped(value) for key, value in daemon.env.items()})


def _program(image):
    return image.rsplit("/", 1)[1].split(":")[0].removesuffix("-cpu")
