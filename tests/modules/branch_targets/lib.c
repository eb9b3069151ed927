#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
extern void no_landing_pad(void) __attribute__((visibility("hidden")));

void* JOIN(NAME, _code)(void) { return (void*)no_landing_pad; }
