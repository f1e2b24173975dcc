#include "base/json.hpp"
#include "loopback/control_ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

// What openapi.json says is what the control plane does.
namespace orch::loopback {
namespace {

namespace bj = json::bj;

struct ControlOpenApi : ControlRing {
    bj::object paths() {
        const Answer answer = ask("GET", "/openapi.json", "", "Authorization: \r\n");
        EXPECT_EQ(answer.status, 200) << "it needs no token";
        return json::parse(answer.body).value().at("paths").as_object();
    }

    // The path with names that exist in place of its parameters.
    static std::string filled(std::string path) {
        for (const auto& [parameter, value] :
             {std::pair("{id}", "gpu-1"),
              std::pair("{node}", "gpu-1"),
              std::pair("{pool}", "chat"),
              std::pair("{model}", "qwen3-8b")}) {
            if (const std::size_t at = path.find(parameter); at != std::string::npos) {
                path.replace(at, std::string_view(parameter).size(), value);
            }
        }
        return path;
    }

    static std::string upper(std::string_view text) {
        std::string out(text);
        std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::toupper(c); });
        return out;
    }
};

TEST_F(ControlOpenApi, EveryExampleIsAccepted) {
    start();
    join("gpu-1", {ready_pool("chat", "qwen3-8b")});
    std::size_t tried = 0;
    for (const auto& path : paths()) {
        for (const auto& operation : path.value().as_object()) {
            const bj::object& what = operation.value().as_object();
            if (!what.contains("requestBody")) {
                continue;
            }
            const bj::value& example =
                what.at("requestBody").at("content").at("application/json").at("example");
            const Answer answer = ask(
                upper(operation.key()), filled(std::string(path.key())), json::serialize(example)
            );
            EXPECT_NE(code_of(answer), "INVALID_PARAMS")
                << operation.key() << ' ' << path.key() << ": " << answer.body;
            EXPECT_NE(answer.status, 405) << path.key();
            ++tried;
        }
    }
    EXPECT_GE(tried, 6U);
}

TEST_F(ControlOpenApi, EveryEndpointThatTakesABodyShowsOne) {
    start();
    const std::set<std::string> without{
        "/v2/admin/reload",
        "/v2/catalog/models/{id}/verify",
        "/v2/nodes/{id}/approve",
        "/v2/nodes/{id}/cordon",
        "/v2/nodes/{id}/uncordon",
        "/v2/nodes/{node}/pools/{pool}/preload",
        "/v2/pools/{pool}/preload",
        "/v2/tasks/{id}/cancel",
    };
    for (const auto& path : paths()) {
        for (const auto& operation : path.value().as_object()) {
            const bool sends = operation.key() == "post" || operation.key() == "put";
            if (sends && !without.contains(std::string(path.key()))) {
                EXPECT_TRUE(operation.value().as_object().contains("requestBody")) << path.key();
            }
            EXPECT_FALSE(operation.value().at("summary").as_string().empty()) << path.key();
        }
    }
}

TEST_F(ControlOpenApi, TheAuthItNamesIsTheAuthItAsksFor) {
    start();
    for (const auto& path : paths()) {
        for (const auto& operation : path.value().as_object()) {
            const std::string auth(operation.value().at("x-llorch-auth").as_string());
            const Answer stranger = ask(
                upper(operation.key()), filled(std::string(path.key())), "", "Authorization: \r\n"
            );
            EXPECT_EQ(stranger.status == 401, auth != "exempt") << path.key() << ' ' << auth;
        }
    }
}

}  // namespace
}  // namespace orch::loopback
