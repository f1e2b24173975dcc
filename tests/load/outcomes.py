"""What became of one request, judged by what its client saw: exactly one outcome each. A load run must not have a LOST one."""
import http.client
import json
from dataclasses import dataclass

DONE = "done"              # the whole answer, and the right one
ERROR_EVENT = "error"      # a stream that could not go on: one terminal error event
REFUSED = "refused"        # an error answer that says it may be tried again
LOST = "lost"              # anything else: cut, silent, wrong, repeated, two ends


@dataclass
class Outcome:
    kind: str
    detail: str = ""
    node: str = ""
    attempts: int = 0


def refusal(status, body):
    """An answer that is no success: to be tried again, or lost."""
    try:
        error = json.loads(body)["error"]
        code, retriable = error["code"], error["retriable"]
    except (ValueError, KeyError, TypeError):
        return Outcome(LOST, "status %d without an error body: %r" % (status, body[:200]))
    return Outcome(REFUSED if retriable else LOST, "%d %s" % (status, code))


def placed(outcome, headers):
    outcome.node, outcome.attempts = headers.get("X-Llorch-Node", ""), int(headers.get("X-Llorch-Attempts", 0))
    return outcome


def judge_answer(answer, expected):
    """Of a non-stream chat, an Answer."""
    if answer.status != 200:
        return refusal(answer.status, answer.body)
    text = answer.json()["choices"][0]["message"]["content"]
    return placed(Outcome(DONE) if text == expected else Outcome(LOST, "wrong text: %r" % text), answer.headers)


def judge_events(events, expected):
    """Of a chat stream's events, an iterable."""
    text, finished, ended = "", False, None
    for event in events:
        if ended:
            return Outcome(LOST, "an event after the end: %r" % event.data)
        if event.data == "[DONE]":
            ended = DONE
            continue
        body = event.json()
        if "error" in body:
            ended, code = ERROR_EVENT, body["error"]["code"]
            continue
        for choice in body["choices"]:
            text += choice["delta"].get("content") or ""
            finished = finished or bool(choice.get("finish_reason"))
    if ended == ERROR_EVENT:
        right = expected.startswith(text) and not finished
        return Outcome(ERROR_EVENT, code) if right else Outcome(LOST, "an error event after %r" % text)
    if ended != DONE:
        return Outcome(LOST, "no terminal event after %r" % text)
    return Outcome(DONE) if finished and text == expected else Outcome(LOST, "wrong text: %r" % text)


def judge_task_events(events, expected):
    """Of a task's events, an iterable: exactly one `end` or `error`, and it is the last."""
    text, ended, code = "", None, ""
    for event in events:
        if ended:
            return Outcome(LOST, "an event after the end: %s %r" % (event.name, event.data))
        if event.name == "token":
            text += event.json()["t"]
        elif event.name == "end":
            ended = DONE if not event.json().get("canceled") else LOST
        elif event.name == "error":
            ended, code = ERROR_EVENT, event.json()["code"]
    if ended == ERROR_EVENT:
        return Outcome(ERROR_EVENT, code) if expected.startswith(text) else Outcome(LOST, "an error event after %r" % text)
    if ended != DONE:
        return Outcome(LOST, "no terminal event after %r" % text)
    return Outcome(DONE) if text == expected else Outcome(LOST, "wrong text: %r" % text)


def judge_stream(stream, read_error, expected):
    """Of a Stream that is open."""
    if stream.status != 200:
        return refusal(stream.status, read_error())
    outcome = judge_events(stream, expected)
    if stream.cut:
        outcome = Outcome(LOST, "the connection was cut: " + outcome.kind)
    return placed(outcome, stream.headers)


def never_answered(error):
    return Outcome(LOST, "no answer: %r" % error)


TRANSPORT_ERRORS = (OSError, http.client.HTTPException, ValueError, KeyError)
