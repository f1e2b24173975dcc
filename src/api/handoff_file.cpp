#include "api/handoff_file.hpp"

#include "api/checks.hpp"

#include <algorithm>
#include <array>

namespace orch::api {
namespace {

namespace bj = json::bj;
using Kind = HandoffRejection::Kind;

constexpr std::array<std::string_view, 4> kRequired{"pool_id", "replica_id", "engine", "url"};
constexpr std::uint32_t kMaxSlots = 65536;

std::unexpected<HandoffRejection> malformed(const Error& error) {
    return std::unexpected(HandoffRejection{Kind::malformed, error.message});
}

bool names_ours(const bj::value& tree) {
    return tree.is_object() && std::ranges::any_of(kRequired, [&](std::string_view key) {
               return tree.get_object().contains(key);
           });
}

// The earlier format's one number.
Result<void> read_slots(const bj::value& tree, HandoffFile& file) {
    const bj::value* const slots = tree.get_object().if_contains("slots");
    if (slots == nullptr || slots->is_null() || file.slots_total) {
        return {};
    }
    return json::read_into(*slots, file.slots_total, "slots");
}

Result<HandoffFile> read_file(const bj::value& tree) {
    if (auto all = require_keys(tree, "", {kRequired[0], kRequired[1], kRequired[2], kRequired[3]});
        !all) {
        return std::unexpected(all.error());
    }
    HandoffFile file;
    if (auto read = json::read_into(tree, file, std::string{}); !read) {
        return std::unexpected(read.error());
    }
    if (auto read = read_slots(tree, file); !read) {
        return std::unexpected(read.error());
    }
    if (file.slots_total && file.slots_free) {
        file.slots_free = std::min(*file.slots_free, *file.slots_total);
    }
    if (auto valid = validate(file); !valid) {
        return std::unexpected(valid.error());
    }
    return file;
}

}  // namespace

std::expected<HandoffFile, HandoffRejection> parse_handoff_file(std::string_view text) {
    const auto tree = json::parse(text);
    if (!tree) {
        return malformed(tree.error());
    }
    if (!names_ours(*tree)) {
        return std::unexpected(HandoffRejection{
            Kind::other_schema, "none of pool_id, replica_id, engine and url is in it"
        });
    }
    auto file = read_file(*tree);
    if (!file) {
        return malformed(file.error());
    }
    return std::move(*file);
}

Result<void> validate(const HandoffFile& file) {
    Checks checks;
    checks.id(file.pool_id.str(), "pool_id");
    checks.id(file.replica_id.str(), "replica_id");
    checks.base_url(file.url, "url");
    const std::uint32_t slots = file.slots_total.value_or(1);
    checks.require(slots >= 1 && slots <= kMaxSlots, "slots_total", "from 1 to 65536");
    checks.require(file.pid.value_or(1) > 0, "pid", "a process id");
    return checks.result();
}

std::string to_json(const HandoffFile& file) {
    bj::value tree = json::write(file, json::Nulls::leave_out);
    if (file.slots_total) {
        tree.as_object()["slots"] = *file.slots_total;
    }
    return json::serialize(tree);
}

std::string handoff_file_name(const PoolId& pool, const ReplicaId& replica) {
    return fmt::format("{}-{}.json", pool.str(), replica.str());
}

}  // namespace orch::api
