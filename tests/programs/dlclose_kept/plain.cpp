extern "C" void note_module();
static int counter = 1;
extern "C" int increment() { return ++counter; }
__attribute__((destructor)) static void end() { note_module(); }
