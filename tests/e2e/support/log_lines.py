"""What a program's log says."""
import json


def lines(program):
    found = [line for line in program.stderr.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in found]


def access_lines(program, path):
    return [line for line in lines(program) if line["msg"] == "request" and line["path"] == path]
