# Builds, in the folder it is run in, what the rows run. $SOURCE: this folder. The programs' interpreter is
# `./loader`, whatever that is where a row runs.
set -eu
interpreter=-Wl,--dynamic-linker=./loader
library() { # OUT SOURCE FLAG...
  out=$1 source=$2
  shift 2
  mkdir -p "$(dirname "$out")"
  cc -O1 -shared -fPIC -Wl,-soname,"$(basename "$out")" "$SOURCE/$source" -o "$out" "$@" \
    -Wl,--no-as-needed -lc  # the order of those that do not say so differs from release to release
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
library other/liba.so a.c -DA=200 -Llib -lb '-Wl,-rpath,$ORIGIN'
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

# Found by ld.so.cache, where with-cache.sh puts it.
mkdir -p cached/glibc-hwcaps/x86-64-v2
cp lib/liba.so lib/libb.so deep/libneeded.so cached
cp hwcaps/glibc-hwcaps/x86-64-v2/liba.so cached/glibc-hwcaps/x86-64-v2
cp prog_plain prog_cached

# Tokens, and where they are.
program prog_lib prog.c $ab '-Wl,-rpath,$ORIGIN/tokens/$LIB'
program prog_braces prog.c $ab '-Wl,-rpath,${ORIGIN}/tokens/${LIB}'
program prog_platform prog.c $ab '-Wl,-rpath,$ORIGIN/tokens/$PLATFORM:$ORIGIN/lib'
program prog_empty prog.c $ab '-Wl,-rpath,/nonexistent:'
program prog_runpath_only prog.c $ab '-Wl,-rpath,$ORIGIN/other'
mkdir -p tokens/lib/x86_64-linux-gnu && cp lib/liba.so lib/libb.so tokens/lib/x86_64-linux-gnu
library tokens/libneeds.so value.c -DVALUE=7 -DNEEDS -Wl,--no-as-needed -Ldeep -lneeded
patchelf --replace-needed libneeded.so '$ORIGIN/../deep/libneeded.so' tokens/libneeds.so
library tokens/libpath.so value.c -DVALUE=8 -DNEEDS -Wl,--no-as-needed -Ldeep -lneeded
patchelf --replace-needed libneeded.so deep/libneeded.so tokens/libpath.so
# No way to libneeded.so but its opener's.
library tokens/libinherits.so value.c -DVALUE=9 -DNEEDS -Wl,--no-as-needed -Ldeep -lneeded
program prog_rpath_deep prog.c $ab '-Wl,--disable-new-dtags,-rpath,$ORIGIN/lib:$ORIGIN/deep:$ORIGIN/tokens'
program prog_runpath_deep prog.c $ab '-Wl,--enable-new-dtags,-rpath,$ORIGIN/lib:$ORIGIN/deep:$ORIGIN/tokens'
mkdir -p directory/liba.so
# The note that patchelf --build-resolution-cache makes, and what it would say of liba.so and libb.so.
cat >note.S <<'NOTE'
	.section .note.nixos.ldcache, "a", %note
	.balign 4
	.long 6, 2f - 1f, 0x63a86cb6
	.asciz "NixOS"
	.balign 4
1:	.asciz "liba.so", "?$ORIGIN/nowhere:?$ORIGIN/other"
2:	.balign 4
	.section .note.GNU-stack, "", %progbits
NOTE
program prog_note prog.c note.S $ab '-Wl,-rpath,$ORIGIN/lib'

# Secure execution.
program secure secure.c
program prog_direct prog.c $ab -Wl,--no-as-needed -lb

# Auditors that see calls, and what they look at.
tracer() { # NAME FLAG...
  name=$1
  shift
  library "audit/lib$name.so" tracer.c "$@"
}
tracer trace
tracer quiet -DQUIET
tracer change -DCHANGE -DNO_CALLS
tracer once -DONCE
tracer enter -DNO_EXIT
tracer from -DFROM=\"liba.so\"
tracer argument -DARGUMENT=5
tracer bind -DNO_CALLS
tracer calls -DNO_SYMBIND
tracer redirect -DREDIRECT=\"liba.so\" -DNO_CALLS -DNO_SYMBIND
tracer give_up -DGIVE_UP=\"liba.so\" -DNO_CALLS -DNO_SYMBIND
program profiled_lazy profiled.c -DROUNDS=2 -Wl,-z,lazy -Lcalls -lcalls '-Wl,-rpath,$ORIGIN/calls'
program slot slot.c -Wl,-z,lazy $ab '-Wl,-rpath,$ORIGIN/lib'
program prog_audit prog.c $ab '-Wl,-rpath,$ORIGIN/lib' -Wl,--audit,audit/libone.so
program prog_depaudit prog.c $ab '-Wl,-rpath,$ORIGIN/lib' -Wl,--depaudit,audit/libtwo.so
