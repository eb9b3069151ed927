#include <stdio.h>
const char* inner(void);
const char* outer(void) {
  static char text[100];
  snprintf(text, sizeof text, "the inner one of %s", inner());
  return text;
}
