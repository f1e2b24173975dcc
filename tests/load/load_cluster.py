"""The cluster of a load run: many nodes with simulated engines, and somebody who takes them away and brings them back."""
import random
import threading
import time

from support.cluster import Cluster, pool
from support.process import wait_for

# Other nodes that must have a model before one that has it may go. A request whose place failed never goes there again, so with
# one it could be left without any when the second goes too.
ENOUGH = 2
ENGINE = {"ENGINE_SIM_TTFT_MS": "50", "ENGINE_SIM_TOKENS_PER_SECOND": "20"}


class LoadCluster(Cluster):
    def __init__(self, root, programs, model_file, nodes, models, seed):
        super().__init__(root, programs, programs / "engine-sim")
        self.model_file = model_file
        self.model_names = ["model-%d" % i for i in range(models)]
        self.node_ids = ["gpu-%02d" % i for i in range(nodes)]
        self.random = random.Random(seed)
        self.served = {}  # by node id, of those that are up
        self.joins = self.leaves = self.kills = 0
        self.killed = set()

    def pools(self, names):
        return [pool(self.model_file, pool_id=name, served_name=name, slots=2, env=ENGINE) for name in names]

    def join(self, node_id, names):
        """Starts a node that serves these models, in a fresh state directory if it was killed before."""
        self.start_node(node_id, self.pools(names))
        self.served[node_id] = set(names)
        self.joins += 1

    def join_all(self):
        """Every model on half of the nodes, and on ENOUGH + 1 at least."""
        copies = max(ENOUGH + 1, len(self.node_ids) // 2)
        plan = {node_id: set() for node_id in self.node_ids}
        for number, name in enumerate(self.model_names):
            for copy in range(copies):
                plan[self.node_ids[(number + copy) % len(self.node_ids)]].add(name)
        for node_id, names in plan.items():
            self.join(node_id, sorted(names))
        for node_id in plan:
            self.wait_up(node_id)

    def wait_up(self, node_id):
        wait_for("all pools of %s to be ready" % node_id, lambda: self.is_up(node_id))

    def is_up(self, node_id):
        if self.metric("orchd_node_registrations_total", outcome="success") < self.joins:
            return False  # what is known of it is from before it was killed
        seen = self.node(node_id)
        return (seen and seen["online"] and seen["reachable"]
                and {p["pool_id"] for p in seen["pools"] if p["ready"]} >= self.served[node_id])

    def enough_elsewhere(self, node_id, names, enough):
        """Whether each of these models is on so many other nodes that are up."""
        others = [served for other, served in self.served.items() if other != node_id]
        return all(sum(name in served for served in others) >= enough for name in names)

    def take_one_away(self):
        """Kills one node or asks it to end, in turn; returns its id and models, or None if none can be spared."""
        candidates = [n for n, names in self.served.items() if self.enough_elsewhere(n, names, ENOUGH)]
        if not candidates:
            return None
        node_id = self.random.choice(candidates)
        names = self.served.pop(node_id)
        if self.kills <= self.leaves:
            self.kills += 1
            self.killed.add(node_id)
            self.nodes[node_id].kill()
        else:
            self.leaves += 1
            self.nodes[node_id].process.terminate()
        return node_id, names

    def bring_back(self, node_id, names):
        """The node again, with one model more than before, or one less that is not needed."""
        self.nodes[node_id].process.wait()
        other = self.random.choice(self.model_names)
        spare = other in names and len(names) > 1 and self.enough_elsewhere(node_id, [other], ENOUGH + 1)
        self.join(node_id, sorted(names - {other} if spare else names | {other}))

    def metric(self, name, **labels):
        """The sum of a family's series with these labels."""
        total = 0.0
        for line in self.client.get("/metrics").body.decode().splitlines():
            family, _, rest = line.partition("{")
            if family.split(" ")[0] == name and all('%s="%s"' % pair in rest for pair in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total


class Churn(threading.Thread):
    """One node away, then back, again and again, until stopped; at most one is away at a time for `down_secs`."""

    def __init__(self, cluster, every_secs, down_secs):
        super().__init__()
        self.cluster, self.every_secs, self.down_secs = cluster, every_secs, down_secs
        self._ended, self.failure = threading.Event(), None

    def run(self):
        try:
            while not self._ended.wait(self.every_secs):
                gone = self.cluster.take_one_away()
                if gone:
                    time.sleep(self.down_secs)
                    self.cluster.bring_back(*gone)
                    self.cluster.wait_up(gone[0])
        except Exception as error:
            self.failure = error

    def stop(self):
        self._ended.set()
        self.join()
        if self.failure:
            raise self.failure
