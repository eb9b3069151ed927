// Formats where a library can have them. `protected_` is among what is relocated and then made
// read-only.
struct protected_format {
  const void* address;
  char text[16];
};
static const struct protected_format protected_[1024] = {[512] = {protected_, "relro%n"}};
static char writable[16] = "data%n";

const char* constant_format(void) { return "constant%n"; }
const char* protected_format(void) { return protected_[512].text; }
const char* writable_format(void) { return writable; }
