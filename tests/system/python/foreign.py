"""ctypes: dlopen, dlsym and calls of foreign functions, with callbacks out of C."""
import ctypes
import ctypes.util

libc = ctypes.CDLL("libc.so.6", use_errno=True)
libm = ctypes.CDLL(ctypes.util.find_library("m"))
libm.cos.restype = ctypes.c_double
libm.cos.argtypes = [ctypes.c_double]
print(libm.cos(0.0), libc.strlen(b"strlen"), ctypes.util.find_library("m"))
libc.open(b"/nonexistent", 0)
print(ctypes.get_errno())

Compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
numbers = (ctypes.c_int * 6)(5, 3, 9, 1, 7, 2)
libc.qsort(numbers, len(numbers), ctypes.sizeof(ctypes.c_int), Compare(lambda a, b: a[0] - b[0]))
print(list(numbers))
buffer = ctypes.create_string_buffer(64)
libc.snprintf(buffer, 64, b"%d %s %.2f", 42, b"text", ctypes.c_double(1.5))
print(buffer.value)
print(ctypes.CDLL(None).getpid() > 0, ctypes.pythonapi.Py_IsInitialized())
for name in ("no_such_function", "environ"):
    try:
        ctypes.c_void_p.in_dll(libc, name)
        print(name, "found")
    except ValueError as error:
        print(error)
try:
    ctypes.CDLL("libnosuch.so.1")
except OSError as error:
    print(error)
