// Zeroed data that begins in the middle of the last page of the file's data, and a lot of it.
int first = 1;
static char small[100];
static char huge[300 * 1024 * 1024];
int lib_dirty(void) {
  int dirty = 0;
  for (unsigned i = 0; i < sizeof small; i++) dirty += small[i] != 0;
  for (unsigned i = 0; i < 8192; i++) dirty += huge[i] != 0;
  for (unsigned i = 0; i < sizeof huge; i += 4096) dirty += huge[i] != 0;
  huge[sizeof huge - 1] = 1;
  return dirty;
}
