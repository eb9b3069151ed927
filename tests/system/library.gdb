set breakpoint pending on
break library_function
run
info sharedlibrary
backtrace
break inner if depth == 1
continue
continue
backtrace
print depth
finish
print puts
delete
continue
