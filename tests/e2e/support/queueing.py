"""More requests than slots: a long stream of the slow model holds a slot for as long as a test wants, others wait behind it."""
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from support.process import wait_for


def waiting(cluster):
    """How many requests wait, over all queues."""
    text = cluster.client.get("/metrics").body.decode()
    return sum(float(value) for value in re.findall(r"^queue_depth(?:\{[^}]*\})? (\S+)$", text, re.MULTILINE))


@contextmanager
def slot_held(cluster):
    with cluster.chat_stream("hold the slot", model="slow", max_tokens=7000, ignore_eos=True) as stream:
        assert stream.status == 200
        next(iter(stream))
        yield stream


@contextmanager
def queued(cluster, count):
    """`count` requests that wait, in this order; yields their futures and the order in which they are answered."""
    answered, asked = [], []

    def ask(number):
        answer = cluster.chat("beta", model="slow", max_tokens=2, headers={"X-Correlation-Id": "waiting-%d" % number})
        answered.append(number)
        return answer

    with ThreadPoolExecutor(count) as clients:
        for number in range(count):
            asked.append(clients.submit(ask, number))
            wait_for("request %d to wait" % number, lambda number=number: waiting(cluster) == number + 1)
        yield asked, answered
