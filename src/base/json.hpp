#pragma once

#include "base/enums.hpp"
#include "base/result.hpp"
#include "base/strong_id.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/members.hpp>
#include <boost/describe/modifiers.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <boost/mp11/algorithm.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// JSON <-> aggregates described with BOOST_DESCRIBE_STRUCT.
// Reading: a missing key or an explicit null keeps the member's default, unknown keys are ignored,
// an error names the path ("pools[1].slots_free: must be an integer from 0 to 4294967295").
// Numbers that JSON cannot say (1e400) are refused, and so is text that is not UTF-8.
// Writing: an empty optional, and a NaN or infinity, is null or left out, as Nulls says.
// Pure; any thread.
namespace orch::json {

namespace bj = boost::json;

// Nesting beyond this is refused before any tree is built.
inline constexpr std::size_t kMaxDepth = 64;

// Parses text into a tree. Errors: invalid_params with the position.
Result<bj::value> parse(std::string_view text);

std::string serialize(const bj::value& value);

namespace detail {

template <class T>
concept Described = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

template <class T>
struct is_optional : std::false_type {};

template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
struct is_vector : std::false_type {};

template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
struct is_map : std::false_type {};

template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};

template <class T>
struct is_id : std::false_type {};

template <class Tag>
struct is_id<StrongId<Tag>> : std::true_type {};

std::unexpected<Error> mismatch(const std::string& path, std::string_view wanted);
std::unexpected<Error> out_of_range(const std::string& path, std::int64_t low, std::uint64_t high);
std::optional<std::int64_t> as_signed(const bj::value& value);
std::optional<std::uint64_t> as_unsigned(const bj::value& value);

inline std::optional<EngineFamily> parse_enum(std::string_view t, EngineFamily) {
    return engine_family_from(t);
}

inline std::optional<ModelKind> parse_enum(std::string_view t, ModelKind) {
    return model_kind_from(t);
}

inline std::optional<NodeStatus> parse_enum(std::string_view t, NodeStatus) {
    return node_status_from(t);
}

std::string join(const std::string& path, std::string_view key);

}  // namespace detail

template <class T>
Result<void> read_into(const bj::value& value, T& out, const std::string& path);

namespace detail {

template <std::integral T>
Result<void> read_integer(const bj::value& value, T& out, const std::string& path) {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::is_signed_v<T>) {
        const auto number = as_signed(value);
        if (number && *number >= Limits::min() && *number <= Limits::max()) {
            out = static_cast<T>(*number);
            return {};
        }
    } else {
        const auto number = as_unsigned(value);
        if (number && *number <= Limits::max()) {
            out = static_cast<T>(*number);
            return {};
        }
    }
    return out_of_range(
        path, static_cast<std::int64_t>(Limits::min()), static_cast<std::uint64_t>(Limits::max())
    );
}

template <class T>
Result<void> read_array(const bj::value& value, std::vector<T>& out, const std::string& path) {
    if (!value.is_array()) {
        return mismatch(path, "an array");
    }
    std::vector<T> items;
    items.reserve(value.get_array().size());
    for (const bj::value& element : value.get_array()) {
        T item{};
        const std::string where = path + "[" + std::to_string(items.size()) + "]";
        if (auto read = read_into(element, item, where); !read) {
            return read;
        }
        items.push_back(std::move(item));
    }
    out = std::move(items);
    return {};
}

template <class T>
Result<void> read_map(
    const bj::value& value, std::map<std::string, T>& out, const std::string& path
) {
    if (!value.is_object()) {
        return mismatch(path, "an object");
    }
    std::map<std::string, T> entries;
    for (const auto& [key, element] : value.get_object()) {
        if (auto read = read_into(element, entries[std::string(key)], join(path, key)); !read) {
            return read;
        }
    }
    out = std::move(entries);
    return {};
}

template <Described T>
Result<void> read_object(const bj::value& value, T& out, const std::string& path) {
    if (!value.is_object()) {
        return mismatch(path, "an object");
    }
    Result<void> outcome;
    using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
    boost::mp11::mp_for_each<Members>([&](auto member) {
        const bj::value* const found = value.get_object().if_contains(member.name);
        if (outcome && found != nullptr && !found->is_null()) {
            outcome = read_into(*found, out.*member.pointer, join(path, member.name));
        }
    });
    return outcome;
}

}  // namespace detail

