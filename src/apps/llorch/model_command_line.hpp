#pragma once

#include "apps/llorch/command_line.hpp"

#include <CLI/App.hpp>

namespace orch::llorch {

// Adds `model` and the commands below it, which fill `line`.
void add_model_commands(CLI::App& app, CommandLine& line);

}  // namespace orch::llorch
