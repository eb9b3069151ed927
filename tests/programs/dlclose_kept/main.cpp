#include "../check.h"
#include <pthread.h>

static int destroyed_objects;
static int module_destructors;
extern "C" void note_object() { ++destroyed_objects; }
extern "C" void note_module() { ++module_destructors; }

static pthread_barrier_t barrier;

static void* use_thread_local(void* function) {
  reinterpret_cast<int (*)()>(function)();
  pthread_barrier_wait(&barrier);  // the object exists
  pthread_barrier_wait(&barrier);  // the module has been closed
  return nullptr;
}

static bool opens_and_stays(const char* file, int flags) {
  void* handle = must_open(file, RTLD_NOW | flags);
  return dlclose(handle) == 0 && module_loaded(file);
}

int main() {
  CHECK("S50 RTLD_NODELETE keeps a module, and dlclose says 0") {
    EXPECT(opens_and_stays("libplain1.so", RTLD_NODELETE));
    // Also when the flag comes with a later dlopen.
    void* handle = must_open("libplain2.so", RTLD_NOW);
    EXPECT(opens_and_stays("libplain2.so", RTLD_NOLOAD | RTLD_NODELETE));
    EXPECT(dlclose(handle) == 0);
    EXPECT(module_loaded("libplain2.so"));
    EXPECT(module_destructors == 0);
    // And its data is what it was when it is opened again.
    handle = must_open("libplain2.so", RTLD_NOW);
    EXPECT(call_int(handle, "increment") == 2);
    EXPECT(dlclose(handle) == 0);
    handle = must_open("libplain2.so", RTLD_NOW);
    EXPECT(call_int(handle, "increment") == 3);
    EXPECT(dlclose(handle) == 0);
  }
  CHECK("S50 what never goes can be closed more often than it was opened") {
    void* handle = must_open("libplain2.so", RTLD_NOW);
    for (int i = 0; i < 3; ++i) EXPECT(dlclose(handle) == 0);
    EXPECT(dlerror() == nullptr && call_int(handle, "increment") == 4);
  }
  CHECK("S50 so does -z nodelete") {
    EXPECT(opens_and_stays("libnodelete.so", 0));
    EXPECT(module_destructors == 0);
  }
  CHECK("S50 so does a unique symbol that was bound") {
    EXPECT(opens_and_stays("libunique1.so", 0));
    // A second module that defines it uses the first one's.
    void* first = must_open("libunique1.so", RTLD_NOW | RTLD_LOCAL);
    void* second = must_open("libunique2.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(call_int(first, "increment_unique") == 1);
    EXPECT(call_int(second, "increment_unique") == 2);
    EXPECT(dlclose(second) == 0 && dlclose(first) == 0);
    EXPECT(module_loaded("libunique1.so"));
  }
  CHECK("S50 so does an object of a thread that is still to be destroyed") {
    pthread_barrier_init(&barrier, nullptr, 2);
    void* handle = must_open("libthread-local.so", RTLD_NOW);
    pthread_t thread;
    pthread_create(&thread, nullptr, use_thread_local, must_find(handle, "use_object"));
    pthread_barrier_wait(&barrier);
    EXPECT(dlclose(handle) == 0);
    EXPECT(module_loaded("libthread-local.so"));
    EXPECT(destroyed_objects == 0 && module_destructors == 0);
    pthread_barrier_wait(&barrier);
    pthread_join(thread, nullptr);
    EXPECT(destroyed_objects == 1);
    // Nothing holds it now: the next dlclose takes it away.
    handle = must_open("libthread-local.so", RTLD_NOW);
    EXPECT(dlclose(handle) == 0);
    EXPECT(!module_loaded("libthread-local.so"));
    EXPECT(module_destructors == 1);
  }
  CHECK("S50 a module like them without any of this goes") {
    EXPECT(!opens_and_stays("libplain3.so", 0));
    EXPECT(module_destructors == 2);
  }
  fflush(stdout);
  _exit(check_status());  // the destructors of what was kept have nothing to say here
}
