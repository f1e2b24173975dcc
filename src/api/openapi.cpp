#include "api/openapi.hpp"

#include "api/error_body.hpp"
#include "api/meta_views.hpp"
#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string_view>

namespace orch::api {
namespace {

namespace bj = json::bj;

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

// "{path...}" is "{path}" there: the standard knows no parameter with slashes.
std::string template_of(std::string_view path) {
    std::string out(path);
    if (const std::size_t dots = out.find("...}"); dots != std::string::npos) {
        out.erase(dots, 3);
    }
    return out;
}

// "post_v2_nodes_id_cordon"
std::string operation_id(const EndpointDoc& endpoint) {
    std::string id = lower(endpoint.method);
    bool gap = true;
    for (const char c : endpoint.path) {
        const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (word && gap) {
            id += '_';
        }
        if (word) {
            id += c;
        }
        gap = !word;
    }
    return id;
}

bj::array parameters_of(std::string_view path) {
    bj::array parameters;
    while (true) {
        const std::size_t begin = path.find('{');
        if (begin == std::string_view::npos) {
            return parameters;
        }
        const std::size_t end = path.find('}', begin);
        std::string_view name = path.substr(begin + 1, end - begin - 1);
        const bool rest = name.ends_with("...");
        name.remove_suffix(rest ? 3 : 0);
        bj::object parameter{
            {"name", bj::string(name)},
            {"in", "path"},
            {"required", true},
            {"schema", {{"type", "string"}}},
        };
        if (rest) {
            parameter["description"] = "The rest of the path; slashes stay as they are.";
        }
        parameters.push_back(std::move(parameter));
        path.remove_prefix(end);
    }
}

bj::object body_of(const EndpointDoc& endpoint) {
    auto example = json::parse(endpoint.example_body);
    if (!example) {
        throw std::logic_error(
            fmt::format("{} {}: its example is no JSON", endpoint.method, endpoint.path)
        );
    }
    bj::object media{{"schema", {{"type", "object"}}}, {"example", std::move(*example)}};
    return {{"content", {{"application/json", std::move(media)}}}};
}

bj::object operation_of(const EndpointDoc& endpoint) {
    bj::object operation{
        {"operationId", operation_id(endpoint)},
        {"summary", endpoint.summary},
        {"x-llorch-auth", endpoint.auth},
    };
    operation["security"] =
        endpoint.auth == "exempt" ? bj::array{} : bj::array{{{"bearer", bj::array{}}}};
    if (bj::array parameters = parameters_of(endpoint.path); !parameters.empty()) {
        operation["parameters"] = std::move(parameters);
    }
    if (!endpoint.example_body.empty()) {
        operation["requestBody"] = body_of(endpoint);
    }
    operation["responses"] = {
        {"2XX", {{"description", "Done, or begun"}}},
        {"default", {{"$ref", "#/components/responses/Error"}}},
    };
    return operation;
}

bj::object text_or_null() {
    return {{"type", {"string", "null"}}};
}

bj::object error_schema() {
    bj::array codes;
    for (int code = 0; code <= static_cast<int>(Errc::internal); ++code) {
        codes.emplace_back(bj::string(wire_name(static_cast<Errc>(code))));
    }
    const bj::object fields{
        {"message", {{"type", "string"}}},
        {"type", {{"type", "string"}}},
        {"code", {{"type", "string"}, {"enum", std::move(codes)}}},
        {"param", text_or_null()},
        {"retriable", {{"type", "boolean"}}},
        {"retry_after_ms", {{"type", {"integer", "null"}}}},
        {"correlation_id", text_or_null()},
        {"details", {{"type", {"object", "null"}}}},
    };
    const bj::object error{
        {"type", "object"},
        {"required", {"message", "type", "code", "retriable"}},
        {"properties", fields},
    };
    return {
        {"type", "object"},
        {"required", bj::array{"error"}},
        {"properties", {{"error", error}}},
    };
}

bj::object components() {
    const bj::object media{{"schema", {{"$ref", "#/components/schemas/Error"}}}};
    const bj::object answer{
        {"description", "Refused or failed, with a code"},
        {"content", {{"application/json", media}}},
    };
    const bj::object bearer{{"type", "http"}, {"scheme", "bearer"}};
    return {
        {"schemas", {{"Error", error_schema()}}},
        {"responses", {{"Error", answer}}},
        {"securitySchemes", {{"bearer", bearer}}},
    };
}

}  // namespace

std::string make_openapi(const ServiceDoc& service, const std::vector<EndpointDoc>& endpoints) {
    bj::object paths;
    for (const EndpointDoc& endpoint : endpoints) {
        bj::value& path = paths[template_of(endpoint.path)];
        if (!path.is_object()) {
            path.emplace_object();
        }
        path.get_object().emplace(lower(endpoint.method), operation_of(endpoint));
    }
    const bj::object info{
        {"title", service.title},
        {"version", bj::string(kApiVersion)},
        {"description", service.description},
    };
    const bj::object document{
        {"openapi", "3.1.0"},
        {"info", info},
        {"paths", std::move(paths)},
        {"components", components()},
    };
    return json::serialize(document);
}

}  // namespace orch::api
