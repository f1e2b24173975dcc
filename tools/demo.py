#!/usr/bin/env python3
"""The demo behind `make demo`: a control plane, two nodes with a real engine each, a chat, a death, a recovery.

Every step checks what it shows: the exit code is 0 only when all of it happened. Python's standard library only.
"""
import argparse
import contextlib
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
KILL_AFTER = REQUESTS // 3
GUARD_SECS = 60
STOP_SECS = 45  # a node lets requests end for 30 s
LONG_STREAM_TOKENS = 1000  # several times what is made before the engine is killed
MODEL = "demo"
WIDTH_OF_TIME = 10
SETTING_PREFIXES = ("ORCHESTRATORD_", "ORCHD_", "POOL_MANAGERD_", "LLORCH_", "LLAMA_ARG_", "AUTH_", "TRUST_PROXY_AUTH")


class Failed(Exception):
    """Something that the demo shows did not happen."""


class Ended(BaseException):
    """The demo was told to end by a signal."""

    def __init__(self, number):
        self.number = number


class Signals:
    """Turns SIGINT, SIGTERM and SIGHUP into Ended, but never in the middle of what runs under held()."""

    def __init__(self):
        self.came, self.holding = None, 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number, _):
        self.came = number
        if not self.holding:
            raise Ended(number)

    @contextlib.contextmanager
    def held(self):
        self.holding += 1
        try:
            yield
        finally:
            self.holding -= 1
        if self.came and not self.holding:
            raise Ended(self.came)


def say(text):
    print(("%.1f s" % (time.monotonic() - STARTED)).rjust(WIDTH_OF_TIME - 2), text, sep="  ", flush=True)


def own_environment():
    """The caller's environment without settings: the demo shows the defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith(SETTING_PREFIXES)}


class Daemon:
    def __init__(self, folder, name, command):
        self.name, self.log, self.out = name, folder / (name + ".log"), folder / (name + ".out")
        with open(self.log, "wb") as err, open(self.out, "wb") as out:
            # A session of its own: Ctrl-C is for the demo, which then ends its daemons in order.
            self.process = subprocess.Popen([str(word) for word in command], env=own_environment(), stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, start_new_session=True)

    def address(self):
        """Where it says that it listens; None while it has not."""
        line, newline, _ = self.out.read_text().partition("\n")
        return json.loads(line)["address"] if newline else None

    def last_words(self):
        """The end of its log without the requests."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if " http: request " not in line]
        return "\n".join(lines[-8:])


class Api:
    def __init__(self, address, token):
        self.address, self.token, self.sockets = address, token, set()

    def hang_up(self):
        """Ends all requests that still run."""
        for open_socket in list(self.sockets):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _answer(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=GUARD_SECS)
        sent = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json", **(headers or {})}
        connection.connect()
        used = connection.sock
        self.sockets.add(used)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            yield connection.getresponse()
        finally:
            self.sockets.discard(used)
            connection.close()

    def get(self, path):
        with self._answer("GET", path) as response:
            return json.loads(response.read())

    def chat(self, body, headers=None):
        """(status, headers, text)"""
        with self._answer("POST", "/v1/chat/completions", body, headers) as response:
            parsed = json.loads(response.read())
            text = parsed["choices"][0]["message"]["content"] if response.status == 200 else ""
            return response.status, response.headers, text

    def stream(self, body, on_start, on_text):
        """Sends a streamed chat; returns (the error event or None, whether [DONE] came). Raises when it is cut."""
        error = None
        with self._answer("POST", "/v1/chat/completions", dict(body, stream=True)) as response:
            on_start(response)
            for line in response:
                if not line.startswith(b"data:"):
                    continue
                if line[5:].strip() == b"[DONE]":
                    return error, True
                event = json.loads(line[5:])
                error = event.get("error", error)
                for choice in event.get("choices", []):
                    on_text(choice["delta"].get("content") or "")
        return error, False

    def node(self, node_id):
        return next((n for n in self.get("/v2/nodes")["nodes"] if n["node_id"] == node_id), None)

    def ready_pool(self, node_id):
        node = self.node(node_id)
        if not node or not node["online"] or not node["reachable"]:
            return None
        return next((p for p in node["pools"] if p["ready"]), None)


