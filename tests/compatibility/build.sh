# Builds, in the folder it is run in, what the rows run. $SOURCE: this folder. The programs' interpreter is
# `./loader`, whatever that is where a row runs.
set -eu
interpreter=-Wl,--dynamic-linker=./loader
library() { # OUT SOURCE FLAG...
  out=$1 source=$2
  shift 2
  mkdir -p "$(dirname "$out")"
  cc -O1 -shared -fPIC -Wl,-soname,"$(basename "$out")" "$SOURCE/$source" -o "$out" "$@"
}
program() { # OUT SOURCE FLAG...
  out=$1 source=$2
  shift 2
  cc -O1 "$SOURCE/$source" -o "$out" $interpreter "$@"
}
ab="-Llib -la -Wl,-rpath-link,lib"
library lib/libb.so b.c
library lib/liba.so a.c -Llib -lb '-Wl,-rpath,$ORIGIN'
library other/libb.so b.c -DB=20
library other/liba.so a.c -DA=200 -Llib -lb
library hwcaps/glibc-hwcaps/x86-64-v2/liba.so a.c -DA=300 -Llib -lb
library hwcaps/glibc-hwcaps/mine/liba.so a.c -DA=400 -Llib -lb
library hwcaps/liba.so a.c -DA=500 -Llib -lb
library pre/libpre.so b.c -DB=30
library pre/libpre2.so b.c -DB=40
program prog prog.c $ab '-Wl,-rpath,$ORIGIN/lib'
program prog_rpath prog.c $ab '-Wl,--disable-new-dtags,-rpath,$ORIGIN/lib'
program prog_plain prog.c $ab
program prog_static none.c -static
program prog_static_pie none.c -static-pie
program none none.c

# Libraries that lack what they once had.
library lib/libgone.so provides.c -DGONE
program gone gone.c -Wl,-z,lazy -Llib -lgone '-Wl,-rpath,$ORIGIN/lib'
program gone_data gone.c -DDATA -Wl,-z,lazy -Llib -lgone '-Wl,-rpath,$ORIGIN/lib'
library lib/libgone.so provides.c
library lib/libmissing.so provides.c -DGONE
program missing gone.c -Llib -lmissing '-Wl,-rpath,$ORIGIN/lib'
rm lib/libmissing.so
printf 'V_1 { }; V_2 { global: stays; gone; gone_data; };' >two.map
printf 'V_1 { global: stays; gone; gone_data; };' >one.map
library lib/libversion.so provides.c -DGONE -Wl,--version-script=two.map
program version gone.c -Llib -lversion '-Wl,-rpath,$ORIGIN/lib'
library lib/libversion.so provides.c -DGONE -Wl,--version-script=one.map
library lib/libunused.so value.c -DVALUE=1
program unused prog.c $ab -Wl,--no-as-needed -lunused '-Wl,-rpath,$ORIGIN/lib'

# Files that are none for this machine.
mkdir -p class machine text empty
for where in class machine; do cp other/liba.so $where/liba.so; done
printf '\001' | dd of=class/liba.so bs=1 seek=4 conv=notrunc status=none   # ELFCLASS32
printf '\050' | dd of=machine/liba.so bs=1 seek=18 conv=notrunc status=none # EM_ARM
echo text >text/liba.so
: >empty/liba.so

# Libraries to open.
library open/libvalue.so value.c -DVALUE=1
library deep/libneeded.so value.c -DVALUE=5
library open/libdeep.so value.c -DVALUE=2 -DNEEDS -Ldeep -lneeded '-Wl,-rpath,$ORIGIN/../deep'
library nodeflib/libdeep.so value.c -DVALUE=3 -Wl,-z,nodefaultlib -Wl,--no-as-needed -Ldeep -lneeded
mkdir -p lib/x86_64-linux-gnu && cp open/libvalue.so lib/x86_64-linux-gnu/

# Auditors.
for name in one two; do library audit/lib$name.so auditor.c -DNAME="\"$name\""; done
program unused_loader prog.c $ab -Wl,--no-as-needed -l:ld-linux-x86-64.so.2 '-Wl,-rpath,$ORIGIN/lib'
# For LD_PROFILE. sprof takes no library whose text has a segment of its own.
library calls/libcalls.so calls.c -Wl,-z,noseparate-code
program profiled profiled.c -Lcalls -lcalls '-Wl,-rpath,$ORIGIN/calls'
