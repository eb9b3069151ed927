// The text of a configuration (docs/config.md), wherever it was found.
#pragma once
#include "rtld/runtime.hpp"

#include <string_view>

namespace myld::start {

/// Reads `text`, the configuration in `file`, into `runtime`; $ORIGIN in it is `directory`. The
/// name `file` must stay for as long as the process. What is to be set in the environment,
/// "NAME=value", goes to `environment`. Errors: bad_config with the line's number, out_of_memory.
Status parse_config(Runtime& runtime,
                    const char* file,
                    std::string_view directory,
                    std::string_view text,
                    Vec<char*>& environment);

}  // namespace myld::start
