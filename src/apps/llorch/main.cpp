#include "apps/llorch/llorch.hpp"
#include "apps/llorch/terminal.hpp"
#include "base/clock.hpp"

#include <unistd.h>

#include <exception>
#include <iostream>
#include <string_view>

namespace {

orch::llorch::Environment process_environment() {
    orch::llorch::Environment all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            all.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace orch::llorch;
    try {
        const Environment environment = process_environment();
        const orch::SystemClock clock;
        Console console{
            std::cin, std::cout, std::cerr, output_is_terminal(), output_style(environment)
        };
        return static_cast<int>(run_llorch({argv + 1, argv + argc}, environment, clock, console));
    } catch (const std::exception& bug) {
        std::cerr << "llorch: internal error: " << bug.what() << '\n';
        return static_cast<int>(ExitCode::refused);
    }
}
