#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Numbers as people read them in a table; "-" for what is not known. Pure.
namespace orch::llorch {

inline constexpr const char* kUnknown = "-";

// "850ms", "12s", "3m", "5h", "4d": one unit, rounded down; a negative age counts as 0.
std::string age_text(std::int64_t ms);

// "3/4"
std::string share_text(std::uint64_t part, std::uint64_t whole);

// "5.2/24.0 GiB", "5.2 GiB" without a total, "-" when both are 0 or unknown.
std::string vram_text(Bytes free, std::optional<Bytes> total);

// "42%" for 0.42, kept between 0 and 100.
std::string percent_text(double share);

// The number, or "-".
std::string number_text(const std::optional<std::uint32_t>& number);

// printable(), or "-".
std::string or_unknown(const std::optional<std::string>& text);

// "a, b, c", printable; "-" when empty.
std::string list_text(const std::vector<std::string>& items);

}  // namespace orch::llorch
