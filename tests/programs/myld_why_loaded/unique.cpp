template <class T>
struct Holder {
  static int count;
};
template <class T>
int Holder<T>::count = 0;
extern "C" int increment_unique() { return ++Holder<int>::count; }
