#include "node/lifecycle/start_digest.hpp"

#include "base/digest.hpp"

#include <fmt/format.h>

#include <string_view>

namespace orch::node::lifecycle {
namespace {

// Its length goes first, so that no two sequences of texts are one sequence of bytes.
void add(Sha256& hash, std::string_view text) {
    hash.update(fmt::format("{}:", text.size()));
    hash.update(text);
}

void add(Sha256& hash, const FileStamp& stamp) {
    add(hash, fmt::format("{} {}", stamp.bytes, stamp.modified_ns));
}

}  // namespace

std::string digest_start(
    const EngineCommand& command, const FileStamp& program, const FileStamp& model
) {
    Sha256 hash;
    add(hash, fmt::format("{} {}", command.argv.size(), command.steering.size()));
    for (const std::string& argument : command.argv) {
        add(hash, argument);
    }
    for (const auto& [name, value] : command.steering) {
        add(hash, name);
        add(hash, value);
    }
    add(hash, program);
    add(hash, model);
    return hex(hash.finish());
}

}  // namespace orch::node::lifecycle
