break main
run
next
next
step
backtrace
info sharedlibrary
finish
watch total
continue
print total
info threads
kill
