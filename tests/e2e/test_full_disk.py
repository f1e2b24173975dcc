"""A node whose disk is full: what runs goes on, what cannot be written is said, and with room again all is as before."""
import subprocess

import pytest
from support.cluster import pool
from support.process import wait_for


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip("this kernel does not let us mount a tmpfs: " + mounted.stderr.strip())
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    return ballast


def test_a_node_with_a_full_disk_serves_on_says_so_and_recovers(cluster, model, small_disk):
    cluster.start_control()
    node = cluster.start_node("n1", [pool(model)], "--state-dir", small_disk)
    cluster.wait_ready("n1")
    ballast = fill(small_disk)
    assert cluster.chat("hello").status == 200

    cluster.kill_engine("n1")
    wait_for("a word about the disk", lambda: "No space left on device" in node.stderr)
    assert cluster.node("n1")["online"]

    # An engine that cannot write its log may end by itself: it is started again.
    ballast.unlink()
    wait_for("the node to serve again", lambda: cluster.chat("hello").status == 200)


def test_a_control_plane_with_a_full_disk_keeps_placing(cluster, model, small_disk):
    cluster.start_control("--state-dir", small_disk)
    cluster.start_node("n1", [pool(model)])
    cluster.wait_ready("n1")
    fill(small_disk)
    assert cluster.chat("hello").status == 200
    assert cluster.client.get("/readyz").status == 200
