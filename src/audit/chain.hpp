#pragma once

#include "audit/record.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orch::audit {

// Where the chain stands after some files. Pure; one owner.
class Chain {
public:
    // Checks one file's text, line by line, as the next part of the chain. `name` is for messages.
    void add_file(std::string_view name, std::string_view text);

    const std::string& hash() const { return hash_; }

    std::uint64_t records() const { return records_; }

    bool sound() const { return errors_.empty(); }

    // "2026-01-31.ndjson:12: a record before this one is missing", in order.
    const std::vector<std::string>& errors() const { return errors_; }

    // Nothing wrong, but worth knowing: older files are not there, a last line is incomplete.
    const std::vector<std::string>& notes() const { return notes_; }

private:
    void add_line(std::string_view place, std::string_view line);

    std::string hash_;  // empty: no record yet
    std::uint64_t records_ = 0;
    std::vector<std::string> errors_;
    std::vector<std::string> notes_;
};

// The audit files of a folder, oldest first: names of the form YYYY-MM-DD.ndjson. Blocks.
// Errors: not_found when there is no such folder.
Result<std::vector<std::string>> list_files(const std::string& folder);

// Checks all of them. Errors: of list_files() and load_file().
Result<Chain> load_chain(const std::string& folder);

}  // namespace orch::audit
