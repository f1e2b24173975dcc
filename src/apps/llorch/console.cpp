#include "apps/llorch/console.hpp"

namespace orch::llorch {

ExitCode report(Console& console, const Failure& failure) {
    console.out.flush();
    if (!failure.text.empty()) {
        console.err << "llorch: " << failure.text << '\n' << std::flush;
    }
    return failure.code;
}

void print_body(Console& console, std::string_view body) {
    console.out << body;
    if (console.terminal && !body.ends_with('\n')) {
        console.out << '\n';
    }
    console.out.flush();
}

}  // namespace orch::llorch
