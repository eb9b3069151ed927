// Is the system's loader in this process?
#include <stdio.h>
#include <string.h>

int main(void) {
  char line[4096];
  int found = 0;
  FILE* maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) found |= strstr(line, "/ld-linux") != NULL;
  printf("the system's loader is mapped: %s\n", found ? "yes" : "no");
}
