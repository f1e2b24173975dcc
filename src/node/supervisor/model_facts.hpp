#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "gguf/header.hpp"
#include "node/lifecycle/start_digest.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace orch::node::supervisor {

// What a start needs to know about a pool's model.
struct ModelFacts {
    std::string path;
    gguf::Header header;  // says nothing when the file is no model
    Bytes bytes = 0;      // of all parts that are there
    lifecycle::FileStamp stamp;
};

// Zeros when there is no such file. Blocks.
lifecycle::FileStamp load_file_stamp(const std::string& path);

// `model` is that of a pool's spec; a name is looked for in `model_dir`, with and without ".gguf".
// Blocks. Errors: not_found naming the file.
Result<ModelFacts> load_model_facts(std::string_view model, const std::filesystem::path& model_dir);

}  // namespace orch::node::supervisor
