#pragma once

#include "base/result.hpp"

#include <filesystem>

namespace orch {

// The right to use a state directory, held until the object dies, and by no other process.
class StateLock {
public:
    StateLock(StateLock&& other) noexcept;
    StateLock& operator=(StateLock&& other) noexcept;
    ~StateLock();

private:
    friend Result<StateLock> lock_state_dir(const std::filesystem::path& path);

    explicit StateLock(int file) : file_(file) {}

    int file_;  // -1: moved from
};

// Makes the directory when it is missing and locks `<path>/lock`. The kernel frees the lock of a
// process that dies; child processes do not inherit it.
// Errors: conflict naming the directory while another process has it; internal when it cannot be
// made or opened.
Result<StateLock> lock_state_dir(const std::filesystem::path& path);

}  // namespace orch
