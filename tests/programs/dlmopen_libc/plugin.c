// Uses much of the libc that it is loaded with: its own one in a namespace.
#include "../check.h"

#include <grp.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/single_threaded.h>
#include <time.h>

static void* in_a_thread(void* unused) {
  (void)unused;
  errno = 7;
  free(malloc(100));
  return (void*)(intptr_t)errno;
}

static void bye(void) {
  puts("the plugin's atexit");
  fflush(stdout);
}

__attribute__((constructor)) static void constructor(int argc, char** argv, char** envp) {
  printf("constructor: %d argument, environment: %d\n", argc, envp != NULL && argv != NULL);
  fflush(stdout);
}

__attribute__((destructor)) static void destructor(void) {
  puts("destructor");
  fflush(stdout);
}

static void convert(void) {
  iconv_t conversion = iconv_open("UTF-16", "LATIN1");
  char in[] = "ab", out[16];
  char *from = in, *to = out;
  size_t left = 2, room = sizeof out;
  int opened = conversion != (iconv_t)-1;
  printf("iconv: %d\n", opened && iconv(conversion, &from, &left, &to, &room) == 0);
  if (opened) iconv_close(conversion);
}

static void open_more(void) {
  printf("a missing library: %d\n", dlopen("no-such-file.so", RTLD_NOW) == NULL);
  printf("dlerror: %s\n", dlerror());
  void* handle = dlopen("libm.so.6", RTLD_NOW);
  Lmid_t there = 98, here = 99;
  Dl_info info;
  struct link_map* own = NULL;
  dladdr1((void*)open_more, &info, (void**)&own, RTLD_DL_LINKMAP);
  printf("what the plugin opens is in its namespace: %d\n",
         handle != NULL && own != NULL && dlinfo(handle, RTLD_DI_LMID, &there) == 0 &&
             dlinfo(own, RTLD_DI_LMID, &here) == 0 && here == there);
  printf("its malloc is its libc's: %d\n", dlsym(RTLD_DEFAULT, "malloc") == (void*)malloc);
}

void use_libc(void) {
  struct passwd* user = getpwnam("root");
  struct group* group = getgrgid(0);
  printf("users and groups: %s %s\n", user ? user->pw_name : "-", group ? group->gr_name : "-");
  struct addrinfo *address = NULL, hint = {.ai_flags = AI_NUMERICHOST};
  printf("getaddrinfo: %d\n", getaddrinfo("127.0.0.1", "80", &hint, &address));
  if (address != NULL) freeaddrinfo(address);
  printf("setlocale: %d\n", setlocale(LC_ALL, "C.UTF-8") != NULL);
  convert();
  pthread_t thread;
  void* result = NULL;
  if (pthread_create(&thread, NULL, in_a_thread, NULL) == 0) pthread_join(thread, &result);
  printf("a thread: %d\n", (int)(intptr_t)result);
  open_more();
  printf("getenv: %s\n", getenv("SET_BY_MAIN") != NULL ? getenv("SET_BY_MAIN") : "-");
  time_t zero = 0;
  printf("gmtime: %s", asctime(gmtime(&zero)));
  atexit(bye);
  fflush(stdout);
}
