#pragma once

#include "api/codec.hpp"

#include <boost/describe/class.hpp>

#include <string>
#include <vector>

namespace orch::api {

// What reading the settings again did: the answer of POST /v2/admin/reload. With errors nothing was
// changed.
struct ReloadReport {
    bool success = true;
    std::vector<std::string> changed;        // settings that are in force now
    std::vector<std::string> needs_restart;  // settings whose new value waits for a restart
    std::vector<std::string> errors;         // a sentence each, naming the setting
};

template <>
Result<ReloadReport> from_json(std::string_view text);

std::string to_json(const ReloadReport& message);

BOOST_DESCRIBE_STRUCT(ReloadReport, (), (success, changed, needs_restart, errors))

}  // namespace orch::api
