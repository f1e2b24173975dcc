"""A cluster whose programs are on hosts of their own: "control" and the nodes n1, n2 and n3."""
from support.cluster import Cluster
from support.hosts import Network

NODES = ("n1", "n2", "n3")
NODE_PORT = 9200


class HostCluster(Cluster):
    """Use it inside network["control"].entered(): the clients are on the control plane's host."""

    def __init__(self, root, programs, engine, network: Network):
        super().__init__(root, programs, engine)
        self.network = network

    def make(self, program, *arguments, name=None, env=None):
        made = super().make(program, *arguments, name=name, env=env)
        made.command = self.network[made.name].inside(made.command)
        return made

    def start_control(self, *arguments, **options):
        return super().start_control(*arguments, address=self.network["control"].address + ":0", **options)

    def node_program(self, node_id, pools, *arguments, address="0.0.0.0:%d" % NODE_PORT, **options):
        return super().node_program(node_id, pools, *arguments, address=address, **options)

    def node_url(self, node_id):
        """Where the control plane can reach the node."""
        return "http://%s:%d" % (self.network[node_id].address, NODE_PORT)

    def host(self, node_id):
        return self.network[node_id]
