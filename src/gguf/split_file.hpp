#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace orch::gguf {

// The files of a model, of which engines are given the first: "a-00001-of-00003.gguf" has two more
// beside it, any other file is the whole model. Whether they exist is not asked. Pure.
std::vector<std::string> files_of_model(std::string_view path);

}  // namespace orch::gguf
