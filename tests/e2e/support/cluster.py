"""A CLOUD cluster on loopback: one orchestratord and any number of pool-managerd, all on ports of the system's choice."""
import itertools
import json
import os
import secrets
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.http import Client, chat, streamed_text
from support.process import Runner, is_running, wait_for

HEARTBEAT_SECS = 1
NODE_TIMEOUT_SECS = 3


def pool(model, pool_id="chat", **fields):
    """A pool that runs on the processor."""
    return {"id": pool_id, "engine": "llamacpp", "model": str(model), "devices": [], "slots": 2, "ctx": 2048, **fields}


class Cluster(Runner):
    def __init__(self, root, programs, engine):
        super().__init__(root, programs)
        self.engine = Path(engine)
        self.token = secrets.token_hex(24)
        self.token_file = self.root / "token"
        self.token_file.write_text(self.token + "\n")
        self.token_file.chmod(0o600)
        self.control, self.nodes, self.address, self.client = None, {}, None, None
        self.certificates = None  # of support.certificates: then everything speaks TLS

    # Control plane

    def start_control(self, *arguments, address="127.0.0.1:0", heartbeat_secs=HEARTBEAT_SECS,
                      node_timeout_secs=NODE_TIMEOUT_SECS, env=None):
        made = self.make("orchestratord", "--addr", address, "--cloud-profile", "true",
                         "--api-token-file", self.token_file, "--state-dir", self.root / "control/state",
                         "--heartbeat-interval-secs", heartbeat_secs, "--node-timeout-secs", node_timeout_secs,
                         *(self.certificates.flags("control") if self.certificates else ()),
                         *arguments, name="control", env=env)
        self.control = made.start()
        self.address = made.address()
        self.client = Client(self.address, self.token, tls=self.certificates and self.certificates.trusting())
        return made

    @property
    def url(self):
        return ("https://" if self.certificates else "http://") + self.address

    def restart_control(self):
        """The same command line again, but at the address that the nodes know."""
        self.control.command[self.control.command.index("--addr") + 1] = self.address
        self.control.start()
        assert self.control.address() == self.address

    # Nodes

    def node_program(self, node_id, pools, *arguments, address="127.0.0.1:0", engine=None, env=None):
        config = self.root / (node_id + ".yaml")
        config.write_text(pools if isinstance(pools, str) else json.dumps({"pools": pools}))
        return self.make("pool-managerd", "--addr", address, "--node-id", node_id,
                         "--orchestratord-url", self.url, "--api-token-file", self.token_file,
                         "--config", config, "--state-dir", self.root / node_id / "state",
                         "--engine-binary", engine or self.engine,
                         *(self.certificates.flags(node_id) if self.certificates else ()), *arguments, name=node_id, env=env)

    def start_node(self, node_id, pools, *arguments, **options):
        self.nodes[node_id] = self.node_program(node_id, pools, *arguments, **options).start()
        return self.nodes[node_id]

    def node(self, node_id):
        """The node as the control plane sees it, or None."""
        return next((n for n in self.client.get("/v2/nodes").json()["nodes"] if n["node_id"] == node_id), None)

    def pool(self, node_id, pool_id="chat"):
        found = self.node(node_id)
        return next((p for p in found["pools"] if p["pool_id"] == pool_id), None) if found else None

    def engine_pid(self, node_id, pool_id="chat"):
        return next((r["pid"] for r in self.pool(node_id, pool_id)["replicas"] if r.get("pid")), None)

    def kill_engine(self, node_id, pool_id="chat", signal_name="KILL"):
        pid = self.engine_pid(node_id, pool_id)
        os.kill(pid, signal.Signals["SIG" + signal_name])
        return pid

    def signal_node(self, node_id, signal_name):
        self.nodes[node_id].process.send_signal(signal.Signals["SIG" + signal_name])

    # Waiting

    def wait_ready(self, *node_ids, pool_id="chat"):
        for node_id in node_ids:
            def ready(node_id=node_id):
                seen = self.node(node_id)
                return (seen and seen["online"] and seen["reachable"]
                        and any(p["pool_id"] == pool_id and p["ready"] for p in seen["pools"]))
            wait_for("pool %s of node %s to be ready" % (pool_id, node_id), ready)

    def wait_offline(self, node_id):
        wait_for("node %s to be offline" % node_id, lambda: self.node(node_id)["online"] is False)

    def wait_another_engine(self, node_id, old_pid, pool_id="chat"):
        """Until the pool is ready again with another engine process than `old_pid`."""
        def ready():
            seen = self.pool(node_id, pool_id)
            return seen["ready"] and self.engine_pid(node_id, pool_id) not in (None, old_pid)
        wait_for("another engine of %s" % node_id, ready)

    def wait_gone(self, pid):
        wait_for("process %d to end" % pid, lambda: not is_running(pid))

    # Requests

    def chat(self, prompt, headers=None, **fields):
        return self.client.post("/v1/chat/completions", chat(prompt, **fields), headers)

    def chat_text(self, prompt, **fields):
        answer = self.chat(prompt, **fields)
        assert answer.status == 200, answer
        return answer.json()["choices"][0]["message"]["content"]

    def chat_stream(self, prompt, headers=None, **fields):
        return self.client.stream("/v1/chat/completions", chat(prompt, **fields), headers)

    def chat_stream_text(self, prompt, **fields):
        with self.chat_stream(prompt, **fields) as stream:
            assert stream.status == 200
            return streamed_text(stream)

    def many_chats(self, count, prompt="tell me, beta", workers=4, after=None, **fields):
        """Sends `count` requests by `workers` clients and returns the answers; after(n) is called after the n-th came."""
        done = itertools.count(1)

        def one(_):
            answer = self.chat(prompt, **fields)
            if after:
                after(next(done))
            return answer

        with ThreadPoolExecutor(workers) as pool_of_clients:
            return list(pool_of_clients.map(one, range(count)))
