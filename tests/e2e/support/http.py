"""A small HTTP client on the standard library: JSON requests and server-sent events, nothing hidden or retried."""
import http.client
import json
from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json()["error"]

    def __str__(self):
        return "%d %s" % (self.status, self.body[:2000].decode(errors="replace"))


@dataclass
class Event:
    name: str  # "message" when the stream does not say
    data: str

    def json(self):
        return json.loads(self.data)


class Stream:
    """The events of one answer. `cut` is true once the connection ended before the last chunk."""

    def __init__(self, connection, response):
        self.status, self.headers, self.cut = response.status, response.headers, False
        self._connection, self._response = connection, response

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._response.close()
        self._connection.close()

    def read_rest(self):
        """The bytes of an answer that is no stream."""
        return self._response.read()

    def __iter__(self):
        name, data = "message", []
        for line in self._lines():
            if line.startswith("data:"):
                data.append(line[5:].removeprefix(" "))
            elif line.startswith("event:"):
                name = line[6:].strip()
            elif not line and data:
                yield Event(name, "\n".join(data))
                name, data = "message", []

    def _lines(self):
        while True:
            try:
                line = self._response.readline()
            except (http.client.HTTPException, ConnectionError):
                self.cut = True
                return
            if not line:
                return
            yield line.decode().rstrip("\r\n")


class Client:
    def __init__(self, address, token=None, timeout_secs=120, tls=None):
        """`tls`: an ssl.SSLContext for https, None for plain HTTP."""
        self.address, self.token, self.timeout_secs, self.tls = address, token, timeout_secs, tls

    def _connection(self):
        if self.tls:
            return http.client.HTTPSConnection(self.address, timeout=self.timeout_secs, context=self.tls)
        return http.client.HTTPConnection(self.address, timeout=self.timeout_secs)

    def _open(self, method, path, body, headers):
        sent = {"Authorization": "Bearer " + self.token} if self.token else {}
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        connection = self._connection()
        try:
            connection.request(method, path, body, sent)
            return connection, connection.getresponse()
        except BaseException:
            connection.close()
            raise

    def request(self, method, path, body=None, headers=None):
        connection, response = self._open(method, path, body, headers)
        try:
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path, headers=None):
        return self.request("GET", path, None, headers)

    def post(self, path, body=None, headers=None):
        return self.request("POST", path, body, headers)

    def watch(self, path, headers=None):
        """The events of a GET; use with `with`."""
        return Stream(*self._open("GET", path, None, headers))

    def stream(self, path, body, headers=None):
        """Sends `body` with "stream": true; use with `with`."""
        return Stream(*self._open("POST", path, dict(body, stream=True), headers))

    def events(self, path):
        """Watches a resource; use with `with`."""
        return Stream(*self._open("GET", path, None, None))


def chat(prompt, model=None, **fields):
    """A greedy chat request."""
    body = {"messages": [{"role": "user", "content": prompt}], "temperature": 0, **fields}
    return body if model is None else dict(body, model=model)


def streamed_text(events):
    """The text of a chat stream; fails unless it ends as a complete one does."""
    text, finish, done = "", None, False
    for event in events:
        assert not done, "an event after [DONE]: %r" % event
        if event.data == "[DONE]":
            done = True
            continue
        body = event.json()
        assert "error" not in body, event.data
        for choice in body["choices"]:
            text += choice["delta"].get("content") or ""
            finish = choice.get("finish_reason") or finish
    assert done and finish, "the stream ended without %s after %r" % ("[DONE]" if finish else "a finish reason", text)
    return text
