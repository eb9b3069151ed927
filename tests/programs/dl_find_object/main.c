#include "../check.h"
#include <pthread.h>

int main(void);
static char variable[1];

static int finds(const void* pc, struct dl_find_object* result) {
  memset(result, 0, sizeof *result);
  return _dl_find_object((void*)pc, result) == 0;
}

static const void* exception_header(struct link_map* map) {
  const ElfW(Ehdr)* header = (const ElfW(Ehdr)*)map->l_addr;
  const ElfW(Phdr)* segments = (const ElfW(Phdr)*)(map->l_addr + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i)
    if (segments[i].p_type == PT_GNU_EH_FRAME) return (void*)(map->l_addr + segments[i].p_vaddr);
  return NULL;
}

// A thread that looks itself up while the main thread is inside a constructor, and so inside
// dlopen; the constructor goes on when the thread is done.
static pthread_barrier_t barrier;
static int found_meanwhile;

static void* look_meanwhile(void* unused) {
  (void)unused;
  struct dl_find_object result;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 1000; ++i) found_meanwhile += finds((void*)look_meanwhile, &result);
  pthread_barrier_wait(&barrier);
  return NULL;
}

void constructor_runs(void) {
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
}

// A thread that looks up what stays while others come and go.
static volatile int stop;
static void* look_all_the_time(void* misses) {
  struct dl_find_object result;
  while (!stop)
    if (!finds((void*)main, &result) || !finds((void*)dlopen, &result)) ++*(int*)misses;
  return NULL;
}

int main(void) {
  struct dl_find_object result;
  void* handle = must_open("libsought.so", RTLD_NOW);
  char* function = (char*)must_find(handle, "sought");
  CHECK("_dl_find_object finds the program and what it started with") {
    EXPECT(finds((void*)main, &result));
    EXPECT(result.dlfo_link_map == first_module(handle));
    EXPECT((char*)result.dlfo_map_start <= (char*)main && (char*)main < (char*)result.dlfo_map_end);
    EXPECT(finds(variable, &result));
    EXPECT(result.dlfo_link_map == first_module(handle));
    EXPECT(finds((void*)dlopen, &result));
    EXPECT(strncmp(last_component(result.dlfo_link_map->l_name), "libc.so", 7) == 0);
  }
  CHECK("and an opened module, with its extent and its exception table") {
    EXPECT(finds(function, &result));
    EXPECT(result.dlfo_link_map == module_of(handle));
    EXPECT((char*)result.dlfo_map_start == (char*)module_of(handle)->l_addr);
    EXPECT(function < (char*)result.dlfo_map_end);
    EXPECT(result.dlfo_eh_frame != NULL);
    EXPECT(result.dlfo_eh_frame == exception_header(module_of(handle)));
  }
  CHECK("but nothing for an address in no module") {
    int on_the_stack = 0;
    EXPECT(!finds(&on_the_stack, &result));
    EXPECT(!finds(NULL, &result));
    dlclose(handle);
    EXPECT(!finds(function, &result));
  }
  CHECK("it does not wait for a dlopen that is under way") {
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, look_meanwhile, NULL);
    handle = must_open("libconstructed.so", RTLD_NOW);
    pthread_join(thread, NULL);
    EXPECT(found_meanwhile == 1000);
    dlclose(handle);
  }
  CHECK("it misses nothing while modules come and go") {
    pthread_t thread;
    int misses = 0;
    pthread_create(&thread, NULL, look_all_the_time, &misses);
    for (int i = 0; i < 300; ++i) {
      handle = must_open("libsought.so", RTLD_NOW);
      function = (char*)must_find(handle, "sought");
      EXPECT(finds(function, &result) && result.dlfo_link_map == module_of(handle));
      dlclose(handle);
      EXPECT(!finds(function, &result));
    }
    stop = 1;
    pthread_join(thread, NULL);
    EXPECT(misses == 0);
  }
  return check_status();
}
