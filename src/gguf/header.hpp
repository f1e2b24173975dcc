#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace orch::gguf {

// As much of a file's beginning as read_header needs for the fields below: writers put the
// architecture's keys before the vocabulary.
inline constexpr Bytes kHeaderBytes = kMiB;

// What the metadata of a model file says about the model. Numbers are absent when the file, or the
// part of it that was given, does not state them.
struct Header {
    std::uint32_t version = 0;
    std::uint64_t tensor_count = 0;
    std::string architecture;                       // "llama", "qwen3"
    std::string name;                               // for people; may be empty
    std::optional<std::uint64_t> context_length;    // tokens the model was trained for
    std::optional<std::uint64_t> block_count;       // layers
    std::optional<std::uint64_t> embedding_length;  // floats of a hidden state
    std::optional<std::uint64_t> head_count;        // attention heads; of arrays the largest
    std::optional<std::uint64_t> head_count_kv;     // key/value heads; of arrays the largest
    std::optional<std::uint64_t> key_length;        // floats of one head's key
    std::optional<std::uint64_t> value_length;      // floats of one head's value
    bool complete = false;                          // all metadata was inside the bytes given
};

// Reads the metadata of a GGUF file (versions 2 and 3, little endian) from its first bytes.
// Running out of bytes is no error: what was read until there is returned, with complete = false.
// Pure; never reads or allocates beyond the bytes given, whatever they say.
// Errors: invalid_params when the bytes are no such file or contradict the format.
Result<Header> read_header(std::span<const std::byte> bytes);

}  // namespace orch::gguf
