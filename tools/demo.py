#!/usr/bin/env python3
"""The demo behind `make demo`: a control plane, two nodes with a real engine each, a chat, a death, a recovery.

Every step checks what it shows: the exit code is 0 only when all of it happened. Python's standard library only.
"""
import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import make_tiny_gguf

NODES = ("n1", "n2")
REQUESTS = 24
CLIENTS = 4
GUARD_SECS = 60
LONG_STREAM_TOKENS = 1500
MODEL = "demo"


class Failed(Exception):
    """Something that the demo shows did not happen."""


def say(text):
    print("%6.1f s  %s" % (time.monotonic() - STARTED, text), flush=True)


def wait_for(what, probe):
    """Polls until the answer is true and returns it; a refused connection is "not yet"."""
    deadline = time.monotonic() + GUARD_SECS
    while time.monotonic() < deadline:
        try:
            answer = probe()
            if answer:
                return answer
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise Failed("%s: not within %d s" % (what, GUARD_SECS))


class Daemon:
    def __init__(self, folder, name, command):
        self.name, self.log = name, folder / (name + ".log")
        self.out = folder / (name + ".out")
        with open(self.log, "wb") as err, open(self.out, "wb") as out:
            # A session of its own: Ctrl-C is for the demo, which then ends its daemons in order.
            self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                            start_new_session=True)

    def address(self):
        def first_line():
            if self.process.poll() is not None:
                raise Failed("%s ended with exit code %d" % (self.name, self.process.returncode))
            line, newline, _ = self.out.read_text().partition("\n")
            return newline and line
        return json.loads(wait_for("%s listens" % self.name, first_line))["address"]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Api:
    def __init__(self, address, token):
        self.address, self.token = address, token

    def _open(self, method, path, body, headers):
        connection = http.client.HTTPConnection(self.address, timeout=GUARD_SECS)
        sent = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json", **(headers or {})}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        return connection, connection.getresponse()

    def get(self, path):
        connection, response = self._open("GET", path, None, None)
        with connection_closed(connection):
            return json.loads(response.read())

    def chat(self, body, headers=None):
        """(status, headers, parsed body)"""
        connection, response = self._open("POST", "/v1/chat/completions", body, headers)
        with connection_closed(connection):
            return response.status, response.headers, json.loads(response.read())

    def stream(self, body, on_start, on_text):
        """Sends a streamed chat; returns (error or None, whether it ended properly)."""
        connection, response = self._open("POST", "/v1/chat/completions", dict(body, stream=True), None)
        with connection_closed(connection):
            on_start(response)
            error = None
            for line in response:
                if not line.startswith(b"data:"):
                    continue
                if line[5:].strip() == b"[DONE]":
                    return None, True
                event = json.loads(line[5:])
                if "error" in event:
                    error = event["error"]
                for choice in event.get("choices", []):
                    on_text(choice["delta"].get("content") or "")
            return error, error is not None

    def node(self, node_id):
        return next((n for n in self.get("/v2/nodes")["nodes"] if n["node_id"] == node_id), None)

    def ready_pool(self, node_id):
        node = self.node(node_id)
        if not node or not node["online"] or not node["reachable"]:
            return None
        return next((p for p in node["pools"] if p["ready"]), None)


class connection_closed:
    def __init__(self, connection):
        self.connection = connection

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def greedy(prompt, **fields):
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "temperature": 0, **fields}


def engine_pid(pool):
    return next(r["pid"] for r in pool["replicas"] if r.get("pid"))


