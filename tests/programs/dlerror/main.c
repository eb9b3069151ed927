#include "../check.h"
#include <pthread.h>

// The program's malloc, which can be told to fail. Blocks come from an arena and are never reused.
static int malloc_fails;
static char arena[8 << 20];
static size_t arena_used;

static void* allocate(size_t alignment, size_t size) {
  if (malloc_fails) {
    errno = ENOMEM;
    return NULL;
  }
  size_t start = (arena_used + alignment - 1) / alignment * alignment;
  // The size stands before the block, for realloc.
  start += 16;
  start = (start + alignment - 1) / alignment * alignment;
  if (start + size > sizeof arena) return NULL;
  *(size_t*)(void*)(arena + start - 16) = size;
  arena_used = start + size;
  return arena + start;
}

void* malloc(size_t size) { return allocate(16, size); }
void free(void* block) { (void)block; }
void* calloc(size_t count, size_t size) { return allocate(16, count * size); }
void* realloc(void* block, size_t size) {
  void* moved = allocate(16, size);
  if (moved == NULL || block == NULL) return moved;
  size_t old = *(size_t*)(void*)((char*)block - 16);
  return memcpy(moved, block, old < size ? old : size);
}
void* aligned_alloc(size_t alignment, size_t size) { return allocate(alignment, size); }
void* memalign(size_t alignment, size_t size) { return allocate(alignment, size); }

static void* other_thread(void* wrong) {
  // The error of the main thread, which is unread, is not ours; ours is not the main thread's.
  if (dlerror() != NULL) ++*(int*)wrong;
  if (dlopen("no-such-file-b.so", RTLD_NOW) != NULL) ++*(int*)wrong;
  const char* text = dlerror();
  if (text == NULL || strstr(text, "no-such-file-b.so") == NULL) ++*(int*)wrong;
  if (dlopen("no-such-file-c.so", RTLD_NOW) != NULL) ++*(int*)wrong;
  return NULL;  // with an error that nobody reads
}

// Called from libtalkative.so's constructor and destructor.
static int talks;
void note_talk(void) { ++talks; }

int main(void) {
  CHECK("S51 null when nothing failed, before any call and since the last dlerror") {
    EXPECT(dlerror() == NULL);
    EXPECT(dlopen("no-such-file.so", RTLD_NOW) == NULL);
    EXPECT(dlerror() != NULL);
    void* handle = must_open("libquiet.so", RTLD_NOW);
    must_find(handle, "quiet");
    dlclose(handle);
    EXPECT(dlerror() == NULL);
  }
  CHECK("S52 the text is of the last error and ends without a newline") {
    EXPECT(dlopen("no-such-file-1.so", RTLD_NOW) == NULL);
    EXPECT(dlsym(RTLD_DEFAULT, "no_such_symbol") == NULL);
    EXPECT(dlopen("no-such-file-2.so", RTLD_NOW) == NULL);
    const char* text = dlerror();
    EXPECT(text != NULL && strstr(text, "no-such-file-2.so") != NULL);
    EXPECT(text != NULL && strstr(text, "no-such-file-1.so") == NULL);
    EXPECT(text != NULL && text[0] != 0 && text[strlen(text) - 1] != '\n');
    EXPECT(text != NULL && strcmp(text, "no-such-file-2.so: cannot open shared object file: "
                                        "No such file or directory") == 0);
  }
  CHECK("S53 the second call gives null") {
    EXPECT(dlopen("no-such-file.so", RTLD_NOW) == NULL);
    EXPECT(dlerror() != NULL);
    EXPECT(dlerror() == NULL);
  }
  {
    if (dlopen("no-such-file.so", RTLD_NOW) != NULL) give_up("no-such-file.so");
    void* handle = must_open("libquiet.so", RTLD_NOW);
    const char* text = dlerror();
    // POSIX lets the error be there still; glibc's programs are used to its being gone.
    printf("S54 an unread error after a successful call: %s\n", text == NULL ? "gone"
                                                                : strstr(text, "no-such-file.so")
                                                                    ? "there"
                                                                    : "garbage");
    dlclose(handle);
  }
  CHECK("S55 a thread sees its own errors only") {
    EXPECT(dlopen("no-such-file-a.so", RTLD_NOW) == NULL);
    int wrong = 0;
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, other_thread, &wrong) == 0);
    pthread_join(thread, NULL);
    EXPECT(wrong == 0);
    EXPECT(error_names("no-such-file-a.so"));
    EXPECT(dlerror() == NULL);
  }
  CHECK("S56 the text lives until the thread's next dlerror") {
    EXPECT(dlopen("libneeds-missing.so", RTLD_NOW) == NULL);
    const char* text = dlerror();
    static char copy[1024];
    EXPECT(text != NULL && strlen(text) < sizeof copy);
    strcpy(copy, text);
    EXPECT(strstr(copy, "libmissing.so") != NULL);
    void* handle = must_open("libquiet.so", RTLD_NOW);
    must_find(handle, "quiet");
    dlclose(handle);
    Dl_info info;
    dladdr((void*)main, &info);
    EXPECT(strcmp(text, copy) == 0);
  }
  CHECK("S57 there is a text when memory has run out") {
    malloc_fails = 1;
    void* handle = dlopen("no-such-file.so", RTLD_NOW);
    const char* text = dlerror();
    malloc_fails = 0;
    EXPECT(handle == NULL);
    EXPECT(text != NULL && text[0] != 0);
    EXPECT(dlerror() == NULL);
    // And everything works again afterwards.
    EXPECT(dlopen("no-such-file-3.so", RTLD_NOW) == NULL);
    EXPECT(error_names("no-such-file-3.so"));
  }
  CHECK("S57 constructors and destructors may call the family") {
    void* handle = must_open("libtalkative.so", RTLD_NOW);
    EXPECT(talks == 1);
    EXPECT(dlclose(handle) == 0);
    EXPECT(talks == 2);
    EXPECT(!module_loaded("libtalkative.so") && !module_loaded("libquiet.so"));
  }
  return check_status();
}
