"""Reads Prometheus' text format and the project's promises about it."""
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)')
ROW = re.compile(r"^\| `([a-z_]+)` \| (counter|gauge|histogram) \|([^|]*)\|", re.MULTILINE)


@dataclass
class Metric:
    type: str
    help: str = ""
    samples: list = field(default_factory=list)  # (name, labels, value)

    def label_sets(self):
        return {frozenset(labels) - {"le"} for _, labels, _ in self.samples}

    def value(self, **wanted):
        """The sum of the samples that have these labels."""
        return sum(value for name, labels, value in self.samples
                   if wanted.items() <= labels.items() and not name.endswith(("_bucket", "_sum")))


def parse(text):
    metrics = {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, help_text = line.split(" ", 3)
            assert name not in metrics, "%s is told twice" % name
            metrics[name] = Metric("", help_text)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            metrics[name].type = kind
        else:
            name, labels, value = SAMPLE.match(line).groups()
            base = name if name in metrics else re.sub(r"_(bucket|sum|count)$", "", name)
            metrics[base].samples.append((name, dict(LABEL.findall(labels or "")), float(value)))
    return metrics


def promised(daemon=None):
    """name -> {type, labels} of ci/metrics.lint.json."""
    entries = json.loads((ROOT / "ci/metrics.lint.json").read_text())["metrics"]
    return {e["name"]: e for e in entries if daemon is None or e["daemon"] == daemon}


def documented(daemon):
    """The same of docs/metrics.md."""
    text = (ROOT / "docs/metrics.md").read_text()
    section = re.search(r"^## %s\n(.*?)(?=^## |\Z)" % daemon, text, re.MULTILINE | re.DOTALL).group(1)
    return {name: {"type": kind, "labels": re.findall(r"`([a-z_]+)`(?=[,:]|$)", labels.strip())}
            for name, kind, labels in ROW.findall(section)}


def names_in(expression):
    """The metrics that a PromQL expression reads."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", "", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
    words = re.findall(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\()\b", bare)
    keywords = {"or", "and", "unless", "bool", "offset", "inf", "nan"}
    found = {word for word in words if word.lower() not in keywords and not re.search(r"\b%s\s*\(" % word, bare)}
    return {re.sub(r"_(bucket|sum|count)$", "", name) for name in found}
