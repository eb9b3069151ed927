// myld_version (include/myld.h).

extern "C" [[gnu::visibility("default"), gnu::used]] const char* myld_version() {
  return MYLD_VERSION;
}
