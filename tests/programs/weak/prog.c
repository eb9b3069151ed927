#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

int weak_here(void);
int weak_both(void);
int call_weak_both(void);
int call_only_in_program(void);
int* address_of_nowhere_data(void);
int nowhere_is_null(void);
extern int absent(void) __attribute__((weak));
extern int absent_data __attribute__((weak));
int only_in_program(void) { return 5; }

static int ask(void* handle) {
  int (*found)(void) = (int (*)(void))dlsym(handle, "weak_both");
  return found == NULL ? -1 : found();
}

int main(void) {
  printf("%d %d %d %d\n", weak_here(), weak_both(), call_weak_both(), call_only_in_program());
  printf("undefined weak: %d %d %d %d\n", absent == NULL, &absent_data == NULL, nowhere_is_null(),
         address_of_nowhere_data() == NULL);
  void* next = dlsym(RTLD_NEXT, "weak_both");
  printf("dlsym: %d %d %d\n", ask(RTLD_DEFAULT), ask(dlopen(NULL, RTLD_NOW)),
         next == NULL ? -1 : ((int (*)(void))next)());
}
