#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>

// One line of the audit log: JSON whose last key is the hash of everything before it.
//   {"ts":..,"event":..,"identity":..,"correlation_id":..,"outcome":..,"details":{..},
//    "prev_hash":..,"hash":..}
// `prev_hash` is the hash of the line before, so that no line can be changed, left out or put in
// between without all later ones showing it. Pure; any thread.
namespace orch::audit {

// What happened. Never holds a token: who called is named by its fp6.
struct Event {
    std::string event;           // "node_registered"
    std::string identity;        // "token:ab12cd", "localhost", "home-node" or "anonymous"
    std::string correlation_id;  // of the request; empty when there is none
    std::string outcome;         // "success" or "refused"
    std::map<std::string, std::string> details{};
};

// The previous hash of a chain's first line: 64 zeros.
std::string first_hash();

struct Line {
    std::string text;  // with its newline
    std::string hash;
};

Line make_line(const Event& event, WallTime when, std::string_view prev_hash);

// What a line says about its place in the chain.
struct Links {
    std::string prev_hash;
    std::string hash;
};

// Reads a line without its newline. Errors: invalid_params, a sentence: it is no record, or its
// hash is not that of its text.
Result<Links> read_links(std::string_view line);

}  // namespace orch::audit
