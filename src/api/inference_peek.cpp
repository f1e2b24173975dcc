#include "api/inference_peek.hpp"

#include "base/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <cstdint>

namespace orch::api {
namespace {

namespace bj = boost::json;

enum class Shape { absent, null, wrong, right };

// Hears every token of the body and remembers four fields. `depth_` counts open containers: the
// body's own fields are heard at depth 1, those of stream_options at depth 2.
class PeekHandler {
public:
    static constexpr std::size_t max_object_size = SIZE_MAX;
    static constexpr std::size_t max_array_size = SIZE_MAX;
    static constexpr std::size_t max_key_size = SIZE_MAX;
    static constexpr std::size_t max_string_size = SIZE_MAX;

    bool on_document_begin(bj::error_code&) { return true; }

    bool on_document_end(bj::error_code&) { return true; }

    bool on_array_begin(bj::error_code&) { return open(Shape::wrong); }

    bool on_array_end(std::size_t, bj::error_code&) { return close(); }

    bool on_object_begin(bj::error_code&) { return open(Shape::right); }

    bool on_object_end(std::size_t, bj::error_code&) { return close(); }

    bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) { return add_key(part); }

    bool on_key(bj::string_view part, std::size_t, bj::error_code&) {
        add_key(part);
        name_field();
        key_.clear();
        return true;
    }

    bool on_string_part(bj::string_view part, std::size_t total, bj::error_code&) {
        return add_text(part, total);
    }

    bool on_string(bj::string_view part, std::size_t total, bj::error_code&) {
        add_text(part, total);
        return scalar(field_ == Field::model ? Shape::right : Shape::wrong);
    }

    bool on_bool(bool value, bj::error_code&) {
        if (field_ == Field::stream) {
            found_.stream = value;
        } else if (field_ == Field::include_usage) {
            found_.include_usage = value;
        }
        return scalar(
            field_ == Field::model || field_ == Field::options ? Shape::wrong : Shape::right
        );
    }

    bool on_null(bj::error_code&) { return scalar(Shape::null); }

    bool on_number_part(bj::string_view, bj::error_code&) { return true; }

    bool on_int64(std::int64_t, bj::string_view, bj::error_code&) { return scalar(Shape::wrong); }

    bool on_uint64(std::uint64_t, bj::string_view, bj::error_code&) { return scalar(Shape::wrong); }

    bool on_double(double, bj::string_view, bj::error_code&) { return scalar(Shape::wrong); }

    bool on_comment_part(bj::string_view, bj::error_code&) { return true; }

    bool on_comment(bj::string_view, bj::error_code&) { return true; }

    Result<InferencePeek> result() &&;

private:
    enum class Field { other, model, stream, options, include_usage };

    bool add_key(bj::string_view part);
    void name_field();
    bool add_text(bj::string_view part, std::size_t total);
    bool scalar(Shape shape);
    bool open(Shape if_options);
    bool close();
    void settle(Shape shape);

    std::size_t depth_ = 0;
    bool in_object_ = false;   // the body is an object
    bool in_options_ = false;  // inside the stream_options object
    std::string key_;
    std::string text_;
    Field field_ = Field::other;
    Shape model_ = Shape::absent;
    Shape stream_ = Shape::absent;
    Shape options_ = Shape::absent;
    Shape include_usage_ = Shape::absent;
    InferencePeek found_;
};

bool PeekHandler::add_key(bj::string_view part) {
    constexpr std::size_t kLongest = sizeof "stream_options";
    if (depth_ <= 2 && key_.size() < kLongest) {
        key_.append(part.substr(0, kLongest - key_.size()));
    }
    return true;
}

void PeekHandler::name_field() {
    field_ = Field::other;
    if (depth_ == 1 && key_ == "model") {
        field_ = Field::model;
    } else if (depth_ == 1 && key_ == "stream") {
        field_ = Field::stream;
    } else if (depth_ == 1 && key_ == "stream_options") {
        field_ = Field::options;
    } else if (depth_ == 2 && in_options_ && key_ == "include_usage") {
        field_ = Field::include_usage;
    }
}

bool PeekHandler::add_text(bj::string_view part, std::size_t total) {
    if (field_ != Field::model) {
        return true;
    }
    if (total == part.size()) {
        text_.clear();
    }
    text_.append(part);
    return true;
}

// The value of the field named last, in whole.
bool PeekHandler::scalar(Shape shape) {
    settle(shape);
    field_ = Field::other;
    return true;
}

void PeekHandler::settle(Shape shape) {
    switch (field_) {
        case Field::model:
            model_ = shape;
            break;
        case Field::stream:
            stream_ = shape;
            break;
        case Field::options:
            options_ = shape;
            include_usage_ = Shape::absent;
            break;
        case Field::include_usage:
            include_usage_ = shape;
            break;
        case Field::other:
            break;
    }
}

bool PeekHandler::open(Shape if_options) {
    in_object_ = in_object_ || (depth_ == 0 && if_options == Shape::right);
    in_options_ = in_options_ || (field_ == Field::options && if_options == Shape::right);
    settle(field_ == Field::options ? if_options : Shape::wrong);
    field_ = Field::other;
    ++depth_;
    return true;
}

bool PeekHandler::close() {
    --depth_;
    in_options_ = in_options_ && depth_ > 1;
    field_ = Field::other;
    return true;
}

Result<InferencePeek> PeekHandler::result() && {
    if (!in_object_) {
        return fail(Errc::invalid_params, "the body: must be a JSON object");
    }
    if (model_ == Shape::wrong) {
        return fail(Errc::invalid_params, "model: must be a string");
    }
    if (stream_ == Shape::wrong) {
        return fail(Errc::invalid_params, "stream: must be true or false");
    }
    if (options_ == Shape::wrong) {
        return fail(Errc::invalid_params, "stream_options: must be an object");
    }
    if (include_usage_ == Shape::wrong) {
        return fail(Errc::invalid_params, "stream_options.include_usage: must be true or false");
    }
    if (model_ == Shape::right && !text_.empty()) {
        found_.model = std::move(text_);
    }
    found_.stream = found_.stream && stream_ == Shape::right;
    if (include_usage_ != Shape::right) {
        found_.include_usage.reset();
    }
    return std::move(found_);
}

}  // namespace

Result<InferencePeek> peek_inference(std::string_view body) {
    bj::parse_options options;
    options.max_depth = json::kMaxDepth;
    bj::basic_parser<PeekHandler> parser(options);
    bj::error_code failure;
    const std::size_t used = parser.write_some(false, body.data(), body.size(), failure);
    if (!failure && body.find_first_not_of(" \t\r\n", used) != std::string_view::npos) {
        failure = bj::error::extra_data;
    }
    if (failure) {
        return fail(
            Errc::invalid_params,
            fmt::format("the body is not valid JSON: {} near byte {}", failure.message(), used)
        );
    }
    return std::move(parser.handler()).result();
}

}  // namespace orch::api
