#pragma once

#include "base/host_port.hpp"

// What both daemons say and return in the same way.
namespace orch {

// Exit codes of the daemons; kExitUsage (2) is the settings reader's.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitCannotBind = 3;
inline constexpr int kExitStateDir = 4;

// Everything that this process and its children make from now on is its user's alone.
void keep_files_private();

// Raises the limit of open files as far as it may go: a connection is one, and the usual 1024 are
// used up by a few hundred clients. True unless the system refuses.
bool raise_file_limit();

// The one line on standard output, for scripts: {"event":"listening","address":"IP:PORT"}.
void announce_listening(const HostPort& bound);

}  // namespace orch
