#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// For tests: the raw exchanges with a real llama-server in tests/data/llama-server-wire.
// NAME.http is what the server sent, NAME.request.http what it was asked.
namespace orch::engine {

// An HTTP/1 message taken apart without judgement.
struct WireMessage {
    std::string start_line;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;                 // without the chunks' framing
    std::vector<std::string> chunks;  // of a chunked body, in order
    bool complete = true;             // false: cut before the last chunk

    int status() const { return std::stoi(start_line.substr(start_line.find(' ') + 1)); }

    std::string_view header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (key == name) {
                return value;
            }
        }
        return {};
    }
};

inline void take_chunks(WireMessage& message, std::string_view framed) {
    message.complete = false;
    while (!framed.empty()) {
        const std::size_t line = framed.find("\r\n");
        const std::size_t size = std::stoul(std::string(framed.substr(0, line)), nullptr, 16);
        if (size == 0) {
            message.complete = true;
            return;
        }
        message.chunks.emplace_back(framed.substr(line + 2, size));
        message.body += message.chunks.back();
        framed.remove_prefix(std::min(framed.size(), line + 2 + size + 2));
    }
}

inline WireMessage take_apart(std::string_view bytes) {
    WireMessage message;
    const std::size_t end = bytes.find("\r\n\r\n");
    std::string_view head = bytes.substr(0, end);
    const std::string_view body = bytes.substr(end + 4);
    message.start_line = head.substr(0, head.find("\r\n"));
    while (head.find("\r\n") != std::string_view::npos) {
        head.remove_prefix(head.find("\r\n") + 2);
        const std::string_view line = head.substr(0, head.find("\r\n"));
        const std::size_t colon = line.find(": ");
        message.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    if (message.header("Transfer-Encoding") == "chunked") {
        take_chunks(message, body);
    } else {
        message.body = body;
    }
    return message;
}

inline std::filesystem::path recordings_folder() {
    return "tests/data/llama-server-wire";
}

inline std::string load_bytes(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

inline std::string load_request(const std::string& name) {
    return load_bytes(recordings_folder() / (name + ".request.http"));
}

inline WireMessage load_recording(const std::string& name) {
    return take_apart(load_bytes(recordings_folder() / (name + ".http")));
}

// The names of all recordings of event streams.
inline std::vector<std::string> stream_recordings() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(recordings_folder())) {
        const std::string name = entry.path().stem().string();
        if (!name.ends_with(".request") &&
            load_recording(name).header("Content-Type") == "text/event-stream") {
            names.push_back(name);
        }
    }
    return names;
}

}  // namespace orch::engine
