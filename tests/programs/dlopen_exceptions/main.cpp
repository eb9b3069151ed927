// Exceptions and types across the program and libraries that are opened local: thrown in one,
// caught in another. The libraries and the program share only the header of the types.
#include "../check.h"
#include "types.hpp"
#include <memory>
#include <new>
#include <stdexcept>
#include <typeinfo>

template <class Function>
static Function* find(void* handle, const char* name) {
  return reinterpret_cast<Function*>(must_find(handle, name));
}

static void throw_from_program() { throw Derived(8); }

int main() {
  void* thrower = must_open("libthrower.so", RTLD_NOW | RTLD_LOCAL);
  auto throws = find<void(int)>(thrower, "throws");

  CHECK("thrown in a library, caught in the program") {
    for (int kind = 0; kind < 5; ++kind) {
      int caught = -1;
      try {
        throws(kind);
      } catch (const Derived& error) {
        caught = error.number == 7 ? 0 : -2;
      } catch (const Base&) {
        caught = 1;
      } catch (const std::out_of_range& error) {
        caught = strcmp(error.what(), "far away") == 0 ? 2 : -2;
      } catch (const std::bad_alloc&) {
        caught = 3;
      } catch (int number) {
        caught = number == 4 ? 4 : -2;
      }
      EXPECT(caught == kind);
    }
  }
  CHECK("thrown in the program, passed through a library, caught in the program") {
    int caught = 0;
    try {
      find<void(void (*)())>(thrower, "passes_on")(throw_from_program);
    } catch (const Base& error) {
      caught = dynamic_cast<const Derived*>(&error) != nullptr ? 2 : 1;
    }
    EXPECT(caught == 2);
    EXPECT(find<int()>(thrower, "unwound")() == 1);
  }
  CHECK("thrown in the program, caught in a library") {
    EXPECT(find<int(void (*)())>(thrower, "catches")(throw_from_program) == 8);
  }
  CHECK("thrown in one library, caught in another") {
    void* catcher = must_open("libcatcher.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(find<int(void (*)(int), int)>(catcher, "catches_derived")(throws, 0) == 7);
    EXPECT(find<int(void (*)(int), int)>(catcher, "catches_derived")(throws, 1) == -1);
    EXPECT(dlclose(catcher) == 0);
  }
  CHECK("types of a library are the program's") {
    std::unique_ptr<Base> made(find<Base*(int)>(thrower, "make")(3));
    EXPECT(typeid(*made) == typeid(Derived));
    EXPECT(dynamic_cast<Derived*>(made.get()) != nullptr);
    EXPECT(made->virtual_number() == 103);
  }
  CHECK("an exception thrown in a constructor of a library that has to catch it itself") {
    void* handle = must_open("libcatches-early.so", RTLD_NOW);
    EXPECT(call_int(handle, "caught_in_constructor") == 1);
    dlclose(handle);
    EXPECT(!module_loaded("libcatches-early.so"));
  }
  CHECK("after many rounds of opening and closing the unwinder still finds its way") {
    for (int i = 0; i < 50; ++i) {
      void* handle = must_open("libcatches-early.so", RTLD_NOW);
      EXPECT(call_int(handle, "caught_in_constructor") == 1);
      dlclose(handle);
      int caught = 0;
      try {
        throws(0);
      } catch (const Derived&) {
        caught = 1;
      }
      EXPECT(caught == 1);
    }
  }
  return check_status();
}
