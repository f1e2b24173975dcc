#include "gguf/header.hpp"

#include "gguf/cursor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <map>

namespace orch::gguf {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF files are little endian");

// Numbers of the file format.
enum class Type : std::uint32_t {
    u8 = 0,
    i8 = 1,
    u16 = 2,
    i16 = 3,
    u32 = 4,
    i32 = 5,
    f32 = 6,
    boolean = 7,
    string = 8,
    array = 9,
    u64 = 10,
    i64 = 11,
    f64 = 12,
};

constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"

enum class Step { ok, ran_out, malformed };

struct Metadata {
    std::map<std::string, std::uint64_t, std::less<>> numbers;
    std::map<std::string, std::string, std::less<>> texts;
};

std::uint64_t width(Type type) {
    switch (type) {
        case Type::u8:
        case Type::i8:
        case Type::boolean:
            return 1;
        case Type::u16:
        case Type::i16:
            return 2;
        case Type::u32:
        case Type::i32:
        case Type::f32:
            return 4;
        case Type::u64:
        case Type::i64:
        case Type::f64:
            return 8;
        case Type::string:
        case Type::array:
            break;
    }
    return 0;
}

template <class T>
std::optional<std::uint64_t> natural(Cursor& cursor) {
    const auto value = cursor.read<T>();
    if (!value) {
        return std::nullopt;
    }
    return *value < T{0} ? 0 : static_cast<std::uint64_t>(*value);
}

bool is_integer(Type type) {
    return width(type) != 0 && type != Type::f32 && type != Type::f64;
}

std::optional<std::uint64_t> read_integer(Cursor& cursor, Type type) {
    switch (type) {
        case Type::i8:
            return natural<std::int8_t>(cursor);
        case Type::u16:
            return natural<std::uint16_t>(cursor);
        case Type::i16:
            return natural<std::int16_t>(cursor);
        case Type::u32:
            return natural<std::uint32_t>(cursor);
        case Type::i32:
            return natural<std::int32_t>(cursor);
        case Type::u64:
            return natural<std::uint64_t>(cursor);
        case Type::i64:
            return natural<std::int64_t>(cursor);
        default:
            return natural<std::uint8_t>(cursor);
    }
}

Step skip_strings(Cursor& cursor, std::uint64_t count) {
    for (; count > 0; --count) {
        if (!cursor.read_string()) {
            return Step::ran_out;
        }
    }
    return Step::ok;
}

// Keeps the largest: per-layer head counts differ, and the largest is what memory must hold.
Step read_integers(Cursor& cursor, Type type, std::uint64_t count, std::uint64_t& largest) {
    for (; count > 0; --count) {
        const auto value = read_integer(cursor, type);
        if (!value) {
            return Step::ran_out;
        }
        largest = std::max(largest, *value);
    }
    return Step::ok;
}

Step read_array(Cursor& cursor, std::string_view key, Metadata& into) {
    const auto type = cursor.read<std::uint32_t>();
    const auto count = cursor.read<std::uint64_t>();
    if (!type || !count) {
        return Step::ran_out;
    }
    const auto element = static_cast<Type>(*type);
    if (element == Type::string) {
        return skip_strings(cursor, *count);
    }
    if (is_integer(element)) {
        std::uint64_t largest = 0;
        const Step step = read_integers(cursor, element, *count, largest);
        into.numbers.insert_or_assign(std::string(key), largest);
        return step;
    }
    const std::uint64_t size = width(element);
    if (size == 0) {
        return Step::malformed;
    }
    return *count <= UINT64_MAX / size && cursor.skip(*count * size) ? Step::ok : Step::ran_out;
}

Step read_entry(Cursor& cursor, Metadata& into) {
    const auto key = cursor.read_string();
    const auto type_number = cursor.read<std::uint32_t>();
    if (!key || !type_number) {
        return Step::ran_out;
    }
    const auto type = static_cast<Type>(*type_number);
    if (type == Type::array) {
        return read_array(cursor, *key, into);
    }
    if (type == Type::string) {
        const auto text = cursor.read_string();
        if (text) {
            into.texts.insert_or_assign(std::string(*key), std::string(*text));
        }
        return text ? Step::ok : Step::ran_out;
    }
    if (is_integer(type)) {
        const auto value = read_integer(cursor, type);
        if (value) {
            into.numbers.insert_or_assign(std::string(*key), *value);
        }
        return value ? Step::ok : Step::ran_out;
    }
    if (width(type) == 0) {
        return Step::malformed;
    }
    return cursor.skip(width(type)) ? Step::ok : Step::ran_out;
}

void fill(Header& header, const Metadata& from) {
    const auto text = [&](std::string_view key) {
        const auto found = from.texts.find(key);
        return found == from.texts.end() ? std::string{} : found->second;
    };
    header.architecture = text("general.architecture");
    header.name = text("general.name");
    const auto number = [&](std::string_view key) -> std::optional<std::uint64_t> {
        const auto found = from.numbers.find(fmt::format("{}.{}", header.architecture, key));
        return found == from.numbers.end() ? std::nullopt : std::optional(found->second);
    };
    header.context_length = number("context_length");
    header.block_count = number("block_count");
    header.embedding_length = number("embedding_length");
    header.head_count = number("attention.head_count");
    header.head_count_kv = number("attention.head_count_kv");
    header.key_length = number("attention.key_length");
    header.value_length = number("attention.value_length");
}

}  // namespace

Result<Header> read_header(std::span<const std::byte> bytes) {
    Cursor cursor(bytes);
    const auto magic = cursor.read<std::uint32_t>();
    const auto version = cursor.read<std::uint32_t>();
    const auto tensors = cursor.read<std::uint64_t>();
    const auto entries = cursor.read<std::uint64_t>();
    if (!entries || *magic != kMagic) {
        return fail(Errc::invalid_params, "not a GGUF file");
    }
    if (*version != 2 && *version != 3) {
        return fail(
            Errc::invalid_params, fmt::format("GGUF version {} is not supported (2, 3)", *version)
        );
    }
    Header header;
    header.version = *version;
    header.tensor_count = *tensors;
    Metadata metadata;
    Step step = Step::ok;
    std::uint64_t read = 0;
    for (; read < *entries && step == Step::ok; ++read) {
        step = read_entry(cursor, metadata);
    }
    if (step == Step::malformed) {
        return fail(
            Errc::invalid_params, fmt::format("GGUF metadata entry {} has an unknown type", read)
        );
    }
    header.complete = step == Step::ok;
    fill(header, metadata);
    return header;
}

}  // namespace orch::gguf