// Reads `value` into `out`, which keeps its defaults where the JSON says nothing.
template <class T>
Result<void> read_into(const bj::value& value, T& out, const std::string& path) {
    using namespace detail;
    if constexpr (is_optional<T>::value) {
        typename T::value_type inner{};
        auto read = read_into(value, inner, path);
        if (read) {
            out = std::move(inner);
        }
        return read;
    } else if constexpr (std::same_as<T, bj::value>) {
        out = value;
        return {};
    } else if constexpr (std::same_as<T, bool>) {
        if (!value.is_bool()) {
            return mismatch(path, "true or false");
        }
        out = value.get_bool();
        return {};
    } else if constexpr (std::integral<T>) {
        return read_integer(value, out, path);
    } else if constexpr (std::floating_point<T>) {
        const T number =
            value.is_number() ? value.to_number<T>() : std::numeric_limits<T>::infinity();
        if (!std::isfinite(number)) {
            return mismatch(path, "a number");
        }
        out = number;
        return {};
    } else if constexpr (std::same_as<T, std::string>) {
        if (!value.is_string()) {
            return mismatch(path, "a string");
        }
        out = std::string(value.get_string());
        return {};
    } else if constexpr (is_id<T>::value) {
        return read_into(value, out.value, path);
    } else if constexpr (std::is_enum_v<T>) {
        const auto parsed =
            value.is_string() ? parse_enum(value.get_string(), T{}) : std::optional<T>{};
        if (!parsed) {
            return mismatch(path, "one of the known names");
        }
        out = *parsed;
        return {};
    } else if constexpr (is_vector<T>::value) {
        return read_array(value, out, path);
    } else if constexpr (is_map<T>::value) {
        return read_map(value, out, path);
    } else {
        return read_object(value, out, path);
    }
}

// What an empty optional becomes.
enum class Nulls { leave_out, write };

template <class T>
bj::value write(const T& in, Nulls nulls);

namespace detail {

template <Described T>
bj::value write_object(const T& in, Nulls nulls) {
    bj::object object;
    using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
    boost::mp11::mp_for_each<Members>([&](auto member) {
        bj::value value = write(in.*member.pointer, nulls);
        if (nulls == Nulls::write || !value.is_null()) {
            object.emplace(member.name, std::move(value));
        }
    });
    return object;
}

}  // namespace detail

template <class T>
bj::value write(const T& in, Nulls nulls) {
    using namespace detail;
    if constexpr (is_optional<T>::value) {
        return in ? write(*in, nulls) : bj::value(nullptr);
    } else if constexpr (std::same_as<T, bj::value> || std::same_as<T, bool> || std::integral<T>) {
        return bj::value(in);
    } else if constexpr (std::floating_point<T>) {
        return std::isfinite(in) ? bj::value(in) : bj::value(nullptr);
    } else if constexpr (std::same_as<T, std::string>) {
        return bj::value(bj::string(in));
    } else if constexpr (is_id<T>::value) {
        return bj::value(bj::string(in.value));
    } else if constexpr (std::is_enum_v<T>) {
        return bj::value(bj::string(to_string(in)));
    } else if constexpr (is_vector<T>::value) {
        bj::array array;
        array.reserve(in.size());
        for (const auto& item : in) {
            array.push_back(write(item, nulls));
        }
        return array;
    } else if constexpr (is_map<T>::value) {
        bj::object object;
        for (const auto& [key, item] : in) {
            object.emplace(key, write(item, nulls));
        }
        return object;
    } else {
        return write_object(in, nulls);
    }
}

// Parses text and reads it into a T with defaults.
template <class T>
Result<T> decode(std::string_view text) {
    auto tree = parse(text);
    if (!tree) {
        return std::unexpected(tree.error());
    }
    T out{};
    if (auto read = read_into(*tree, out, std::string{}); !read) {
        return std::unexpected(read.error());
    }
    return out;
}

template <class T>
std::string encode(const T& in) {
    return serialize(write(in, Nulls::leave_out));
}

}  // namespace orch::json
