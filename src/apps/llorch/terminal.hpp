#pragma once

#include "apps/llorch/endpoint.hpp"
#include "apps/llorch/table.hpp"

namespace orch::llorch {

// Whether standard output is a terminal.
bool output_is_terminal();

// How to write to standard output: no limit and no colour where it is no terminal, no colour when
// NO_COLOR is set (https://no-color.org) or TERM is "dumb".
TextStyle output_style(const Environment& environment);

}  // namespace orch::llorch
