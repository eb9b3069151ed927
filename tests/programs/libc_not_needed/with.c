// Nothing of its own: it brings libc and the library into a namespace.
int nothing;
