#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace orch::node::supervisor {

// A folder of its own for each test, removed behind it.
struct ScratchFolder : testing::Test {
    std::filesystem::path folder;

    ScratchFolder() {
        std::string name =
            (std::filesystem::temp_directory_path() / "orch-supervisor-XXXXXX").string();
        folder = mkdtemp(name.data());
    }

    ~ScratchFolder() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name, std::ios::binary) << text;
        return (folder / name).string();
    }

    static std::string read(const std::filesystem::path& path) {
        std::stringstream text;
        text << std::ifstream(path, std::ios::binary).rdbuf();
        return text.str();
    }

    bool exists(const std::string& name) const { return std::filesystem::exists(folder / name); }
};

}  // namespace orch::node::supervisor
