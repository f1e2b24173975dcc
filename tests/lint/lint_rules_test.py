"""Every rule of scripts/lint_rules.py refuses what it should and leaves the rest alone."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import lint_rules  # noqa: E402

ROOMS = {
    "base": lint_rules.Room("base", 0, "", frozenset()),
    "net": lint_rules.Room("net", 2, "", frozenset({"base"})),
    "control_view": lint_rules.Room("control/view", 1, "control", frozenset({"base"})),
    "node_lease": lint_rules.Room("node/lease", 3, "node", frozenset({"net"})),
}


def breaches(path: str, text: str) -> list[str]:
    return [breach.message for breach in lint_rules.check_file(path, text, ROOMS)]


def function_of(lines: int) -> str:
    return "namespace orch {\nvoid long_one(int a) {\n" + "    work();\n" * (lines - 2) + "}\n}\n"


class Rules(unittest.TestCase):
    def assert_refused(self, path: str, text: str, part: str) -> None:
        found = breaches(path, text)
        self.assertTrue(any(part in message for message in found), f"{part!r} not in {found}")

    def assert_clean(self, path: str, text: str) -> None:
        self.assertEqual(breaches(path, text), [])

    def test_pure_files_know_no_network(self):
        self.assert_refused("src/control/gateway/attempt_fsm.cpp", '#include "net/server.hpp"\n', "is pure")
        self.assert_refused("src/node/lease/slot_table.hpp", "#include <boost/asio/post.hpp>\n", "is pure")
        self.assert_clean("src/net/relay.cpp", "#include <boost/asio/post.hpp>\n")
        self.assert_clean("src/net/route_table.cpp", '#include "net/route_table.hpp"\n')

    def test_beast_is_nowhere_and_openssl_in_two_rooms(self):
        self.assert_refused("src/net/server.cpp", "#include <boost/beast/http.hpp>\n", "Beast")
        self.assert_refused("src/auth/token.cpp", "#include <openssl/evp.h>\n", "OpenSSL")
        self.assert_clean("src/base/digest.cpp", "#include <openssl/evp.h>\n")

    def test_nothing_is_detached(self):
        self.assert_refused("src/net/server.cpp", "co_spawn(io, run(), asio::detached);\n", "joined")
        self.assert_refused("tests/sim/fleet.cpp", "thread.detach();\n", "joined")
        self.assert_clean("src/net/server.cpp", "// never detached\n")

    def test_coroutines_borrow_nothing(self):
        for parameters in ("const Request& request", "Request&& request", "int tries = 3"):
            self.assert_refused("src/net/client.hpp", f"Task<Result<int>> fetch({parameters});\n", "fetch: a coroutine")
            self.assert_refused("src/net/client.cpp", f"Task<void> Client::fetch(\n    int a, {parameters}\n) {{\n}}\n", "fetch")
        self.assert_clean("src/net/client.hpp", "Task<Result<int>> fetch(Clock& clock, std::string path) const override;\n")
        self.assert_clean("src/net/client.hpp", "int plain(const Request& request, int tries = 3);\n")

    def test_real_time_and_chance_stay_in_base_and_async(self):
        for call in ("std::chrono::steady_clock::now();", "std::this_thread::sleep_for(1s);", "std::random_device d;"):
            self.assert_refused("src/net/server.cpp", call + "\n", "real time")
            self.assert_refused("tests/sim/fleet_test.cpp", call + "\n", "real time")
            self.assert_clean("src/base/clock.cpp", call + "\n")

    def test_long_files_and_functions_need_a_reason(self):
        long_file = "int x;\n" * 501
        self.assert_refused("src/net/server.cpp", long_file, "501 lines")
        self.assert_clean("src/net/server.cpp", "// lint: long because a table\n" + long_file)
        self.assert_refused("src/net/server.cpp", function_of(61), "a function of 61 lines")
        self.assert_clean("src/net/server.cpp", function_of(60))

    def test_classes_and_aggregates_are_not_functions(self):
        body = "    int member();\n" * 70
        self.assert_clean("src/net/server.hpp", "class Server final : public Base {\n" + body + "};\n")
        self.assert_clean("src/net/server.hpp", "constexpr std::array kTable = {\n" + "    1,\n" * 70 + "};\n")

    def test_templates_and_initialised_constructors_are_functions(self):
        body = "{\n" + "    work();\n" * 70 + "}\n"
        self.assert_refused("src/net/a.hpp", "template <class T>\nvoid f(T t) " + body, "a function of")
        self.assert_refused("src/net/a.cpp", "Foo::Foo(int a)\n    : a_(a) " + body, "a function of")
        self.assert_refused("src/net/a.cpp", "Foo::Foo(int a)\n    : a_{a},\n      b_{a} " + body, "a function of")

    def test_strings_and_comments_are_not_code(self):
        self.assert_clean("src/net/a.cpp", 'auto s = R"(sleep_for( { )"; // steady_clock::now {\n')

    def test_the_wings_never_meet(self):
        self.assert_refused("src/node/lease/lease.cpp", '#include "control/view/view.hpp"\n', "wings")
        self.assert_clean("src/apps/orchestratord/main.cpp", '#include "control/app/app.hpp"\n#include "node/app/app.hpp"\n')

    def test_an_include_needs_the_room_in_deps(self):
        self.assert_refused("src/node/lease/lease.cpp", '#include "base/result.hpp"\n', "not in the DEPS of node_lease")
        self.assert_clean("src/node/lease/lease.cpp", '#include "net/relay.hpp"\n#include "node/lease/lease.hpp"\n')

    def test_paths_of_one_machine(self):
        self.assert_refused("README.md", "cd /" + "home/anna/src\n", "path of one machine")
        self.assert_clean("README.md", "GET /v2/home/x and ~/models and $HOME/models\n")

    def test_rooms_are_read_from_cmake(self):
        with tempfile.TemporaryDirectory() as folder:
            room = Path(folder, "src/node/lease")
            room.mkdir(parents=True)
            (room / "CMakeLists.txt").write_text(
                "orch_library(NAME node_lease FLOOR 3 WING node\n  SOURCES a.cpp # own\n  DEPS base net\n  TESTS a_test.cpp)\n"
            )
            self.assertEqual(
                lint_rules.read_rooms(Path(folder)),
                {"node_lease": lint_rules.Room("node/lease", 3, "node", frozenset({"base", "net"}))},
            )


if __name__ == "__main__":
    unittest.main()
