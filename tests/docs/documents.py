"""What the tests read out of the documents."""
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SKIPPED = {"build", "node_modules"}

FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
MARK = re.compile(r"^ *<!-- (run|until|start|fails (\d+)) (\w+):(.*?)-->\n+ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def pages():
    def ours(path):
        parts = path.relative_to(ROOT).parts
        return not any(part in SKIPPED or part.startswith(".") for part in parts)

    return sorted(path for path in ROOT.rglob("*.md") if ours(path))


def prose(text):
    return FENCE.sub("", text)


def blocks(text, language):
    return [body for kind, body in FENCE.findall(text) if kind == language]


def inline_code(text):
    return INLINE.findall(prose(text))


def links(text):
    return LINK.findall(INLINE.sub("", prose(text)))


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(text):
    """The lines of the shell blocks, continued ones joined."""
    joined = "".join(blocks(text, "")).replace("\\\n", " ")
    return [line.removeprefix("$ ") for line in joined.splitlines()]


@dataclass
class Step:
    """A block that a test executes, as the comment before it says:

        <!-- run SCENE: TEXT | TEXT -->      exit code 0, and its output holds every TEXT
        <!-- fails 2 SCENE: TEXT -->         the same with that exit code
        <!-- until SCENE: TEXT -->           repeated until it is so
        <!-- start SCENE: TEXT -->           its last line starts a daemon, whose log says so

    The blocks of a scene share one cluster. `shell` is the scene without one.
    """
    page: Path
    line: int
    kind: str
    exit_code: int
    scene: str
    expected: list
    language: str
    text: str


def steps(page):
    text = page.read_text()
    for mark in MARK.finditer(text):
        kind, exit_code, scene, expected, language, body = mark.groups()
        yield Step(page, text.count("\n", 0, mark.start()) + 1, kind.split()[0], int(exit_code or 0), scene,
                   [part.strip() for part in expected.split("|") if part.strip()], language, body)
