#include "apps/llorch/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace orch::llorch {
namespace {

std::size_t terminal_width() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool is(const Environment& environment, const std::string& name, std::string_view value) {
    const auto found = environment.find(name);
    return found != environment.end() && found->second == value;
}

}  // namespace

bool output_is_terminal() {
    return isatty(STDOUT_FILENO) == 1;
}

TextStyle output_style(const Environment& environment) {
    if (!output_is_terminal()) {
        return {};
    }
    const auto no_color = environment.find("NO_COLOR");
    const bool refused = no_color != environment.end() && !no_color->second.empty();
    return {terminal_width(), !refused && !is(environment, "TERM", "dumb")};
}

}  // namespace orch::llorch
