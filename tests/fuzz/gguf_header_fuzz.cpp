#include "fuzz/expect.hpp"
#include "gguf/header.hpp"
#include "gguf/vram_estimate.hpp"

#include <span>

// The beginnings of model files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace orch;
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto whole = gguf::read_header(bytes);
    if (whole) {
        gguf::EngineShape shape;
        shape.file_bytes = size;
        shape.ctx = 8192;
        shape.slots = 4;
        const Bytes all = gguf::estimate_vram(*whole, shape);
        fuzz::expect(all > size, "an engine takes more than the file");
        shape.gpu_layers = 7;
        fuzz::expect(gguf::estimate_vram(*whole, shape) <= all, "fewer layers take no more");
    }
    if (whole && whole->complete) {
        const auto part = gguf::read_header(bytes.first(size / 2));
        fuzz::expect(!part || part->version == whole->version, "a shorter look sees the same");
    }
    return 0;
}