def greedy(prompt, **fields):
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "temperature": 0, **fields}


def engine_pid(pool):
    return next((r["pid"] for r in pool["replicas"] if r.get("pid")), None)


class Demo:
    def __init__(self, programs, engine, folder, signals):
        self.programs, self.engine, self.folder, self.signals = programs, engine, folder, signals
        self.daemons, self.api = [], None
        self.token_file = folder / "llorch.token"

    def run(self):
        self.make_model()
        self.make_token()
        self.start_control()
        self.start_nodes()
        self.show_chat()
        self.show_death()

    def make_model(self):
        say("making a small synthetic model (its answers are known in advance)")
        self.model = make_tiny_gguf.write(self.folder / (MODEL + ".gguf"), "q8_0", slow=True)

    def make_token(self):
        say("making the cluster's token: llorch token new")
        self.llorch("token", "new", "--out", self.token_file)

    def start_control(self):
        with socket.socket() as probe:
            port = 8080 if probe.connect_ex(("127.0.0.1", 8080)) else 0
        control = self.start("orchestratord", "orchestratord", "--addr", "127.0.0.1:%d" % port, "--cloud-profile", "true",
                             "--heartbeat-interval-secs", 1, "--node-timeout-secs", 5)
        address = self.wait_for("the control plane listens", control.address)
        self.api = Api(address, self.token_file.read_text().strip())
        say("control plane: http://%s%s" % (address, "" if port else " (8080 is taken)"))

    def start_nodes(self):
        for node_id in NODES:
            config = self.folder / (node_id + ".yaml")
            pool = {"id": "chat", "engine": "llamacpp", "model": str(self.model), "served_name": MODEL, "devices": [],
                    "slots": 2, "ctx": 4096, "flags": ["--threads", "1"]}
            config.write_text(json.dumps({"pools": [pool]}))
            self.start(node_id, "pool-managerd", "--addr", "127.0.0.1:0", "--node-id", node_id, "--config", config,
                       "--orchestratord-url", "http://" + self.api.address, "--engine-binary", self.engine)
        for node_id in NODES:
            pool = self.wait_for("node %s joins and its engine is ready" % node_id, lambda: self.joined(node_id))
            say("node %s joined, engine ready (pid %d, %d slots)" % (node_id, engine_pid(pool), pool["slots_total"]))
        say("llorch nodes:")
        print(self.llorch("nodes"), end="", flush=True)

    def joined(self, node_id):
        node = self.api.node(node_id)
        if node and node["status"].lower() == "failed":
            raise Failed("the engine of %s does not start: %s" % (node_id, node["pools"][0]["last_error"]))
        return self.api.ready_pool(node_id)

    def show_chat(self):
        say("a streamed chat (the word \"beta\" in the prompt picks the spelling of the answer):")
        paper = Paper()
        _, done = self.api.stream(greedy("say it, beta"), lambda response: None, paper.write)
        print(flush=True)
        if not done or paper.text != make_tiny_gguf.golden("beta"):
            raise Failed("the streamed text is not the one that this model must give")
        say("the text is exact")

    def show_death(self):
        stream = RunningStream(self.api)
        victim = stream.node_id
        old_pid = engine_pid(self.api.ready_pool(victim))
        say("%d requests by %d clients, and a long stream on %s" % (REQUESTS, CLIENTS, victim))
        load = Load(self.api, victim, lambda: self.kill_engine(victim, old_pid, stream))
        load.run()
        say("%d of %d requests answered, every text exact" % (load.good, REQUESTS))
        say("%d of them had lost their engine and were answered by the other" % load.answered_again)
        if load.good != REQUESTS:
            raise Failed("a request failed although another node could answer it")
        if not load.killed:
            raise Failed("the engine was never killed")
        stream.check_whole()
        say("the stream went on at the other node: %d words, as if nothing had happened" % stream.words())
        back = self.wait_for("the engine of %s comes back" % victim, lambda: self.revived(victim, old_pid))
        status, _, text = self.api.chat(greedy("alpha"), {"X-Llorch-Node": victim})
        if (status, text) != (200, make_tiny_gguf.golden("alpha")):
            raise Failed("the restarted engine of %s does not answer: status %d" % (victim, status))
        say("%s has a new engine (pid %d), and it answers" % (victim, engine_pid(back)))

    def kill_engine(self, node_id, pid, stream):
        if not stream.is_running():
            raise Failed("the long stream ended before the engine was killed")
        os.kill(pid, signal.SIGKILL)
        say("SIGKILL to the engine of %s (pid %d), in the middle of it" % (node_id, pid))

    def revived(self, node_id, old_pid):
        pool = self.api.ready_pool(node_id)
        return pool if pool and engine_pid(pool) not in (None, old_pid) else None

    def stay_up(self):
        print("""
It is up until Ctrl-C. In another terminal:

  export PATH=%s:$PATH
  export LLORCH_URL=http://%s
  export LLORCH_API_TOKEN_FILE=%s
  llorch nodes
  llorch run %s 'say it, delta'
  curl -N $LLORCH_URL/v1/chat/completions \\
    -H "Authorization: Bearer $(cat $LLORCH_API_TOKEN_FILE)" \\
    -H 'Content-Type: application/json' \\
    -d '{"model":"%s","stream":true,"messages":[{"role":"user","content":"gamma"}]}'

OpenAI clients: base URL http://%s/v1; the API key is what the token file holds.
""" % (self.programs, self.api.address, self.token_file, MODEL, MODEL, self.api.address), flush=True)
        while True:
            self.check_daemons()
            time.sleep(1)

    # Daemons

    def start(self, name, program, *arguments):
        with self.signals.held():
            self.daemons.append(Daemon(self.folder, name, [self.programs / program, *arguments, "--api-token-file",
                                                           self.token_file, "--state-dir", self.folder / name,
                                                           "--log-format", "text"]))
        return self.daemons[-1]

    def check_daemons(self):
        for daemon in self.daemons:
            if daemon.process.poll() is not None:
                raise Failed("%s ended with exit code %d" % (daemon.name, daemon.process.returncode))

    def wait_for(self, what, probe):
        """Polls until the answer is true and returns it; a refused connection is "not yet"."""
        deadline = time.monotonic() + GUARD_SECS
        while time.monotonic() < deadline:
            self.check_daemons()
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = probe()
                if answer:
                    return answer
            time.sleep(0.05)
        raise Failed("in vain for %d s: %s" % (GUARD_SECS, what))

    def llorch(self, *arguments):
        env = own_environment()
        if self.api:
            env.update(LLORCH_API_TOKEN_FILE=str(self.token_file), LLORCH_URL="http://" + self.api.address)
        made = subprocess.run([self.programs / "llorch", *arguments], env=env, capture_output=True, text=True, timeout=GUARD_SECS)
        if made.returncode:
            raise Failed("llorch %s: exit code %d: %s" % (arguments[0], made.returncode, made.stderr.strip()))
        return made.stdout

    def stop(self):
        """Nodes first, so that they can say good-bye; True when all ended by themselves."""
        if self.api:
            self.api.hang_up()
        good = True
        for group in (self.daemons[1:], self.daemons[:1]):
            for daemon in group:
                daemon.process.terminate()
            for daemon in group:
                good &= self.wait_for_end(daemon)
        if not good:
            self.kill_engines()
        return good

    @staticmethod
    def wait_for_end(daemon):
        try:
            return daemon.process.wait(STOP_SECS) == 0
        except subprocess.TimeoutExpired:
            daemon.process.kill()
            daemon.process.wait()
            return False

    def kill_engines(self):
        """Those of a node that had to be killed."""
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if bytes(self.model) in (folder / "cmdline").read_bytes().split(b"\0"):
                    os.kill(int(folder.name), signal.SIGKILL)

    def print_logs(self):
        for daemon in self.daemons:
            print("--- the end of %s\n%s" % (daemon.log, daemon.last_words()), file=sys.stderr)


