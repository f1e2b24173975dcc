#pragma once

#include "base/bytes.hpp"
#include "gguf/header.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace orch::gguf {

// Bytes of 32 values of the key/value cache, by the name llama-server has for their type ("q8_0").
// A name that is not known counts as the widest.
std::uint64_t cache_block_bytes(std::string_view type);

// How an engine would be started on a model, as far as its memory on GPUs depends on it.
struct EngineShape {
    Bytes file_bytes = 0;                     // of all parts of the model
    std::uint64_t ctx = 0;                    // tokens of one slot
    std::uint64_t slots = 1;                  // each with a cache of its own
    std::optional<std::uint64_t> gpu_layers;  // absent: all
    std::uint64_t gpus = 1;                   // that it is spread over; 0: it runs on the CPU
    std::uint64_t key_block = 64;             // cache_block_bytes() of keys; f16
    std::uint64_t value_block = 64;           // and of values
};

// GPU memory that the engine would take, rather too much than too little: its share of the weights
// and of the key/value cache, and what it needs beside them on each GPU. Where the header does not
// say how large the cache is, the weights alone count. Absurd figures give the largest number.
// Pure.
Bytes estimate_vram(const Header& header, const EngineShape& shape);

}  // namespace orch::gguf
