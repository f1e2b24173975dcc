#pragma once

#include "apps/llorch/exit_code.hpp"
#include "apps/llorch/table.hpp"

#include <istream>
#include <ostream>

namespace orch::llorch {

// Where a command reads and writes. The streams outlive it.
struct Console {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool terminal = false;  // `out` is one
    TextStyle style;
};

// Prints why the command ends and returns the code to end with.
ExitCode report(Console& console, const Failure& failure);

// The server's body as it came; a terminal gets a line end behind it.
void print_body(Console& console, std::string_view body);

}  // namespace orch::llorch
