extern "C" int plain();
extern "C" int bound() { return plain() + 1; }
