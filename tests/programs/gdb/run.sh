#!/bin/sh
# What gdb says, without what differs from run to run.
gdb -nx -batch -x commands ./main </dev/null 2>&1 |
  grep -E '^(stopped|#|sum|in_module|\[Inferior|warning|0x.*(libpart|/proc/)|.*Error in)' |
  sed -E 's,/proc/[0-9]+/fd/[0-9]+,/proc/PID/fd/N,; s/\(process [0-9]+\)/(process PID)/
          s/^#([0-9]+).* (in )?([a-z_]+) \(.*\) at .*/#\1 \3/; s,^in_module.* of .*/,in_module in ,; s,^0x.* .*/(libpart|proc),loaded: \1,
          s,".*/libpart,"libpart,'
