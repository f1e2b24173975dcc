#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace orch::gguf {

// Walks over little-endian bytes that may end anywhere or lie about their lengths.
// A read that does not fit returns nothing and moves nowhere.
class Cursor {
public:
    explicit Cursor(std::span<const std::byte> bytes) : rest_(bytes) {}

    template <class T>
    std::optional<T> read() {
        if (rest_.size() < sizeof(T)) {
            return std::nullopt;
        }
        T value;
        std::memcpy(&value, rest_.data(), sizeof(T));
        rest_ = rest_.subspan(sizeof(T));
        return value;
    }

    bool skip(std::uint64_t count) {
        if (rest_.size() < count) {
            return false;
        }
        rest_ = rest_.subspan(count);
        return true;
    }

    // A 64-bit length and that many bytes.
    std::optional<std::string_view> read_string() {
        const auto before = rest_;
        const auto length = read<std::uint64_t>();
        if (!length || rest_.size() < *length) {
            rest_ = before;
            return std::nullopt;
        }
        const char* const text = reinterpret_cast<const char*>(rest_.data());
        rest_ = rest_.subspan(*length);
        return std::string_view(text, *length);
    }

private:
    std::span<const std::byte> rest_;
};

}  // namespace orch::gguf
