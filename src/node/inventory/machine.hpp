#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string_view>

namespace orch::node::inventory {

struct MachineMemory {
    Bytes total = 0;
    Bytes available = 0;  // what a new program could take without swapping
};

// Reads the text of /proc/meminfo. Errors: internal naming the line that is missing.
Result<MachineMemory> parse_meminfo(std::string_view text);

// Logical processors in the text of /proc/cpuinfo. Errors: internal when there is none.
Result<std::uint32_t> parse_cpuinfo(std::string_view text);

}  // namespace orch::node::inventory
