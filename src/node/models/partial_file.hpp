#pragma once

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "node/models/model_folder.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace orch::node::models {

// A model file while it comes: written and hashed in passing, removed with the object unless it was
// put in place. Calls block; one caller at a time.
class PartialFile {
public:
    // Errors: internal naming the file.
    static Result<std::unique_ptr<PartialFile>> create(
        const ModelFolder& folder, const std::string& name
    );
    ~PartialFile();
    PartialFile(const PartialFile&) = delete;
    PartialFile& operator=(const PartialFile&) = delete;

    // Errors: invalid_params when it does not begin as a GGUF file does; internal, "no space left"
    // among them.
    Result<void> append(std::string_view bytes);

    // Begins anew, with nothing written.
    Result<void> restart();

    Bytes written() const { return written_; }

    // "sha256:<hex>" of all that was written. Once.
    std::string digest();

    // Makes it the blob of `digest`: its name in the folder. Durable when it returns.
    Result<std::string> put_in_place(const std::string& digest);

private:
    PartialFile(const ModelFolder& folder, std::filesystem::path path, UniqueFd file);

    const ModelFolder& folder_;
    std::filesystem::path path_;  // empty once it is in place
    UniqueFd file_;
    Sha256 hash_;
    Bytes written_ = 0;
    std::string begin_;  // the first bytes, until they are judged
};

}  // namespace orch::node::models