class Demo:
    def __init__(self, programs, engine, folder):
        self.programs, self.engine, self.folder = programs, engine, folder
        self.daemons, self.api = [], None
        self.token_file = folder / "llorch.token"

    def run(self):
        self.make_model()
        self.make_token()
        self.start_control()
        self.start_nodes()
        self.show_chat()
        self.show_death()
        self.print_farewell()

    def make_model(self):
        say("making a small synthetic model (its greedy answer is known in advance)")
        self.model = make_tiny_gguf.write(self.folder / (MODEL + ".gguf"), "q8_0", slow=True)

    def make_token(self):
        say("making the cluster token: llorch token new")
        self.llorch("token", "new", "--out", self.token_file)
        self.token = self.token_file.read_text().strip()

    def start_control(self):
        with socket.socket() as probe:
            free = probe.connect_ex(("127.0.0.1", 8080)) != 0
        control = self.start("orchestratord", "orchestratord", "--addr", "127.0.0.1:%d" % (8080 if free else 0),
                             "--cloud-profile", "true", "--heartbeat-interval-secs", 1, "--node-timeout-secs", 5)
        self.api = Api(control.address(), self.token)
        say("the control plane (CLOUD profile, token required) listens on http://%s" % self.api.address)

    def start_nodes(self):
        for node_id in NODES:
            config = self.folder / (node_id + ".yaml")
            pool = {"id": "chat", "engine": "llamacpp", "model": str(self.model), "served_name": MODEL, "devices": [],
                    "slots": 2, "ctx": 4096, "flags": ["--threads", "1"]}
            config.write_text(json.dumps({"pools": [pool]}))
            self.start(node_id, "pool-managerd", "--addr", "127.0.0.1:0", "--node-id", node_id, "--config", config,
                       "--orchestratord-url", "http://" + self.api.address, "--engine-binary", self.engine)
        for node_id in NODES:
            pool = wait_for("node %s joins and its engine is ready" % node_id, lambda: self.api.ready_pool(node_id))
            say("node %s joined; its engine (pid %d) is ready with %d slots" % (node_id, engine_pid(pool), pool["slots_total"]))
        print(self.llorch("nodes"), end="", flush=True)

    def show_chat(self):
        say("a chat through the gateway, streamed (the key word \"beta\" picks the spelling):")
        text = []

        def show(part):
            text.append(part)
            print(part, end="", flush=True)

        _, ended = self.api.stream(greedy("say it, beta"), lambda response: None, show)
        print(flush=True)
        if not ended or "".join(text) != make_tiny_gguf.golden("beta"):
            raise Failed("the streamed text is not the one the model must give")
        say("the text is exact")

    def show_death(self):
        stream = RunningStream(self.api)
        victim, pool = stream.node_id, self.api.ready_pool(stream.node_id)
        pid, kill_at = engine_pid(pool), REQUESTS // 3
        say("%d requests by %d clients, and one long stream on %s" % (REQUESTS, CLIENTS, victim))
        done, killed, lock = [], threading.Event(), threading.Lock()

        def request(number):
            prompt_key = make_tiny_gguf.KEYS[number % len(make_tiny_gguf.KEYS)]
            try:
                status, headers, body = self.api.chat(greedy("say it, " + prompt_key))
                good = status == 200 and body["choices"][0]["message"]["content"] == make_tiny_gguf.golden(prompt_key)
                attempts = int(headers.get("X-Llorch-Attempts", 1))
            except (OSError, http.client.HTTPException, ValueError):
                good, attempts = False, 0
            with lock:
                done.append((good, attempts))
                if len(done) == kill_at:
                    os.kill(pid, signal.SIGKILL)
                    killed.set()
                    say("%d answered; SIGKILL to the engine of %s (pid %d)" % (kill_at, victim, pid))

        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(request, range(REQUESTS)))
        failed = sum(not good for good, _ in done)
        again = sum(attempts > 1 for _, attempts in done)
        say("of %d non-stream requests %d failed; %d lost their engine and were answered elsewhere" % (REQUESTS, failed, again))
        say(stream.outcome())
        back = wait_for("the engine of %s comes back" % victim, lambda: self.revived(victim, pid))
        status, _, _ = self.api.chat(greedy("alpha"), {"X-Llorch-Node": victim})
        say("the engine of %s is back (pid %d) and answers with status %d" % (victim, engine_pid(back), status))
        if failed or status != 200 or not killed.is_set():
            raise Failed("a request failed although another node could answer it")

    def revived(self, node_id, old_pid):
        pool = self.api.ready_pool(node_id)
        return pool if pool and engine_pid(pool) != old_pid else None

    def print_farewell(self):
        url, llorch = "http://" + self.api.address, "LLORCH_URL=%s LLORCH_API_TOKEN_FILE=%s %s" % (
            "http://" + self.api.address, self.token_file, self.programs / "llorch")
        print("""
endpoint  %s/v1
token     %s

  curl -N %s/v1/chat/completions -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\
    -d '{"model":"%s","messages":[{"role":"user","content":"say it, gamma"}],"temperature":0,"stream":true}'
  %s nodes
  %s run %s 'say it, delta'
""" % (url, self.token, url, self.token, MODEL, llorch, llorch, MODEL), flush=True)

    def start(self, name, program, *arguments):
        daemon = Daemon(self.folder, name, [self.programs / program, *arguments, "--api-token-file", self.token_file,
                                            "--state-dir", self.folder / name])
        self.daemons.append(daemon)
        return daemon

    def llorch(self, *arguments):
        env = dict(os.environ, LLORCH_API_TOKEN_FILE=str(self.token_file))
        if self.api:
            env["LLORCH_URL"] = "http://" + self.api.address
        else:
            del env["LLORCH_API_TOKEN_FILE"]
        made = subprocess.run([self.programs / "llorch", *arguments], env=env, capture_output=True, text=True, timeout=GUARD_SECS)
        if made.returncode:
            raise Failed("llorch %s: exit code %d: %s" % (arguments[0], made.returncode, made.stderr.strip()))
        return made.stdout

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.stop()

    def print_logs(self):
        for daemon in self.daemons:
            print("--- the end of %s" % daemon.log, file=sys.stderr)
            print("\n".join(daemon.log.read_text(errors="replace").splitlines()[-15:]), file=sys.stderr)


