#pragma once

#include "api/http_address.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "control/view/node_block.hpp"

#include <map>
#include <string>
#include <vector>

namespace orch::control::fleet {

// A node that did not join by itself: somebody named its URL.
struct StaticNode {
    api::HttpAddress address;
    bool from_settings = false;  // else added over the API, and kept in the state directory
    NodeId id;                   // its own once it has answered, before that made of the address
};

// "10.0.0.7-9200": what stands for a node that has never said its name.
NodeId placeholder_id(const api::HttpAddress& address);

view::Endpoint endpoint_of(const api::HttpAddress& address);

// The nodes that were added by hand, by URL. Control thread. Pure.
class StaticNodes {
public:
    // The URL's own form: scheme, host and port, and nothing else.
    static std::string url_of(const api::HttpAddress& address) { return api::to_string(address); }

    // False when the URL is there already.
    bool add(const api::HttpAddress& address, bool from_settings);
    void remove(const std::string& url);

    const StaticNode* find(const std::string& url) const;
    const StaticNode* find(const NodeId& id) const;

    // The node behind the URL has said its name. Requires: the URL is there.
    void named(const std::string& url, NodeId id);

    std::vector<std::string> urls() const;        // all
    std::vector<std::string> added_urls() const;  // without those of the settings

private:
    std::map<std::string, StaticNode> nodes_;
};

}  // namespace orch::control::fleet
