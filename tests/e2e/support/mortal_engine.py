#!/usr/bin/env -S python3 -I
"""A real engine that dies at a chosen token.

Takes the place of llama-server: starts the one that MORTAL_ENGINE names with the same flags on another port and passes every
request on to it. A stream whose request carries the header X-Dies-At gets that many token events and the first half of the
next; then its connection breaks, or, with X-Death: process, this process and the engine are killed. Three numbers, "5,2,1", are
for the first, second and third stream of one request. The gateway passes headers that it does not know, so a client sets them.
MORTAL_COUNTS: a folder that all engines share.
"""
import ctypes
import http.client
import os
import signal
import socket
import socketserver
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
PR_SET_PDEATHSIG = 1


def is_token(event):
    return any(key in event and key + b'""' not in event for key in (b'"content":"'[:-1], b'"text":"'[:-1])) \
        and b'"content":null' not in event


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def death(self):
        """After how many tokens this generation dies, or None. All engines count a request's generations in one file."""
        deaths = [int(k) for k in self.headers.get("X-Dies-At", "").split(",") if k]
        if not deaths:
            return None
        with open(os.path.join(os.environ["MORTAL_COUNTS"], self.headers["X-Correlation-Id"]), "ab") as counts:
            counts.write(b".")
            generation = counts.tell() - 1
        return deaths[generation] if generation < len(deaths) else None

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP_BY_HOP}
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.engine_port)
        try:
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
        except ConnectionError:
            self.close_connection = True
            return
        try:
            if answer.getheader("Content-Type", "").startswith("text/event-stream"):
                self.stream(answer)
            else:
                self.whole(answer)
        except ConnectionError:
            self.close_connection = True
        finally:
            upstream.close()

    do_GET = do_POST = forward

    def head(self, answer, name, value):
        self.send_response_only(answer.status)
        for field in answer.getheaders():
            if field[0].lower() not in HOP_BY_HOP:
                self.send_header(*field)
        self.send_header(name, value)
        self.end_headers()

    def whole(self, answer):
        body = answer.read()
        self.head(answer, "Content-Length", str(len(body)))
        self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def stream(self, answer):
        dies_at, tokens = self.death(), 0
        self.head(answer, "Transfer-Encoding", "chunked")
        self.close_connection = True
        event = b""
        for line in answer:
            event += line
            if line.strip():
                continue
            if dies_at is not None and (tokens == dies_at and (is_token(event) or b'"stop"' in event)):
                self.chunk(event[:len(event) // 2])
                self.die()
                return
            tokens += is_token(event)
            self.chunk(event)
            event = b""
        self.wfile.write(b"0\r\n\r\n")

    def die(self):
        if self.headers.get("X-Death") == "process":
            os.kill(os.getpid(), signal.SIGKILL)
        self.connection.shutdown(socket.SHUT_RDWR)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self):
        """Without asking a name server who 127.0.0.1 is."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def with_port(arguments, port):
    at = arguments.index("--port") + 1
    return arguments[:at] + [str(port)] + arguments[at + 1:]


def main(arguments):
    engine = os.environ["MORTAL_ENGINE"]
    if "--port" not in arguments:
        os.execv(engine, [engine, *arguments])
    inner = free_port()
    process = subprocess.Popen([engine, *with_port(arguments, inner)],
                               preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL))
    while True:
        if process.poll() is not None:
            sys.exit(process.returncode)
        try:
            socket.create_connection(("127.0.0.1", inner)).close()
            break
        except ConnectionError:
            time.sleep(0.02)
    server = Server(("127.0.0.1", int(arguments[arguments.index("--port") + 1])), Handler)
    server.engine_port = inner
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
