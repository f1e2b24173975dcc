import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import documents

PROGRAMS = Path(os.environ.get("ORCH_BIN", documents.ROOT / "build/dev/bin"))
CONFIGURATION = documents.ROOT / "docs/CONFIGURATION.md"
PAGES = [documents.ROOT / "README.md", CONFIGURATION,
         *(documents.ROOT / "docs" / name for name in ("troubleshooting.md", "tasks.md", "security.md", "deployment.md", "upgrade.md",
                                                   "backup.md", "platforms.md"))]
OURS = ("orchestratord", "pool-managerd", "llorch")
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
RESERVED = re.compile(r"^These flags are set by the product.*?\n\n", re.MULTILINE | re.DOTALL)
NOT_OURS = {"--name", "--cacert"}  # stands for any flag; curl's


def run(*words, environment=None):
    clean = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | (environment or {})
    return subprocess.run([PROGRAMS / words[0], *words[1:]], capture_output=True, text=True, timeout=20, env=clean)


def flags_of(*words):
    answer = run(*words, "--help")
    assert answer.returncode == 0, answer.stderr
    return set(FLAG.findall(answer.stdout))


def flags_of_command(words):
    """The flags that this command line may use: of llorch also its subcommand's."""
    known = flags_of(words[0])
    if words[0] == "llorch":
        subcommand = [word for word in words[1:3] if re.fullmatch("[a-z]+", word)]
        subcommand = subcommand[:2 if subcommand[:1] in (["token"], ["audit"], ["tasks"]) else 1]
        known |= flags_of("llorch", *subcommand)
    return known


class Flags(unittest.TestCase):
    def test_flags_of_printed_commands_exist(self):
        seen = 0
        for page in PAGES:
            for command in documents.commands(page.read_text()):
                words = command.split()
                if not words or words[0] not in OURS:
                    continue
                seen += 1
                with self.subTest(command=command):
                    self.assertLessEqual(set(FLAG.findall(command)), flags_of_command(words))
        self.assertGreater(seen, 5)

    def test_flags_in_the_text_exist(self):
        known = set().union(*(flags_of(program) for program in OURS), {"--json"}, NOT_OURS)
        for page in PAGES:
            text = RESERVED.sub("", page.read_text())
            named = set(FLAG.findall(" ".join(documents.inline_code(text))))
            with self.subTest(page=page.name):
                self.assertEqual(set(), named - known)


class Settings(unittest.TestCase):
    def test_the_tables_of_settings_are_what_the_programs_say(self):
        script = documents.ROOT / "scripts/settings_table"
        answer = subprocess.run([script, "--check", "--bin", PROGRAMS], capture_output=True, text=True, timeout=20)
        self.assertEqual(0, answer.returncode, "run scripts/settings_table and commit docs/CONFIGURATION.md\n" + answer.stderr)

    def test_every_setting_of_print_config_is_in_the_page(self):
        page = CONFIGURATION.read_text()
        for daemon in ("orchestratord", "pool-managerd"):
            names = re.findall(r"^# ([A-Z][A-Z0-9_]+)[ ;]", run(daemon, "--print-config").stdout, re.MULTILINE)
            self.assertGreater(len(names), 10)
            for name in names:
                self.assertIn("`%s`" % name, page)


class Pools(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.model = self.folder / "model.gguf"
        self.model.touch()

    def check(self, text):
        path = self.folder / "pools.yaml"
        path.write_text(text)
        return run("pool-managerd", "--check-config", "--config", path)

    def test_printed_examples_are_accepted(self):
        for page in PAGES[:2]:
            examples = [block for block in documents.blocks(page.read_text(), "yaml") if "pools:" in block]
            self.assertTrue(examples, page)
            for example in examples:
                answer = self.check(re.sub(r"model: \S+\.gguf", "model: %s" % self.model, example))
                self.assertEqual((0, ""), (answer.returncode, answer.stderr))

    def test_keys_of_the_table_are_known_and_no_key_is_missing(self):
        page = CONFIGURATION.read_text()
        table = page[page.index("| key | default |"):page.index("An unknown or repeated key")]
        keys = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
        source = (documents.ROOT / "src/node/lifecycle/pool_spec_yaml.cpp").read_text()
        known = re.search(r"kKeys\{\{(.*?)\}\};", source, re.DOTALL)[1]
        self.assertEqual(set(re.findall(r"\{\"(\w+)\"", known)), keys)

    def test_flags_that_are_said_to_be_refused_are(self):
        flags = re.findall(r"`(--?[a-z-]+)`", RESERVED.search(CONFIGURATION.read_text())[0])
        self.assertGreater(len(flags), 15)
        for flag in flags:
            with self.subTest(flag=flag):
                answer = self.check('pools: [{id: a, model: %s, flags: ["%s"]}]' % (self.model, flag))
                self.assertEqual(2, answer.returncode)
                self.assertIn("is set by the product", answer.stderr)


if __name__ == "__main__":
    unittest.main()
