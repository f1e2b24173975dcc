"""Hosts on one machine: network namespaces with their own addresses on one bridge, and the faults of a network.

Nothing here has a name outside this process: a namespace lives as long as a descriptor or a program holds it, so parallel runs
do not meet and nothing is left behind, however a run ends.
"""
import ctypes
import os
import subprocess
import threading
from contextlib import contextmanager

CLONE_NEWNET = 0x40000000
SUBNET = "10.77.0."
LINK = "eth0"
libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """The kernel, or what is installed, does not allow it."""


def run(*command, stdin=None):
    try:
        done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Refused("%s is not installed" % command[0]) from error
    if done.returncode != 0:
        raise Refused("%s: %s" % (" ".join(map(str, command)), done.stderr.strip() or done.returncode))
    return done.stdout


def namespace_of_this_thread():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def new_namespace():
    """The descriptor of a new network namespace; this thread stays where it is."""
    made = []

    def unshare():
        failed = libc.unshare(CLONE_NEWNET)
        made.append(Refused("unshare: " + os.strerror(ctypes.get_errno())) if failed else namespace_of_this_thread())

    thread = threading.Thread(target=unshare)
    thread.start()
    thread.join()
    if isinstance(made[0], Refused):
        raise made[0]
    return made[0]


class Namespace:
    def __init__(self):
        self._fd = new_namespace()
        self.path = "/proc/%d/fd/%d" % (os.getpid(), self._fd)

    def close(self):
        os.close(self._fd)

    def inside(self, command):
        """`command`, to be run in here; the process that is started becomes the program, so its pid is the program's."""
        return ["nsenter", "--net=" + self.path, *command]

    def run(self, *command, stdin=None):
        return run(*self.inside(command), stdin=stdin)

    @contextmanager
    def entered(self):
        """This thread, and the threads and processes it starts, are in here meanwhile."""
        before = namespace_of_this_thread()
        try:
            if libc.setns(self._fd, CLONE_NEWNET):
                raise Refused("setns: " + os.strerror(ctypes.get_errno()))
            yield self
        finally:
            libc.setns(before, CLONE_NEWNET)
            os.close(before)


class Host(Namespace):
    """One host with one link. A drop() replaces the one before."""

    def __init__(self, address):
        super().__init__()
        self.address = address

    def cut(self):
        """Takes the link down: this host knows at once, its peers hear nothing."""
        self.run("ip", "link", "set", LINK, "down")

    def drop(self, *directions, percent=100):
        """Loses packets without a word: of "input" (what others send), of "output" (what it sends), or of both."""
        rules = ["table inet fault {"]
        for direction in directions:
            chance = "" if percent == 100 else "numgen random mod 100 < %d " % percent
            name = "iifname" if direction == "input" else "oifname"
            rules.append("chain %s { type filter hook %s priority 0; %s %s %sdrop; }"
                         % (direction, direction, name, LINK, chance))
        self._no_rules()
        self.run("nft", "-f", "-", stdin="\n".join(rules + ["}"]))

    def delay(self, milliseconds):
        """Holds back what it sends for so long."""
        self.run("tc", "qdisc", "replace", "dev", LINK, "root", "netem", "delay", "%dms" % milliseconds)

    def no_delay(self):
        self.run("tc", "qdisc", "del", "dev", LINK, "root")

    def heal(self):
        """Ends cut() and drop()."""
        self._no_rules()
        self.run("ip", "link", "set", LINK, "up")

    def _no_rules(self):
        self.run("nft", "-f", "-", stdin="add table inet fault\ndelete table inet fault")

    def move(self, address):
        """Another address in place of its own, as a host gets that asks for one."""
        self.run("ip", "address", "del", self.address + "/24", "dev", LINK)
        self.run("ip", "address", "add", address + "/24", "dev", LINK)
        self.address = address

    def add_address(self, address):
        """One more, which nobody else knows the way to."""
        self.run("ip", "address", "add", address + "/32", "dev", "lo")


class Network:
    """Hosts by name, at SUBNET + 1, 2, ...; all on one bridge that is in a namespace of its own."""

    def __init__(self, *names):
        self.hosts, self._bridge = {}, None
        try:
            self._bridge = Namespace()
            self._bridge.run("ip", "link", "add", "bridge", "type", "bridge")
            self._bridge.run("ip", "link", "set", "bridge", "up")
            for number, name in enumerate(names, 1):
                self.hosts[name] = Host(SUBNET + str(number))
                self._connect(self.hosts[name], "port%d" % number)
        except BaseException:
            self.close()
            raise

    def _connect(self, host, port):
        self._bridge.run("ip", "link", "add", port, "type", "veth", "peer", "name", LINK, "netns", host.path)
        self._bridge.run("ip", "link", "set", port, "master", "bridge", "up")
        host.run("ip", "link", "set", "lo", "up")
        host.run("ip", "address", "add", host.address + "/24", "dev", LINK)
        host.heal()

    def __getitem__(self, name):
        return self.hosts[name]

    def heal(self):
        for host in self.hosts.values():
            host.heal()

    def close(self):
        for space in [*self.hosts.values(), self._bridge]:
            if space:
                space.close()
        self.hosts, self._bridge = {}, None
