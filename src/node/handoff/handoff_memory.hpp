#pragma once

#include "api/handoff_file.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace orch::node::handoff {

// What tells one version of a file from another.
struct FileStamp {
    std::int64_t mtime_ns = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;

    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// What to do with a file that was read.
struct TakeIn {
    api::HandoffFile file;  // bind it; then remove the file, where that is wanted
};

// Report it with its path, and rename it out of the way.
struct SetAside {
    std::string reason;
    std::string new_name;  // "<name>.json.rejected", in the same folder
};

struct IgnoreOtherSchema {};  // one log line, and leave it

struct WaitForWriter {};  // it may be half written: look again with the next round

using HandoffVerdict = std::variant<TakeIn, SetAside, IgnoreOtherSchema, WaitForWriter>;

// A file that cannot be read is given this long since its last change before it is called
// malformed: not every provisioner writes beside and renames.
inline constexpr Duration kSettleTime = std::chrono::seconds(1);

// Whether a name in the folder is a handoff file's: "*.json", not hidden.
bool is_handoff_name(std::string_view file_name);

// Remembers which versions of which files were dealt with, so that each is dealt with once and a
// rewritten one again. Pure; one owner, the watcher.
class HandoffMemory {
public:
    // Whether this version has to be read and judged.
    bool is_news(std::string_view name, const FileStamp& stamp) const;

    // `age` is the time since the file's last change. Remembers the version, unless it is to be
    // waited for.
    HandoffVerdict judge(
        std::string_view name, const FileStamp& stamp, Duration age, std::string_view content
    );

    // This version cannot even be read: it is no news from now on.
    void note(std::string_view name, const FileStamp& stamp);

    // Forgets every file that is not in the folder any more.
    void retain(const std::set<std::string, std::less<>>& names);

private:
    std::map<std::string, FileStamp, std::less<>> seen_;
};

}  // namespace orch::node::handoff