class Paper:
    """Prints text as it comes, in lines of a width that fits everywhere."""

    WIDTH = 78

    def __init__(self):
        self.text, self.column = "", WIDTH_OF_TIME

    def write(self, part):
        if not part:
            return
        self.text += part
        if self.column + len(part) > self.WIDTH or self.text == part:
            print("" if self.text == part else "\n", end=" " * WIDTH_OF_TIME)
            self.column, part = WIDTH_OF_TIME, part.lstrip()
        self.column += len(part)
        print(part, end="", flush=True)


class Load:
    """Many chats by a few clients. The engine is killed once some are answered, while one is on the victim if it can be had."""

    def __init__(self, api, victim, kill):
        self.api, self.victim, self.kill = api, victim, kill
        self.lock, self.done, self.good, self.answered_again, self.killed = threading.Lock(), 0, 0, 0, False

    def run(self):
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(self._request, range(REQUESTS)))

    def _request(self, number):
        key = make_tiny_gguf.KEYS[number % len(make_tiny_gguf.KEYS)]
        status, headers, text = 0, {}, ""
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            status, headers, text = self.api.chat(greedy("say it, " + key))
        with self.lock:
            self.done += 1
            self.good += status == 200 and text == make_tiny_gguf.golden(key)
            self.answered_again += int(headers.get("X-Llorch-Attempts", 1)) > 1
            # One that ends on the other node leaves the victim with its own.
            if not self.killed and self.done >= KILL_AFTER and headers.get("X-Llorch-Node") != self.victim:
                self.killed = True
                self.kill()


