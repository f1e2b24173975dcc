"""What stands between the clients and two engines: llama-orch, or a load balancer in front of engines that somebody else starts."""
import os
import signal
import socket
import threading
import time
from pathlib import Path

from support.cluster import Cluster, pool
from support.http import Client
from support.process import Runner, is_running, wait_for

SLOTS = 8
BACK_AFTER_SECS = 2      # a killed process is started again, where nobody else does it
STOPPED_FOR_SECS = 12    # a stopped process goes on, if it is still there


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def go_on(pid):
    """Lets a stopped process go on, unless it was ended meanwhile."""
    if is_running(pid):
        os.kill(pid, signal.SIGCONT)


class LlamaOrch:
    """Its defaults; only the time limit of a silent node is shorter than an operator would choose, so that the run is."""
    name = "llama-orch"
    faults = ("KILL engine", "STOP engine", "KILL node", "STOP node")

    def __init__(self, root, programs, engine, model):
        self.cluster = Cluster(root, programs, engine)
        self.cluster.start_control("--admission-capacity", "64", node_timeout_secs=5)
        for node in ("n1", "n2"):
            self.cluster.start_node(node, [pool(model, slots=SLOTS, ctx=512)])
        self.cluster.wait_ready("n1", "n2")
        self.client = self.cluster.client

    def inject(self, fault, node):
        name, target = fault.split()
        if target == "engine":
            pid = self.cluster.kill_engine(node, signal_name=name)
            self.cluster.wait_another_engine(node, pid)
            return
        pid = self.cluster.nodes[node].pid
        os.kill(pid, signal.Signals["SIG" + name])
        if name == "KILL":
            time.sleep(BACK_AFTER_SECS)
            self.cluster.nodes[node].process.wait()
            self.cluster.nodes[node].start()
        else:
            time.sleep(STOPPED_FOR_SECS)
            go_on(pid)

    def wait_whole(self):
        self.cluster.wait_ready("n1", "n2")

    def close(self):
        self.cluster.close()


class Balancer(Runner):
    """A load balancer on `port` in front of two engines, with what its manual offers for a server that fails."""
    faults = ("KILL engine", "STOP engine")
    program = None

    def __init__(self, root, programs, engine, model):
        super().__init__(root, programs)
        self.engine, self.model = engine, model
        self.ports = {node: free_port() for node in ("n1", "n2")}
        self.port = free_port()
        self.engines = {node: self.make_engine(node) for node in self.ports}
        for made in self.engines.values():
            made.start()
        for node in self.ports:
            self.wait_engine(node)
        config = self.root / "balancer.conf"
        config.write_text(self.config())
        self.start(self.program, *self.flags(config), name=self.name)
        self.client = Client("127.0.0.1:%d" % self.port)
        wait_for(self.name, lambda: self.client.get("/health").status == 200)

    def make_engine(self, node):
        return self.make(self.engine, "-m", self.model, "--host", "127.0.0.1", "--port", self.ports[node],
                         "-np", SLOTS, "-c", 512 * SLOTS, name=node)

    def wait_engine(self, node):
        wait_for("engine " + node, lambda: Client("127.0.0.1:%d" % self.ports[node]).get("/health").status == 200)

    def inject(self, fault, node):
        process = self.engines[node].process
        if fault == "KILL engine":
            process.kill()
            process.wait()
            time.sleep(BACK_AFTER_SECS)
            self.engines[node].start()
        else:
            process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED_FOR_SECS)
            process.send_signal(signal.SIGCONT)

    def wait_whole(self):
        for node in self.ports:
            self.wait_engine(node)


class Nginx(Balancer):
    name = "nginx"
    program = Path("build/third_party/balancers/usr/sbin/nginx").resolve()

    def config(self):
        folder = self.root / "nginx-files"
        folder.mkdir()
        servers = "".join("server 127.0.0.1:%d max_fails=1 fail_timeout=2s;" % port for port in self.ports.values())
        return """daemon off; worker_processes 1; pid %(folder)s/pid; error_log %(folder)s/error.log;
events {}
http {
  access_log off;
  client_body_temp_path %(folder)s/body; proxy_temp_path %(folder)s/proxy; fastcgi_temp_path %(folder)s/f;
  uwsgi_temp_path %(folder)s/u; scgi_temp_path %(folder)s/s;
  upstream engines { least_conn; %(servers)s }
  server {
    listen 127.0.0.1:%(port)d;
    location / {
      proxy_pass http://engines; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
      proxy_connect_timeout 2s; proxy_read_timeout 60s;
      proxy_next_upstream error timeout http_502 http_503 non_idempotent; proxy_next_upstream_tries 3;
    }
  }
}
""" % {"folder": folder, "servers": servers, "port": self.port}

    def flags(self, config):
        return "-c", config, "-e", self.root / "nginx-files/error.log"


class HAProxy(Balancer):
    name = "HAProxy"
    program = Path("build/third_party/balancers/usr/sbin/haproxy").resolve()

    def config(self):
        servers = "".join("  server %s 127.0.0.1:%d check inter 1s fall 2 rise 1 on-marked-down shutdown-sessions\n" % pair
                          for pair in self.ports.items())
        return """defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  retries 3
  option redispatch
  retry-on conn-failure empty-response response-timeout 502 503
frontend clients
  bind 127.0.0.1:%d
  default_backend engines
backend engines
  balance leastconn
  option httpchk GET /health
%s""" % (self.port, servers)

    def flags(self, config):
        return "-db", "-f", config


FRONTS = {front.name: front for front in (LlamaOrch, Nginx, HAProxy)}


class Fault(threading.Thread):
    """One fault and its repair, beside the clients."""

    def __init__(self, front, fault, node):
        super().__init__()
        self.front, self.fault, self.node, self.failure = front, fault, node, None

    def run(self):
        try:
            self.front.inject(self.fault, self.node)
        except Exception as error:
            self.failure = error

    def finish(self):
        self.join()
        if self.failure:
            raise self.failure
