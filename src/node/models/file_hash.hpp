#pragma once

#include "base/digest.hpp"
#include "base/result.hpp"
#include "node/models/model_folder.hpp"

#include <memory>
#include <string>

namespace orch::node::models {

// "sha256:<hex>"
std::string digest_text(const Sha256Digest& digest);

// Reads a file for its digest, a piece at a time, so that whoever waits can stop in between. Calls
// block; one caller at a time.
class FileHash {
public:
    static constexpr Bytes kPiece = 8 * kMiB;

    explicit FileHash(OpenedFile file);

    Bytes total() const { return file_.facts.bytes; }

    Bytes done() const { return done_; }

    // Reads on; true at the end of the file. Errors: internal.
    Result<bool> step();

    // Requires: step() said true. "sha256:<hex>".
    std::string digest() { return digest_text(hash_.finish()); }

    const FileFacts& facts() const { return file_.facts; }

private:
    OpenedFile file_;
    Sha256 hash_;
    Bytes done_ = 0;
    std::unique_ptr<char[]> buffer_;
};

// Up to `room` bytes from `offset`; 0 at the end. Errors: internal.
Result<std::size_t> read_at(int file, char* buffer, std::size_t room, Bytes offset);

}  // namespace orch::node::models
