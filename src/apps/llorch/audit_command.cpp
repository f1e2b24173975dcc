#include "apps/llorch/commands.hpp"
#include "apps/llorch/printable.hpp"
#include "audit/chain.hpp"

#include <fmt/format.h>

namespace orch::llorch {

ExitCode audit_command(const std::string& folder, Console& console) {
    const auto chain = audit::load_chain(folder);
    if (!chain) {
        return report(console, {ExitCode::usage, chain.error().message});
    }
    for (const std::string& note : chain->notes()) {
        console.err << "note: " << printable(note) << '\n';
    }
    for (const std::string& error : chain->errors()) {
        console.err << printable(error) << '\n';
    }
    console.err << std::flush;
    if (!chain->sound()) {
        return report(
            console, {ExitCode::refused, fmt::format("{}: the chain is broken", printable(folder))}
        );
    }
    console.out << fmt::format("{} records, the chain is whole", chain->records());
    if (chain->records() != 0) {
        console.out << fmt::format("; last hash {}", chain->hash());
    }
    console.out << '\n' << std::flush;
    return ExitCode::ok;
}

}  // namespace orch::llorch
