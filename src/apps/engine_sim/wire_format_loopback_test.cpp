#include "apps/engine_sim/sim_process.hpp"
#include "base/json.hpp"
#include "engine/sse.hpp"
#include "engine/wire_recording.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

// The simulation's answers beside those of the real server to the same request.
namespace orch::engine_sim {
namespace {

using engine::load_recording;
using engine::load_request;
using engine::take_apart;
using engine::WireMessage;

// A JSON text's keys and types in order, with the values of the keys that say what is what.
std::string shape_of(const json::bj::value& value, std::string_view key) {
    static const std::set<std::string_view> kTelling{
        "object", "role", "finish_reason", "type", "status", "owned_by", "content", "format"
    };
    if (value.is_object()) {
        std::string text = "{";
        for (const auto& [name, element] : value.get_object()) {
            text += std::string(name) + ":" + shape_of(element, name) + " ";
        }
        return text + "}";
    }
    if (value.is_array()) {
        std::string text = "[";
        for (const auto& element : value.get_array()) {
            text += shape_of(element, "") + " ";
        }
        return text + "]";
    }
    if (value.is_string() && kTelling.contains(key)) {
        return std::string(value.get_string());
    }
    return value.is_number() ? "number" : std::string(to_string(value.kind()));
}

std::string shape_of(std::string_view text) {
    const auto tree = json::parse(text);
    return tree ? shape_of(*tree, "") : std::string(text);
}

// One line per event, one block per chunk.
std::string shape_of_stream(const WireMessage& message) {
    std::string text;
    for (const std::string& chunk : message.chunks) {
        engine::EventReader reader(chunk);
        while (const auto event = reader.next()) {
            text += std::string(event->name) + " " + shape_of(event->data) + "\n";
        }
        text += "--\n";
    }
    return text;
}

std::string head_of(const WireMessage& message) {
    std::string text = message.start_line + "\n";
    for (const auto& [name, value] : message.headers) {
        text += name + ": " + (name == "Content-Length" ? "N" : value) + "\n";
    }
    return text;
}

struct Case {
    std::string recording;
    std::vector<std::string> flags;
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.recording;
}

class Recordings : public testing::TestWithParam<Case> {};

TEST_P(Recordings, AreAnsweredInTheSameForm) {
    std::vector<std::string> flags{"--alias", "tiny", "--parallel", "2", "--ctx-size", "4096"};
    flags.insert(flags.end(), GetParam().flags.begin(), GetParam().flags.end());
    const SimProcess sim(flags);
    const WireClient client(sim.port());
    client.send(load_request(GetParam().recording));
    const WireMessage real = load_recording(GetParam().recording);
    const bool streams = !real.chunks.empty();
    const WireMessage ours = take_apart(
        streams             ? client.read_to_end()
        : real.body.empty() ? client.read_until("\r\n\r\n")
                            : client.read_answer()
    );
    EXPECT_EQ(head_of(ours), head_of(real));
    EXPECT_EQ(ours.complete, real.complete);
    if (streams) {
        EXPECT_EQ(shape_of_stream(ours), shape_of_stream(real));
    } else {
        EXPECT_EQ(shape_of(ours.body), shape_of(real.body));
    }
}

std::vector<Case> cases() {
    std::vector<Case> all;
    for (const char* name :
         {"health",
          "v1_health",
          "head_health",
          "http10",
          "keepalive_close",
          "options_cors",
          "slots_idle",
          "v1_models",
          "v1_models_one_404",
          "metrics_disabled",
          "props_readonly",
          "rerank_unsupported",
          "embeddings_unsupported",
          "apply_template",
          "input_tokens",
          "err_404",
          "err_405_like",
          "err_bad_json",
          "err_empty_body",
          "err_bad_type",
          "err_no_messages",
          "err_bad_max_tokens",
          "err_negative_max_tokens",
          "err_wrong_model",
          "chat",
          "chat_stop",
          "chat_max_tokens_0",
          "chat_bad_role",
          "chat_null_content",
          "chat_content_parts",
          "chat_stream",
          "chat_stream_usage"}) {
        all.push_back({name, {}});
    }
    for (const char* name :
         {"loading_chat_503",
          "loading_health_503",
          "loading_metrics_503",
          "loading_models_503",
          "loading_root"}) {
        all.push_back({name, {"--load-ms", "3600000"}});
    }
    all.push_back({"props", {"--props"}});
    all.push_back({"props_post", {"--props"}});
    all.push_back({"slots_disabled", {"--no-slots"}});
    return all;
}

INSTANTIATE_TEST_SUITE_P(
    WireFormat,
    Recordings,
    testing::ValuesIn(cases()),
    [](const testing::TestParamInfo<Case>& test) { return test.param.recording; }
);

// The real server's words differ here: they follow from the prompt's last letter.
TEST(TextCompletions, HaveTheRecordedKeysAndChunks) {
    const SimProcess sim({"--alias", "tiny"});
    const WireClient whole(sim.port());
    whole.send(load_request("v1_completions"));
    const WireMessage real = load_recording("v1_completions");
    const WireMessage ours = take_apart(whole.read_answer());
    EXPECT_EQ(head_of(ours), head_of(real));
    EXPECT_EQ(shape_of(ours.body), shape_of(real.body));

    const WireClient streamed(sim.port());
    streamed.send(load_request("v1_completions_stream"));
    const WireMessage real_stream = load_recording("v1_completions_stream");
    const WireMessage our_stream = take_apart(streamed.read_to_end());
    EXPECT_EQ(head_of(our_stream), head_of(real_stream));
    EXPECT_EQ(shape_of_stream(our_stream), shape_of_stream(real_stream));
}

TEST(OverlongPrompts, AreRefusedBeforeTheStreamBegins) {
    const SimProcess sim({"--alias", "tiny", "--ctx-size", "64"});
    std::string words;
    for (int i = 0; i < 100; ++i) {
        words += "x ";
    }
    const WireClient client(sim.port());
    client.send(chat(words, true, 4));
    const WireMessage ours = take_apart(client.read_answer());
    const WireMessage real = load_recording("err_ctx_overflow_stream");
    EXPECT_EQ(head_of(ours), head_of(real));
    EXPECT_EQ(shape_of(ours.body), shape_of(real.body));
}

TEST(BusySlots, AreListedAsRecorded) {
    const SimProcess sim({"--alias", "tiny", "--parallel", "2", "--tokens-per-second", "1"});
    const WireClient first(sim.port());
    const WireClient second(sim.port());
    for (const WireClient* client : {&first, &second}) {
        client->send(chat("hello", true, 50));
        client->read_until("red");
    }
    const WireClient observer(sim.port());
    observer.send(get("/slots"));
    const WireMessage ours = take_apart(observer.read_answer());
    EXPECT_EQ(shape_of(ours.body), shape_of(load_recording("slots_busy").body));
    observer.send(get("/slots?fail_on_no_slot=1"));
    EXPECT_EQ(
        take_apart(observer.read_answer()).body, load_recording("slots_fail_on_no_slot_busy").body
    );
}

TEST(SilentStreams, AreFilledWithComments) {
    const SimProcess sim({"--ttft-ms", "1500", "--sse-ping-interval", "1"});
    const WireClient client(sim.port());
    client.send(chat("hello", true, 1));
    const WireMessage answer = take_apart(client.read_to_end());
    ASSERT_GE(answer.chunks.size(), 2U);
    EXPECT_EQ(answer.chunks[0], load_recording("chat_stream_ping").chunks[0]);
    EXPECT_EQ(engine::count_tokens(answer.body), 1U);
}

}  // namespace
}  // namespace orch::engine_sim
