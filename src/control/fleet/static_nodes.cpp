#include "control/fleet/static_nodes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace orch::control::fleet {
namespace {

constexpr std::size_t kLongestId = 64;

}  // namespace

NodeId placeholder_id(const api::HttpAddress& address) {
    std::string host = address.host;
    std::ranges::replace_if(host, [](char c) { return !valid_id(std::string_view(&c, 1)); }, '-');
    const std::string port = fmt::format("-{}", address.port);
    return NodeId(host.substr(0, kLongestId - port.size()) + port);
}

view::Endpoint endpoint_of(const api::HttpAddress& address) {
    return {address.tls, address.host, address.port};
}

bool StaticNodes::add(const api::HttpAddress& address, bool from_settings) {
    StaticNode node{address, from_settings, placeholder_id(address)};
    return nodes_.try_emplace(url_of(address), std::move(node)).second;
}

void StaticNodes::remove(const std::string& url) {
    nodes_.erase(url);
}

const StaticNode* StaticNodes::find(const std::string& url) const {
    const auto found = nodes_.find(url);
    return found == nodes_.end() ? nullptr : &found->second;
}

const StaticNode* StaticNodes::find(const NodeId& id) const {
    const auto found =
        std::ranges::find_if(nodes_, [&](const auto& item) { return item.second.id == id; });
    return found == nodes_.end() ? nullptr : &found->second;
}

void StaticNodes::named(const std::string& url, NodeId id) {
    nodes_.at(url).id = std::move(id);
}

std::vector<std::string> StaticNodes::urls() const {
    std::vector<std::string> urls;
    for (const auto& [url, node] : nodes_) {
        urls.push_back(url);
    }
    return urls;
}

std::vector<std::string> StaticNodes::added_urls() const {
    std::vector<std::string> urls;
    for (const auto& [url, node] : nodes_) {
        if (!node.from_settings) {
            urls.push_back(url);
        }
    }
    return urls;
}

}  // namespace orch::control::fleet
