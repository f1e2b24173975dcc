#pragma once

#include "apps/llorch/command_line.hpp"

#include <string_view>

// The texts of --help. Pure.
namespace orch::llorch {

std::string_view program_summary();

// Examples, exit codes and environment, below the list of commands.
std::string_view main_footer();

std::string_view summary_of(Command command);

// Below the options of a command; empty when there is nothing more to say.
std::string_view footer_of(Command command);

}  // namespace orch::llorch
