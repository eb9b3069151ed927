int from_library(void) { return 42; }
