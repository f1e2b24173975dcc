"""What the tests read out of the documents."""
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SKIPPED = {"build", "node_modules"}

FENCE = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
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
