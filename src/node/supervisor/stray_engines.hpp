#pragma once

#include "node/lifecycle/run_record.hpp"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

namespace orch::node::supervisor {

// Of every engine's environment: the path of its run record.
inline constexpr std::string_view kEngineMark = "LLORCH_ENGINE_RECORD";

// Engines that an earlier run of this daemon started and has no record of: it was killed between
// the start and the record, or could not write it. Found by their mark among the processes of this
// user, but for those of `recorded` (pids); what an engine starts itself does not count. Records
// without a port or a digest: enough to end them. Blocks.
std::vector<lifecycle::RunRecord> find_stray_engines(
    const std::filesystem::path& run_folder, const std::set<std::int64_t>& recorded
);

}  // namespace orch::node::supervisor
