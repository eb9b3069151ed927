# setup.sh: what tools/run and tools/test share; sourced by bash. Everything it says goes to stderr, and
# it says something only when it does something.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What building needs, as Debian packages.
build_packages=(g++ meson ninja-build pkg-config libfmt-dev python3-minimal)

say() { echo "myld: $*" >&2; }
die() { say "$*"; exit 1; }

# need PACKAGE...: installs those that are missing. On a system without dpkg it installs nothing: there
# the build itself says what it misses.
need() {
  local package missing=() as_root=()
  command -v dpkg-query >/dev/null || return 0
  for package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
      missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo: please install ${missing[*]}"
    as_root=(sudo)
  fi
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
  local install=("${apt[@]}" install -y --no-install-recommends "${missing[@]}")
  # The lists of a fresh machine may be missing, or too old to be of use.
  { "${install[@]}" || { "${apt[@]}" update && "${install[@]}"; }; } >"$root/.apt.log" 2>&1 </dev/null ||
    { tail -n 20 "$root/.apt.log" >&2; die "could not install ${missing[*]}"; }
  rm -f "$root/.apt.log"
}

# build DIRECTORY TARGET [MESON-OPTION...]: configures when that was not done yet, and brings TARGET up
# to date. Runs at the same time wait for each other.
build() {
  local directory=$root/$1 target=$2 log
  shift 2
  (
    flock 9
    if [ ! -f "$directory/build.ninja" ]; then
      say "configuring $directory"
      log=$(cd "$root" && meson setup "$directory" "$@" 2>&1) || { echo "$log" >&2; exit 1; }
    fi
    # A folder that was configured before what the target needs was installed does not know the target.
    log=$(ninja -C "$directory" -n "$target" 2>&1) ||
      { log=$(meson setup --reconfigure "$directory" "$root" "$@" 2>&1) &&
        log=$(ninja -C "$directory" -n "$target" 2>&1); } || { echo "$log" >&2; exit 1; }
    case $log in *"no work to do"*) exit 0 ;; esac
    say "building $directory/$target"
    log=$(ninja -C "$directory" "$target" 2>&1) || { echo "$log" >&2; exit 1; }
  ) 9<"$root/meson.build"
}
