extern "C" int plain();
extern "C" int needs() { return plain() + 1; }
