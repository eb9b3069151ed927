// A library that asks for an executable stack. What becomes of it, by loader: glibc up to 2.40
// gives every thread what the library asks for; later ones refuse to open it; myld opens it, and no
// stack becomes executable, unless MYLD_ALLOW=execstack has made all of them so from the start.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The protection of the mapping that holds `at`: "rw-p".
static const char* protection_of(const void* at) {
  static char protection[8];
  char line[4096];
  FILE* maps = fopen("/proc/self/maps", "r");
  while (fgets(line, sizeof line, maps) != NULL) {
    unsigned long from, to;
    if (sscanf(line, "%lx-%lx %7s", &from, &to, protection) == 3 && from <= (unsigned long)at &&
        (unsigned long)at < to) {
      break;
    }
  }
  fclose(maps);
  return protection;
}

static int executable_here(void) {
  int local = 0;
  return strchr(protection_of(&local), 'x') != NULL;
}

static void* in_thread(void* result) {
  *(int*)result = executable_here();
  return NULL;
}

static int executable_in_thread(void) {
  int result = -1;
  pthread_t thread;
  pthread_create(&thread, NULL, in_thread, &result);
  pthread_join(thread, NULL);
  return result;
}

int main(void) {
  int is_myld = dlsym(RTLD_DEFAULT, "myld_version") != NULL;
  int allowed = is_myld && getenv("MYLD_ALLOW") != NULL;
  int obeys = allowed || (!is_myld && atoi(gnu_get_libc_version() + 2) < 41);
  int refuses = !is_myld && !obeys;
  printf("before: the first thread's stack: %s, another's: %s\n",
         executable_here() == allowed ? "ok" : "no",
         executable_in_thread() == allowed ? "ok" : "no");
  void* library = dlopen("./libasks.so", RTLD_NOW);
  if (refuses) {
    printf("opened or refused: %s\n",
           library == NULL && strstr(dlerror(), "executable stack") ? "ok" : "no");
  } else {
    int (*seven)(void) = library != NULL ? (int (*)(void))dlsym(library, "seven") : NULL;
    printf("opened or refused: %s\n", seven != NULL && seven() == 7 ? "ok" : dlerror());
  }
  printf("the first thread's stack: %s\n", executable_here() == obeys ? "ok" : "no");
  printf("another's: %s\n", executable_in_thread() == obeys ? "ok" : "no");
  return 0;
}
