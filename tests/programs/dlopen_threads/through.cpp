struct Guard {
  int* count;
  ~Guard() { ++*count; }
};
extern "C" void call_through(void (*function)(int), int argument) {
  int unwound = 0;
  Guard guard{&unwound};
  function(argument);
}
