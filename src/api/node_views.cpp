#include "api/node_views.hpp"

#include "api/checks.hpp"

#include <utility>

namespace orch::api {
namespace {

namespace bj = json::bj;

template <class List, class Item>
List list_of(std::vector<Item> List::* member, std::vector<Item> items) {
    List list;
    list.count = items.size();
    list.*member = std::move(items);
    return list;
}

template <class Message>
Result<Message> read_one(std::string_view text, std::initializer_list<std::string_view> required) {
    auto message = read_message<Message>(text, [&](const bj::value& tree) {
        return require_keys(tree, "", required);
    });
    if (message) {
        if (auto valid = validate(*message); !valid) {
            return std::unexpected(valid.error());
        }
    }
    return message;
}

template <class List, class Item>
Result<List> read_list(std::string_view text, std::vector<Item> List::* member, const char* name) {
    auto list = read_message<List>(text, [&](const bj::value& tree) {
        return require_keys(tree, "", {name});
    });
    if (!list) {
        return list;
    }
    for (const Item& item : (*list).*member) {
        if (auto valid = validate(item); !valid) {
            return std::unexpected(valid.error());
        }
    }
    return list;
}

template <class Message>
std::string write_message(const Message& message) {
    return json::serialize(json::write(message, json::Nulls::write));
}

}  // namespace

NodeList make_list(std::vector<NodeInfo> nodes) {
    return list_of(&NodeList::nodes, std::move(nodes));
}

PoolList make_list(std::vector<PoolInfo> pools) {
    return list_of(&PoolList::pools, std::move(pools));
}

PoolStatusList make_list(std::vector<PoolStatus> pools) {
    return list_of(&PoolStatusList::pools, std::move(pools));
}

Result<void> validate(const NodeInfo& message) {
    Checks checks;
    checks.id(message.node_id.str(), "node_id");
    return checks.result();
}

Result<void> validate(const PoolInfo& message) {
    Checks checks;
    checks.id(message.node_id.str(), "node_id");
    checks.id(message.pool_id.str(), "pool_id");
    return checks.result();
}

Result<void> validate(const PoolStatus& message) {
    Checks checks;
    checks.id(message.pool_id.str(), "pool_id");
    return checks.result();
}

template <>
Result<NodeInfo> from_json(std::string_view text) {
    return read_one<NodeInfo>(text, {"node_id"});
}

template <>
Result<NodeList> from_json(std::string_view text) {
    return read_list(text, &NodeList::nodes, "nodes");
}

template <>
Result<PoolInfo> from_json(std::string_view text) {
    return read_one<PoolInfo>(text, {"node_id", "pool_id"});
}

template <>
Result<PoolList> from_json(std::string_view text) {
    return read_list(text, &PoolList::pools, "pools");
}

template <>
Result<PoolStatus> from_json(std::string_view text) {
    return read_one<PoolStatus>(text, {"pool_id"});
}

template <>
Result<PoolStatusList> from_json(std::string_view text) {
    return read_list(text, &PoolStatusList::pools, "pools");
}

std::string to_json(const NodeInfo& message) {
    return write_message(message);
}

std::string to_json(const NodeList& message) {
    return write_message(message);
}

std::string to_json(const PoolInfo& message) {
    return write_message(message);
}

std::string to_json(const PoolList& message) {
    return write_message(message);
}

std::string to_json(const PoolStatus& message) {
    return write_message(message);
}

std::string to_json(const PoolStatusList& message) {
    return write_message(message);
}

}  // namespace orch::api
