/// The unit tests' main; one file compiles Catch2's runner (its second generation is header-only).
#define CATCH_CONFIG_RUNNER
#include "tests/unit/catch.hpp"

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
