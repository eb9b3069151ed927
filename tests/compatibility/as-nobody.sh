# as-nobody.sh PROGRAM [NAME=VALUE...] [--] [ARGUMENT...]: runs a set-user-ID copy of PROGRAM as nobody, with an absolute
# run path and that environment. With PROGRAM/plain the copy has no such bit.
set -eu
name=${1%/plain}
copy=$(mktemp ./secure.XXXXXX)
cp "$name" "$copy"
patchelf --set-rpath "$PWD/lib" "$copy"
[ "$name" = "$1" ] && chmod 4755 "$copy" || chmod 755 "$copy"
shift
environment=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  environment="$environment $1"
  shift
done
[ $# -eq 0 ] || shift
status=0
setpriv --reuid=65534 --regid=65534 --clear-groups env -i $environment "$copy" "$@" 2>&1 |
  sed "s,$copy,PROGRAM,g" || status=$?
rm "$copy"
