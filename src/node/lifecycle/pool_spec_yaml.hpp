#pragma once

#include "base/result.hpp"
#include "node/lifecycle/pool_spec.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace orch::node::lifecycle {

// Whether a file of this path can be read.
using FileExists = std::function<bool(const std::string& path)>;

// Usable only while `errors` is empty.
struct ParsedPools {
    std::vector<PoolSpec> pools;  // complete, in the file's order
    std::vector<Error> errors;    // each "FILE:LINE: pools[1].slots: what is wrong"
};

// Reads the `pools` list of a settings file; other keys of its top level are somebody else's.
// A file without `pools` has none. All errors at once. Pure apart from `exists`; start-up thread.
ParsedPools parse_pools(std::string_view yaml, std::string_view file, const FileExists& exists);

}  // namespace orch::node::lifecycle
