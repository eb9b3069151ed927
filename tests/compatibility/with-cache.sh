# with-cache.sh FORMAT COMMAND...: runs COMMAND where /etc/ld.so.cache is one of that format (new, old, compat;
# ldconfig's -c) which knows the folder `cached`. `broken` is one that ends in the middle, `nonsense` one that is none.
set -eu
format=$1
shift
cache=$PWD/cache.$$
echo "$PWD/cached" >"$cache.conf"
case $format in
  broken) ldconfig -X -C "$cache" -f "$cache.conf" -c new && truncate -s 3000 "$cache" ;;
  nonsense) head -c 3000 /dev/zero | tr '\0' x >"$cache" ;;
  *) ldconfig -X -C "$cache" -f "$cache.conf" -c "$format" ;;
esac
exec unshare -m sh -c "mount --bind '$cache' /etc/ld.so.cache && rm '$cache' '$cache.conf' && $*"
