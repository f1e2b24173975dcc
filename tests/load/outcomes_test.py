"""A lost request must be seen as one."""
import json
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

from outcomes import DONE, ERROR_EVENT, LOST, REFUSED, judge_answer, judge_events, judge_task_events, refusal  # noqa: E402
from support.http import Answer, Event  # noqa: E402


def event(body):
    return Event("message", body if isinstance(body, str) else json.dumps(body))


def words(text, finish=None):
    return event({"choices": [{"delta": {"content": text}, "finish_reason": finish}]})


ERROR = event({"error": {"code": "WORKER_RESET"}})
END = [words("", "length"), event("[DONE]")]


class Streams(unittest.TestCase):
    def judge(self, *events):
        return judge_events(events, " red net").kind

    def test_a_whole_stream_is_done(self):
        self.assertEqual(self.judge(words(" red"), words(" net"), *END), DONE)

    def test_an_error_event_ends_a_stream(self):
        self.assertEqual(self.judge(words(" red"), ERROR), ERROR_EVENT)
        self.assertEqual(self.judge(ERROR), ERROR_EVENT)

    def test_a_stream_without_an_end_is_lost(self):
        self.assertEqual(self.judge(), LOST)
        self.assertEqual(self.judge(words(" red"), words(" net")), LOST)
        self.assertEqual(self.judge(words(" red"), words(" net"), event("[DONE]")), LOST)

    def test_two_ends_are_one_too_many(self):
        self.assertEqual(self.judge(words(" red net"), *END, ERROR), LOST)
        self.assertEqual(self.judge(words(" red"), ERROR, event("[DONE]")), LOST)

    def test_missing_or_repeated_text_is_lost(self):
        self.assertEqual(self.judge(words(" net"), *END), LOST)
        self.assertEqual(self.judge(words(" red"), words(" red"), words(" net"), *END), LOST)
        self.assertEqual(self.judge(words(" red red"), ERROR), LOST)


def task(name, **body):
    return Event(name, json.dumps(body))


class Tasks(unittest.TestCase):
    def judge(self, *events):
        return judge_task_events([task("started", attempt=1), *events], " red net").kind

    def test_a_task_ends_once(self):
        tokens = [task("token", t=" red"), task("token", t=" net")]
        self.assertEqual(self.judge(*tokens, task("end")), DONE)
        self.assertEqual(self.judge(*tokens), LOST)
        self.assertEqual(self.judge(*tokens, task("end"), task("error", code="X")), LOST)
        self.assertEqual(self.judge(*tokens, task("end", canceled=True)), LOST)
        self.assertEqual(self.judge(tokens[0], task("error", code="WORKER_RESET")), ERROR_EVENT)
        self.assertEqual(self.judge(tokens[1], task("error", code="WORKER_RESET")), LOST)
        self.assertEqual(self.judge(tokens[0], task("end")), LOST)


class Answers(unittest.TestCase):
    def test_an_answer_is_done_only_with_the_right_text(self):
        def judge(text):
            body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
            return judge_answer(Answer(200, {}, body), " red").kind
        self.assertEqual((judge(" red"), judge(" net")), (DONE, LOST))

    def test_only_an_error_that_may_be_tried_again_is_a_refusal(self):
        def body(retriable):
            return json.dumps({"error": {"code": "X", "retriable": retriable}}).encode()
        self.assertEqual(refusal(503, body(True)).kind, REFUSED)
        self.assertEqual(refusal(500, body(False)).kind, LOST)
        self.assertEqual(refusal(502, b"<html>").kind, LOST)


if __name__ == "__main__":
    unittest.main()
