"""How many processes and connections a number of nodes gets."""
import unittest

from crowd import NODES_PER_PROCESS, SPARE_FILES, make_plan


class PlanTest(unittest.TestCase):
    def test_all_nodes_keep_their_connections_where_files_are_plenty(self):
        plan = make_plan(2 * NODES_PER_PROCESS, 1_000_000)
        self.assertEqual((plan.processes, plan.keeping), (2, 2 * NODES_PER_PROCESS))

    def test_connections_that_do_not_fit_beside_those_of_the_polls_are_not_kept(self):
        self.assertEqual(make_plan(10_000, 20_000).keeping, 10_000 - SPARE_FILES)
        self.assertEqual(make_plan(1_000, 1_000 + SPARE_FILES + 1).keeping, 1)

    def test_no_process_has_more_nodes_than_its_files_allow(self):
        plan = make_plan(1_000, 1_000 + SPARE_FILES + 1)
        self.assertLessEqual(2 * plan.nodes / plan.processes, 1_001)
        self.assertEqual(plan.processes, 2)

    def test_more_nodes_than_files_for_their_polls_are_refused(self):
        with self.assertRaisesRegex(AssertionError, "do not fit"):
            make_plan(1_000, 1_000 + SPARE_FILES)


if __name__ == "__main__":
    unittest.main()
