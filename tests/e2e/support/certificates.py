"""Certificates of a private CA, made by the commands of docs/security.md."""
import re
import ssl
import subprocess
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent.parent.parent / "docs/security.md"


def printed_commands(mark):
    """The shell block that follows <!-- mark --> in the document."""
    found = re.search(r"<!-- %s -->\n+```\w*\n(.*?)^```$" % mark, PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, "no block behind %s in %s" % (mark, PAGE)
    return found[1]


def run_shell(commands, folder):
    done = subprocess.run(["sh", "-ec", commands], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, "%s\n%s" % (commands, done.stderr)


class Certificates:
    """A CA in `folder` and a certificate per name, all for 127.0.0.1."""

    def __init__(self, folder, *names):
        self.folder = Path(folder)
        self.folder.mkdir()
        run_shell(printed_commands("make a CA"), self.folder)
        for name in names:
            self.issue(name)

    def issue(self, name):
        """Makes it, or replaces it by a new one."""
        commands = printed_commands("make a certificate").replace("gpu-1", name).replace("10.0.0.7", "127.0.0.1")
        run_shell(commands, self.folder)

    def path(self, name):
        return self.folder / name

    def flags(self, name):
        """Of a daemon: listens with its certificate and trusts the CA."""
        return ("--tls-cert", self.path(name + ".pem"), "--tls-key", self.path(name + ".key"), "--tls-ca", self.path("ca.pem"))

    def trusting(self):
        return ssl.create_default_context(cafile=str(self.path("ca.pem")))

    def fingerprint(self, address):
        """Of the certificate that answers there."""
        host, port = address.rsplit(":", 1)
        return ssl.get_server_certificate((host, int(port)))
