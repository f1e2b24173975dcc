#pragma once

#include "api/codec.hpp"
#include "fuzz/expect.hpp"

#include <string>
#include <string_view>

namespace orch::fuzz {

// A message of api/ that is read at all is the same after it was written and read again.
template <class Message>
void expect_round_trip(std::string_view text) {
    if (const auto message = api::from_json<Message>(text)) {
        const std::string written = api::to_json(*message);
        const auto again = api::from_json<Message>(written);
        expect(again && api::to_json(*again) == written, "a message survives the wire");
    }
}

}  // namespace orch::fuzz
