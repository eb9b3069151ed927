#include "calls.h"

#include <cstdarg>

long call_integers(
    long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k) {
  return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h + 19 * i + 23 * j + 29 * k;
}

double call_doubles(double a,
                    double b,
                    double c,
                    double d,
                    double e,
                    double f,
                    double g,
                    double h,
                    double i,
                    double j) {
  return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h + 19 * i + 23 * j;
}

double call_both(int a,
                 float b,
                 long c,
                 double d,
                 char e,
                 float f,
                 short g,
                 double h,
                 long i,
                 double j,
                 const char* k) {
  return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h + 19 * i + 23 * j + k[1];
}

Vector call_vectors(
    Vector a, Vector b, Vector c, Vector d, Vector e, Vector f, Vector g, Vector h, Vector i) {
  return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h + 19 * i;
}

Two call_two(long a, double b) { return {a + 1, static_cast<long>(b) + 2}; }
Mixed call_mixed(double a, long b) { return {b + 1, a + 2}; }
Four call_four(Four a, double b) { return {a.d + b, a.c + b, a.b + b, a.a + b}; }
Large call_large(Large a, long b) {
  for (long& each : a.a) each += b;
  return a;
}
long double call_long_double(long double a, long double b) { return a / b; }
double _Complex call_complex(double _Complex a) { return a * a; }

float call_variadic(int count, ...) {
  std::va_list list;
  va_start(list, count);
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += va_arg(list, double) * va_arg(list, int);
  va_end(list);
  return static_cast<float>(sum);
}

void call_nothing() {}
long call_changed(long a) { return a; }
double call_changed_double(double a) { return a; }
int call_throws(int a) {
  if (a > 2) throw a;
  return a;
}
