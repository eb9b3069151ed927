# Job control without a terminal: process groups, stopping and continuing, waiting for any.
set -m
sleep 100 & first=$!
sleep 0.2 & second=$!
wait $second; echo "second: $?"
kill -STOP $first; sleep 0.2
jobs | sed 's/  */ /g'
kill -CONT $first; sleep 0.1
jobs -r | sed 's/  */ /g'
kill %1; wait $first; echo "first: $?"
(sleep 0.1; exit 7) & (sleep 3; exit 8) &
wait -n; echo "any: $?"
kill %2 %3 2>/dev/null; wait; echo "all done"
sleep 1 & fg %% >/dev/null; echo "foreground: $?"
