"""Programs under test: each with its own working directory, TMPDIR, HOME and state directory below one root."""
import json
import os
import signal
import subprocess
import time
from pathlib import Path

GUARD_SECS = 60  # generous: says only that something hangs, never that it is slow
POLL_SECS = 0.05


def wait_for(what, probe, guard_secs=GUARD_SECS):
    """Calls `probe` until its answer is true and returns that answer; an exception of the probe counts as "not yet"."""
    deadline, seen = time.monotonic() + guard_secs, None
    while True:
        try:
            seen = probe()
            if seen:
                return seen
        except Exception as error:
            seen = repr(error)
        if time.monotonic() > deadline:
            raise AssertionError("waited %d s in vain for %s; last seen: %r" % (guard_secs, what, seen))
        time.sleep(POLL_SECS)


def is_running(pid):
    """False for a zombie too: whoever inherited it may be slow to collect it."""
    try:
        return Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def end_strays(root):
    """Kills what was started below `root` and is still there, engines by the TMPDIR they inherit; returns the command lines."""
    ended, mark = [], (str(root) + "/").encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if (mark in command or mark in environment) and int(folder.name) != os.getpid() and is_running(int(folder.name)):
            os.kill(int(folder.name), signal.SIGKILL)
            ended.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return ended


class Program:
    """One process. Its files: <root>/<name>/{cwd,tmp,home,state} and <root>/<name>/{stdout,stderr}.log."""

    def __init__(self, root, name, command, env=None):
        self.name, self.folder = name, Path(root) / name
        for part in ("cwd", "tmp", "home", "state"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.stdout_path, self.stderr_path = self.folder / "stdout.log", self.folder / "stderr.log"
        self.command = [str(word) for word in command]
        # Nothing of the caller's environment but what every process needs: settings and proxies must not leak in.
        self.env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                    "HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp")}
        self.env.update({key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")})
        self.env.update(env or {})
        self.process = None

    @property
    def state_dir(self):
        return self.folder / "state"

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "ab") as err:
            self.process = subprocess.Popen(self.command, cwd=self.folder / "cwd", env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err, start_new_session=True)
        return self

    def run(self, guard_secs=GUARD_SECS):
        """Starts it and waits for its end; returns the exit code."""
        self.start()
        try:
            return self.process.wait(guard_secs)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("%s did not end within %d s\n%s" % (self.name, guard_secs, self.tail()))

    def address(self):
        """"IP:PORT" as the first line of stdout says."""
        def first_line():
            line, newline, _ = self.stdout_path.read_text().partition("\n")
            return line if newline or self.process.poll() is not None else None

        line = wait_for("%s to say where it listens" % self.name, lambda: first_line() is not None and [first_line()])[0]
        if self.process.poll() is not None:
            raise AssertionError("%s ended with exit code %d\n%s" % (self.name, self.process.returncode, self.tail()))
        said = json.loads(line)
        assert said["event"] == "listening", line
        return said["address"]

    @property
    def stdout(self):
        return self.stdout_path.read_text(errors="replace")

    @property
    def stderr(self):
        return self.stderr_path.read_text(errors="replace")

    @property
    def exit_code(self):
        return self.process.poll()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def stop(self, guard_secs=GUARD_SECS):
        """SIGTERM; returns the exit code."""
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(guard_secs)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("%s did not end within %d s of SIGTERM\n%s" % (self.name, guard_secs, self.tail()))
        return self.process.returncode if self.process else None

    def tail(self, lines=40):
        """The ends of its logs, its engines' among them."""
        parts = ["--- %s: %s" % (self.name, " ".join(self.command))]
        for path in [self.stdout_path, self.stderr_path] + sorted(self.state_dir.rglob("*.log")):
            if path.is_file() and path.stat().st_size:
                text = path.read_text(errors="replace").splitlines()[-lines:]
                parts.append("--- %s\n%s" % (path.relative_to(self.folder.parent), "\n".join(text)))
        return "\n".join(parts)


class Runner:
    """Starts programs by name below one root and ends them all in close()."""

    def __init__(self, root, programs):
        self.root, self.programs, self.started = Path(root), Path(programs), []

    def make(self, program, *arguments, name=None, env=None):
        name = name or "%s-%d" % (Path(program).name, len(self.started))
        self.started.append(Program(self.root, name, [self.programs / program, *arguments], env))
        return self.started[-1]

    def start(self, program, *arguments, name=None, env=None):
        return self.make(program, *arguments, name=name, env=env).start()

    def run(self, program, *arguments, name=None, env=None):
        """Waits for its end."""
        made = self.make(program, *arguments, name=name, env=env)
        made.run()
        return made

    def tails(self):
        return "\n".join(made.tail() for made in self.started)

    def close(self):
        """The newest first, so that nodes can say good-bye. Nothing may outlive this, whatever happens."""
        try:
            for made in reversed(self.started):
                made.stop()
        finally:
            for made in self.started:
                made.kill()
            end_strays(self.root)
