#pragma once

#include <string>
#include <vector>

namespace orch::api {

// One endpoint as its daemon's route table has it.
struct EndpointDoc {
    std::string method;        // "GET"
    std::string path;          // "/v2/nodes/{id}"; "{path...}" takes the rest with its slashes
    std::string auth;          // "exempt", "client" or "cluster"
    std::string summary;       // half a sentence
    std::string example_body;  // JSON that the endpoint accepts; empty: it takes no body
};

struct ServiceDoc {
    std::string title;
    std::string description;
};

// The OpenAPI 3.1 document of a daemon: every endpoint, its parameters, an example of its body, and
// the error envelope with all codes. Requires: examples are JSON. Pure.
std::string make_openapi(const ServiceDoc& service, const std::vector<EndpointDoc>& endpoints);

}  // namespace orch::api
