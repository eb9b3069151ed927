// What a call can carry: more integers and floating point numbers than there are argument
// registers, vectors, and results in one register, in two, in four, and in memory.
#pragma once

typedef float Vector __attribute__((vector_size(16)));
struct Two {
  long a, b;
};
struct Mixed {
  long a;
  double b;
};
struct Four {
  double a, b, c, d;
};
struct Large {
  long a[7];
};

#ifdef __cplusplus
extern "C" {
#endif
long call_integers(long, long, long, long, long, long, long, long, long, long, long);
double call_doubles(double, double, double, double, double, double, double, double, double, double);
double call_both(int, float, long, double, char, float, short, double, long, double, const char*);
Vector call_vectors(Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector, Vector);
struct Two call_two(long, double);
struct Mixed call_mixed(double, long);
struct Four call_four(struct Four, double);
struct Large call_large(struct Large, long);
long double call_long_double(long double, long double);
double _Complex call_complex(double _Complex);
float call_variadic(int, ...);
void call_nothing(void);
long call_changed(long);
double call_changed_double(double);
int call_throws(int);
#ifdef __cplusplus
}
#endif
