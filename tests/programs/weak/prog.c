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

int main(void) {
  printf("%d %d %d %d\n", weak_here(), weak_both(), call_weak_both(), call_only_in_program());
  printf("undefined weak: %d %d %d %d\n", absent == NULL, &absent_data == NULL, nowhere_is_null(),
         address_of_nowhere_data() == NULL);
}
