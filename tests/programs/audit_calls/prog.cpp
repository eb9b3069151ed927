#include "calls.h"

#include <cstdio>

namespace {

void once() {
  std::printf("%ld\n", call_integers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  std::printf("%g\n", call_doubles(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
  std::printf("%g\n", call_both(1, 2.5F, 3, 4.5, 5, 6.5F, 7, 8.5, 9, 10.5, "xyz"));
  const Vector v = {1, 2, 3, 4};
  const Vector sum = call_vectors(v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7, v + 8);
  std::printf("%g %g %g %g\n", sum[0], sum[1], sum[2], sum[3]);
  const Two two = call_two(40, 50.5);
  const Mixed mixed = call_mixed(60.5, 70);
  std::printf("%ld %ld %ld %g\n", two.a, two.b, mixed.a, mixed.b);
  const Four four = call_four({1, 2, 3, 4}, 0.5);
  std::printf("%g %g %g %g\n", four.a, four.b, four.c, four.d);
  const Large large = call_large({{1, 2, 3, 4, 5, 6, 7}}, 10);
  std::printf("%ld %ld\n", large.a[0], large.a[6]);
  std::printf("%.15Lg\n", call_long_double(1, 3));
  const double _Complex square = call_complex(2.0 + 3.0i);
  std::printf("%g %g\n", __real__ square, __imag__ square);
  std::printf("%g\n", call_variadic(5, 1.5, 1, 2.5, 2, 3.5, 3, 4.5, 4, 5.5, 5));
  call_nothing();
  std::printf("%ld %g\n", call_changed(1000), call_changed_double(1000));
}

void throws() {
  for (int i = 2; i <= 3; ++i) {
    try {
      std::printf("returned %d\n", call_throws(i));
    } catch (int thrown) {
      std::printf("threw %d\n", thrown);
    }
  }
}

}  // namespace

int main(int argc, char**) {
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  // Slots are bound by the first calls, and called again, since somebody watches.
  for (int i = 0; i < 2; ++i) {
    if (argc > 1)
      throws();
    else
      once();
  }
  return 0;
}
