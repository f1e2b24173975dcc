"""Two nodes on one machine share nothing, and nothing is written where it does not belong."""
import os
from pathlib import Path

from support.process import end_strays


def entries(folder):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*"))


def test_files_are_in_the_state_directory_only_and_all_processes_end(two_nodes):
    two_nodes.many_chats(8)
    engines = [two_nodes.engine_pid(n) for n in ("n1", "n2")]
    assert len(set(engines)) == 2
    for pid, node_id in zip(engines, ("n1", "n2")):
        state = two_nodes.nodes[node_id].state_dir
        log = Path(os.readlink("/proc/%d/fd/2" % pid))
        assert state in log.parents, "the engine of %s logs to %s" % (node_id, log)
        assert entries(state), "node %s keeps no state" % node_id

    for made in reversed(two_nodes.started):
        assert made.stop() == 0
    for made in two_nodes.started:
        for part in ("cwd", "tmp", "home"):
            assert entries(made.folder / part) == [], "%s wrote to its %s" % (made.name, part)
        assert (made.folder / "stdout.log").read_text().count("\n") == 1, "stdout holds more than the one line"
    assert end_strays(two_nodes.root) == []


def test_state_is_not_readable_by_others(two_nodes):
    for made in two_nodes.started:
        written = list(made.state_dir.rglob("*"))
        assert written, "%s keeps no state" % made.name
        for path in written:
            assert path.stat().st_mode & 0o077 == 0, "others may use %s" % path
