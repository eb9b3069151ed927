// Runs in little memory and needs no system call but the exit.
#include <unistd.h>
int from_library(void);
int main(void) { _exit(from_library()); }
