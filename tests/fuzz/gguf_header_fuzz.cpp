#include "fuzz/expect.hpp"
#include "gguf/header.hpp"

#include <span>

// The beginnings of model files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto whole = gguf::read_header(bytes);
    if (whole && whole->complete) {
        const auto part = gguf::read_header(bytes.first(size / 2));
        fuzz::expect(!part || part->version == whole->version, "a shorter look sees the same");
    }
    return 0;
}
