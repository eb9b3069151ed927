struct Object {
  int value = 3;
  ~Object() { value = 0; }
};
static thread_local Object object;
extern "C" int use_object() { return object.value; }
