static int inner(int depth) { return depth > 0 ? inner(depth - 1) + 1 : 1; }
int library_function(int depth) { return inner(depth); }
