// The library of the example: element by element on vectors of n integers.
#pragma once

void addvec(const int* x, const int* y, int* z, int n);
void multvec(const int* x, const int* y, int* z, int n);

// How often either was called.
extern int addcnt, multcnt;
