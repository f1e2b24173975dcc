#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

namespace orch::control::view {

// Names whose requests are refused, although pools may still list them. Made by the control thread
// and immutable; any thread may read one.
using RetiredModels = std::set<std::string, std::less<>>;
using RetiredModelsPtr = std::shared_ptr<const RetiredModels>;

}  // namespace orch::control::view
