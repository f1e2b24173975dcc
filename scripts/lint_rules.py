#!/usr/bin/env python3
"""The rules of the house that a compiler does not know: python3 scripts/lint_rules.py [ROOT]

Prints path:line: message for every breach under ROOT (default: this repository); exits 1 if there is one.
A file that has to be long says so in a line `// lint: long because ...`.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
WAIVER = re.compile(r"^// lint: long because \S", re.M)
PURE_FILE = re.compile(r"_(fsm|policy|planner|table)(_test)?\.(cpp|hpp)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
REAL_TIME = re.compile(
    r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\bthis_thread::sleep_|\bu?sleep\s*\("
    r"|\bnanosleep\s*\(|\brandom_device\b|\bs?rand\s*\(|\bmt19937|\bclock_gettime\b|\bgettimeofday\b"
)
DETACHED = re.compile(r"\bdetached\b|\.detach\s*\(")
TASK_FUNCTION = re.compile(r"\bTask<[^;{}=]*?>\s+(?P<name>[\w:]+)\((?P<parameters>[^;{}]*?)\)\s*(?:const|noexcept|override|=\s*0|\s)*[;{]")
REFUSED_PARAMETERS = (
    (r"\bconst\b[^,*]*&|&&", "const reference or rvalue reference"),
    (r"=", "default argument"),
)
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home|Users)/(?!\.\.\.)[A-Za-z]|(?<![\w.$}])/root/")


class Breach(NamedTuple):
    line: int
    message: str


class Room(NamedTuple):
    folder: str
    floor: int
    wing: str
    deps: frozenset[str]


def blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def blank_out(text: str) -> str:
    """Comments, strings and characters become spaces; line numbers stay."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'',
        re.S,
    )
    return token.sub(blank, text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def each_match(pattern: re.Pattern, text: str, message: str) -> Iterator[Breach]:
    for match in pattern.finditer(text):
        yield Breach(line_of(text, match.start()), message.format(match[0].strip()))


def includes(text: str) -> Iterator[tuple[int, str]]:
    for match in INCLUDE.finditer(text):
        yield line_of(text, match.start(2)), match[2]


def top_folder(path: str) -> str:
    """src/base/x.hpp -> base, tests/sim/x.cpp -> tests"""
    parts = path.split("/")
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


def check_includes(path: str, text: str) -> Iterator[Breach]:
    pure = PURE_FILE.search(path)
    for line, name in includes(text):
        if name.startswith("boost/beast"):
            yield Breach(line, "Beast is not used")
        if name.startswith("openssl/") and top_folder(path) not in ("base", "net"):
            yield Breach(line, "OpenSSL only in base/ and net/")
        foreign_net = name.startswith("net/") and top_folder(path) != "net"
        if pure and (foreign_net or "asio" in name):
            yield Breach(line, f"a _{pure[1]} file is pure: no {name}")


def check_time_and_chance(path: str, text: str) -> Iterator[Breach]:
    if top_folder(path) not in ("base", "async"):
        yield from each_match(REAL_TIME, blank_out(text), "{}: real time and chance only in base/ and async/")


def check_detached(path: str, text: str) -> Iterator[Breach]:
    yield from each_match(DETACHED, blank_out(text), "{}: every coroutine and thread is joined by somebody")


def check_coroutines(path: str, text: str) -> Iterator[Breach]:
    """A coroutine outlives its caller's statement: no references to arguments. `T&` names an owner's long-lived member."""
    code = blank_out(text)
    for match in TASK_FUNCTION.finditer(code):
        parameters = match["parameters"]
        for word, reason in REFUSED_PARAMETERS:
            if re.search(word, parameters):
                yield Breach(line_of(code, match.start()), f"{match['name']}: a coroutine takes no {reason}")


def check_size(path: str, text: str) -> Iterator[Breach]:
    if WAIVER.search(text):
        return
    lines = text.count("\n")
    if lines > MAX_FILE_LINES:
        yield Breach(1, f"{lines} lines, at most {MAX_FILE_LINES}")
    for first, last in functions(blank_out(text)):
        if last - first + 1 > MAX_FUNCTION_LINES:
            yield Breach(first, f"a function of {last - first + 1} lines, at most {MAX_FUNCTION_LINES}")


def without_noise(text: str) -> str:
    """Directives and braces of initialisers (`a_{1}`, never after a space) become spaces too."""
    directive = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
    initialiser = re.compile(r"(?<=[\w>])\{[^{};]*\}")
    text = directive.sub(blank, text)
    count = 1
    while count:
        text, count = initialiser.subn(blank, text)
    return text


def functions(text: str) -> Iterator[tuple[int, int]]:
    """First and last line of every outermost function body; `text` is blanked out."""
    text = without_noise(text)
    scope = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")
    stack: list[tuple[str, int]] = []
    start = 0
    for match in re.finditer(r"[{};]", text):
        head = text[start : match.start()]
        inside = any(kind == "function" for kind, _ in stack)
        if match[0] == "{":
            if inside or (stack and stack[-1][0] == "value"):
                kind = "block"
            elif "(" in head and not (scope.search(head) and not re.search(r"\)\s*(?:const|noexcept|override|->.*)?\s*$", head)):
                kind = "function"
            else:
                kind = "scope" if scope.search(head) else "value"
            stack.append((kind, line_of(text, start + len(head) - len(head.lstrip()))))
        elif match[0] == "}" and stack:
            kind, first = stack.pop()
            if kind == "function":
                yield first, line_of(text, match.start())
        start = match.end()


def check_machine_path(path: str, text: str) -> Iterator[Breach]:
    yield from each_match(MACHINE_PATH, text, "{}: a path of one machine")


def read_rooms(root: Path) -> dict[str, Room]:
    """Every orch_library call under src/: name -> room."""
    rooms = {}
    for cmake in sorted(root.glob("src/**/CMakeLists.txt")):
        text = re.sub(r"#[^\n]*", "", cmake.read_text())
        for call in re.findall(r"orch_library\(([^)]*)\)", text):
            words = re.split(r"\b(NAME|FLOOR|WING|SOURCES|DEPS|LIBS|TESTS)\b", call)
            said = {key: value.split() for key, value in zip(words[1::2], words[2::2])}
            folder = cmake.parent.relative_to(root / "src").as_posix()
            wing = (said.get("WING") or [""])[0]
            rooms[said["NAME"][0]] = Room(folder, int(said["FLOOR"][0]), wing, frozenset(said.get("DEPS", [])))
    return rooms


def check_rooms(path: str, text: str, rooms: dict[str, Room]) -> Iterator[Breach]:
    """A room includes its own headers and those of the rooms in its DEPS, and tells no other wing apart."""
    if not path.startswith("src/") or path.startswith("src/apps/"):
        return
    folder = str(Path(path).parent.relative_to("src").as_posix())
    owner_of = {room.folder: name for name, room in rooms.items()}
    me = owner_of.get(folder)
    for line, name in includes(text):
        other = str(Path(name).parent.as_posix())
        wings = {p.split("/")[0] for p in (folder, other)} & {"control", "node"}
        if wings == {"control", "node"}:
            yield Breach(line, f"the wings meet only in apps/: {name}")
        elif me and other in owner_of and other != folder and owner_of[other] not in rooms[me].deps:
            yield Breach(line, f"{name}: {owner_of[other]} is not in the DEPS of {me}")


CODE_RULES: tuple[Callable[[str, str], Iterator[Breach]], ...] = (
    check_includes,
    check_time_and_chance,
    check_detached,
    check_coroutines,
    check_size,
)


def check_file(path: str, text: str, rooms: dict[str, Room]) -> Iterator[Breach]:
    yield from check_machine_path(path, text)
    if path.endswith((".cpp", ".hpp")) and path.startswith(("src/", "tests/")):
        for rule in CODE_RULES:
            yield from rule(path, text)
        yield from check_rooms(path, text, rooms)


def text_files(root: Path) -> Iterator[tuple[str, str]]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, check=True, capture_output=True, text=True,
    ).stdout
    for name in sorted(filter(None, names.split("\0"))):
        file = root / name
        if not file.is_file() or name.startswith("scripts/lint_rules"):
            continue
        data = file.read_bytes()
        if b"\0" not in data:
            yield name, data.decode(errors="replace")


def main(root: Path) -> int:
    rooms = read_rooms(root)
    count = 0
    for path, text in text_files(root):
        for breach in check_file(path, text, rooms):
            print(f"{path}:{breach.line}: {breach.message}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)))
