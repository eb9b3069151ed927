extern int constructor_runs;
int object = 5;
int read_object(void) { return object; }
__attribute__((constructor)) static void count(void) { ++constructor_runs; }
