#include "base/version.hpp"

namespace orch {

std::string_view program_version() {
    return ORCH_VERSION;
}

}  // namespace orch
