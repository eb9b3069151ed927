extern "C" int plain() { return 1; }
