#include <unistd.h>
extern int in_start(void), in_program(void);
extern int object_of_start;
void* late_address_of_in_start(void) { return (void*)in_start; }
void* late_address_of_in_program(void) { return (void*)in_program; }
void* late_address_of_getppid(void) { return (void*)getppid; }
int late_reads_object(void) { return object_of_start; }
