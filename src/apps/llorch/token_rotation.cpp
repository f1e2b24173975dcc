#include "apps/llorch/token_rotation.hpp"

#include "apps/llorch/token_text.hpp"
#include "auth/tokens.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace orch::llorch {
namespace {

constexpr std::string_view kAdded = "# llorch token rotate: the last token is new, nobody sends it";
constexpr std::string_view kSent = "# llorch token rotate: the first token is new, the last goes";

struct TokenLines {
    std::vector<std::string> comments;
    std::vector<std::string> tokens;
    bool added = false;
    bool sent = false;
};

TokenLines read_lines(std::string_view content) {
    TokenLines lines;
    for (const std::string_view line : split(content, '\n')) {
        if (line == kAdded || line == kSent) {
            (line == kAdded ? lines.added : lines.sent) = true;
        } else if (line.starts_with('#')) {
            lines.comments.emplace_back(line);
        } else if (!line.empty()) {
            lines.tokens.emplace_back(line);
        }
    }
    return lines;
}

std::string join_lines(const TokenLines& lines, std::string_view mark) {
    std::string text;
    for (const std::string& comment : lines.comments) {
        text += comment + "\n";
    }
    if (!mark.empty()) {
        text += fmt::format("{}\n", mark);
    }
    for (const std::string& token : lines.tokens) {
        text += token + "\n";
    }
    return text;
}

std::string command(const std::string& path, std::string_view flag) {
    return fmt::format("llorch token rotate --file {} {}", shell_word(path), flag);
}

Outcome<Rotated> add(TokenLines lines, const std::string& path, std::string_view fresh) {
    if (lines.added || lines.sent) {
        return failed(
            ExitCode::usage,
            fmt::format(
                "{}: a rotation is under way; the next step is: {}",
                path,
                command(path, lines.added ? "--send-new" : "--drop-old")
            )
        );
    }
    if (lines.tokens.empty()) {
        return failed(ExitCode::usage, fmt::format("{}: there is no token in it", path));
    }
    const std::string old = auth::fp6(lines.tokens.front());
    lines.tokens.emplace_back(fresh);
    return Rotated{
        join_lines(lines, kAdded),
        fmt::format(
            "Step 1 of 3: {} now holds a new token, {}, behind the one in use, {}.\n"
            "Daemons that read the file accept it; nobody sends it yet.\n\n"
            "Copy the file to every machine of the cluster, wait 2 seconds, then:\n\n  {}\n",
            path,
            auth::fp6(fresh),
            old,
            command(path, "--send-new")
        ),
    };
}

std::unexpected<Failure> not_due(const std::string& path, std::string_view what) {
    return failed(ExitCode::usage, fmt::format("{}: {}", path, what));
}

Outcome<Rotated> send_new(TokenLines lines, const std::string& path) {
    if (!lines.added || lines.tokens.size() < 2) {
        return not_due(path, "no new token waits in it; begin with: llorch token rotate");
    }
    std::string fresh = std::move(lines.tokens.back());
    lines.tokens.pop_back();
    lines.tokens.insert(lines.tokens.begin(), std::move(fresh));
    return Rotated{
        join_lines(lines, kSent),
        fmt::format(
            "Step 2 of 3: {0} holds the new token, {1}, first: daemons that read the file send "
            "it.\n"
            "Both tokens are accepted.\n\n"
            "Copy the file to every machine of the cluster and give your clients the new token, "
            "then:\n\n  {2}\n",
            path,
            auth::fp6(lines.tokens.front()),
            command(path, "--drop-old")
        ),
    };
}

Outcome<Rotated> drop_old(TokenLines lines, const std::string& path) {
    if (!lines.sent || lines.tokens.size() < 2) {
        return not_due(path, "no old token is to be dropped; --send-new comes first");
    }
    std::string gone;
    for (std::size_t i = 1; i < lines.tokens.size(); ++i) {
        gone += (i > 1 ? ", " : "") + auth::fp6(lines.tokens[i]);
    }
    lines.tokens.resize(1);
    return Rotated{
        join_lines(lines, ""),
        fmt::format(
            "Step 3 of 3: {} holds the new token, {}, alone. Copy the file to every machine of "
            "the\n"
            "cluster. The old one, {}, is refused once LLORCH_TOKEN_GRACE_SECS (60) are over.\n",
            path,
            auth::fp6(lines.tokens.front()),
            gone
        ),
    };
}

}  // namespace

Outcome<Rotated> plan_rotation(
    RotationStep step, std::string_view content, const std::string& path, std::string_view fresh
) {
    TokenLines lines = read_lines(content);
    switch (step) {
        case RotationStep::add:
            return add(std::move(lines), path, fresh);
        case RotationStep::send_new:
            return send_new(std::move(lines), path);
        case RotationStep::drop_old:
            break;
    }
    return drop_old(std::move(lines), path);
}

}  // namespace orch::llorch
