#!/bin/sh
# What memcheck says of each kind of error, without the numbers that differ from run to run: the
# kinds, and the frames in the sources of this test.
for function in right overread use_after_free uninitialised lose; do
  valgrind --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --error-exitcode=9 \
    ./checked "$function" >output 2>&1
  echo "$function: status $?"
  grep -E 'Invalid|Conditional|definitely lost in|ERROR SUMMARY|(lib|main)\.c:|unhandled|[Ww]arning' output |
    sed 's/^==[0-9]*== *//; s/0x[0-9A-F]*/ADDRESS/; s/ in loss record.*//; s/^by/at/'
done
rm output