class RunningStream:
    """A long streamed answer in a thread of its own; made once its first words are here."""

    def __init__(self, api):
        self.api, self.text, self.node_id, self.result = api, [], None, None
        self.began = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        if not self.began.wait(GUARD_SECS):
            raise Failed("the long stream did not begin")

    def _read(self):
        body = greedy("say it, beta", max_tokens=LONG_STREAM_TOKENS, ignore_eos=True)
        try:
            self.result = self.api.stream(body, self._started, self._more)
        except (OSError, http.client.HTTPException):
            self.result = (None, False)

    def _started(self, response):
        self.node_id = response.headers["X-Llorch-Node"]

    def _more(self, part):
        self.text.append(part)
        if part:
            self.began.set()

    def outcome(self):
        """What became of it, in words; it must have been continued in full or ended with an error event."""
        self.thread.join(GUARD_SECS)
        error, ended = self.result or (None, False)
        text = "".join(self.text)
        if not ended:
            raise Failed("the running stream was cut without a word")
        if not text.startswith(make_tiny_gguf.golden("beta")) and not make_tiny_gguf.golden("beta").startswith(text):
            raise Failed("the running stream lost or repeated text")
        words = len(text.split())
        if error:
            return "the running stream had sent %d words and ended with an error event: %s, retriable" % (words, error["code"])
        return "the running stream was continued elsewhere and ended properly after %d words" % words


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=Path, required=True, help="where the programs are")
    parser.add_argument("--engine", required=True, help="a llama-server")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

    folder = Path(tempfile.mkdtemp(prefix="llorch-demo."))
    demo, code = Demo(options.bin.absolute(), Path(options.engine).absolute(), folder), 1
    try:
        demo.run()
        code = 0
        if sys.stdin.isatty() and sys.stdout.isatty():
            print("Ctrl-C ends it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print(flush=True)
    except Failed as failure:
        print("demo: %s" % failure, file=sys.stderr)
        demo.print_logs()
    finally:
        say("ending nodes and control plane")
        demo.stop()
        if code == 0:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print("demo: logs are in %s" % folder, file=sys.stderr)
    return code


STARTED = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
