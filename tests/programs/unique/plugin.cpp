// A static local of an inline function is STB_GNU_UNIQUE: one in the process, even for RTLD_LOCAL.
inline int& counter() {
  static int value = 0;
  return value;
}
extern "C" int count() { return ++counter(); }