class RunningStream:
    """A long streamed answer in a thread of its own; made once its first words are here."""

    def __init__(self, api):
        self.api, self.text, self.node_id, self.error, self.cut, self.done = api, [], None, None, None, False
        self.began = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        if not self.began.wait(GUARD_SECS):
            raise Failed("the long stream did not begin")

    def _read(self):
        body = greedy("say it, beta", max_tokens=LONG_STREAM_TOKENS, ignore_eos=True)
        try:
            self.error, self.done = self.api.stream(body, self._started, self._more)
        except (OSError, http.client.HTTPException) as cut:
            self.cut = cut

    def _started(self, response):
        self.node_id = response.headers["X-Llorch-Node"]

    def _more(self, part):
        self.text.append(part)
        if part:
            self.began.set()

    def is_running(self):
        return self.thread.is_alive()

    def words(self):
        return len(self.text_so_far().split())

    def text_so_far(self):
        return "".join(self.text)

    def check_whole(self):
        """Its engine died, and it went on: word for word what it would have been."""
        self.thread.join(GUARD_SECS)
        if self.is_running() or self.cut or self.error or not self.done:
            raise Failed("the stream of the killed engine did not go on (%s)" % (self.cut or self.error or "no end came"))
        undisturbed = RunningStream(self.api)
        undisturbed.thread.join(GUARD_SECS)
        if not undisturbed.done or self.text_so_far() != undisturbed.text_so_far():
            raise Failed("the stream lost or repeated text")


def run_and_stop(demo, signals):
    """The exit code."""
    try:
        demo.run()
        if sys.stdin.isatty() and sys.stdout.isatty():
            try:
                demo.stay_up()
            except Ended as ended:
                print(flush=True)
                return 0 if ended.number == signal.SIGINT else 128 + ended.number
        say("all of it happened; from a terminal the demo stays up until Ctrl-C")
        return 0
    except Ended as ended:
        print(flush=True)
        return 128 + ended.number
    except (Failed, OSError, http.client.HTTPException, subprocess.TimeoutExpired) as failure:
        demo.print_logs()
        print("demo: %s" % failure, file=sys.stderr, flush=True)
        return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bin", type=Path, required=True, help="where the programs are")
    parser.add_argument("--engine", required=True, help="a llama-server")
    options = parser.parse_args()

    signals = Signals()
    folder = Path(tempfile.mkdtemp(prefix="llorch-demo."))
    demo, code = Demo(options.bin.absolute(), Path(options.engine).absolute(), folder, signals), 1
    try:
        code = run_and_stop(demo, signals)
    finally:
        signals.holding += 1  # nothing may interrupt the end
        with contextlib.suppress(OSError):  # the terminal may be gone
            say("ending nodes and control plane")
        if not demo.stop():
            print("demo: not all daemons ended properly", file=sys.stderr)
            code = code or 1
        if code == 1:
            print("demo: logs are in %s" % folder, file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


STARTED = time.monotonic()

if __name__ == "__main__":
    sys.exit(main())
