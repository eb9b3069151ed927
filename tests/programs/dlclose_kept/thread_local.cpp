extern "C" void note_object();
extern "C" void note_module();
struct Object {
  int value = 3;
  ~Object() { note_object(); }
};
static thread_local Object object;
extern "C" int use_object() { return object.value; }
__attribute__((destructor)) static void end() { note_module(); }
