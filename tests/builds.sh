#!/usr/bin/env bash
# Whether a spawned worker comes up and knows all implementations, in every way that a program can be linked.
# Called by CI; not part of `cargo test`, as each way builds the library anew.
set -euo pipefail
cd "$(dirname "$0")/builds"

export CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/../../target/builds}" CARGO_TERM_COLOR=never
host=$(rustc -vV | sed -n 's/^host: //p')
expected="6 of 6"

fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# check NAME PROGRAM: the program says what its worker knows.
check() {
  local said
  said=$(timeout 60 "$2" </dev/null) || fail "$1: it ended with $?"
  [ "$said" = "$expected" ] || fail "$1: it said '$said' instead of '$expected'"
  printf 'ok       %s\n' "$1"
}

# try NAME RUSTC-FLAGS DIRECTORY [cargo's arguments]: the flags are for the last crate alone, so that all ways share what
# is the same for them.
try() {
  local name=$1 flags=$2 directory=$3
  shift 3
  cargo rustc --quiet --locked --bin builds "$@" -- ${flags:+$flags} || fail "$name: it does not build"
  check "$name" "$CARGO_TARGET_DIR/$directory/builds"
}

has_linker() { command -v "ld.$1" >/dev/null; }

try dev "" debug
# Since 1.90 rustc adds its own lld on this target; the last of the two flags counts for the C compiler.
no_lld=""
case "$(rustc -C help)" in *linker-features*) no_lld="-C linker-features=-lld" ;; esac
for linker in bfd gold mold; do
  if has_linker "$linker"; then
    try "$linker" "$no_lld -C link-arg=-fuse-ld=$linker" debug
  else
    printf 'skipped  %s: ld.%s is not installed\n' "$linker" "$linker"
  fi
done
musl="${host%-*}-musl"
if rustc --print target-libdir --target "$musl" 2>/dev/null | xargs -I{} test -d {}; then
  try musl "" "$musl/debug" --target "$musl"
else
  printf 'skipped  musl: the target %s is not installed\n' "$musl"
fi

# Without the hook, `main` is the entry.
try no-pre-main "" debug --no-default-features

# Without the hook and without an entry, a spawn says so rather than starting children without end.
cargo build --quiet --locked --no-default-features --bin no-entry || fail "no-entry: it does not build"
said=$(timeout 60 "$CARGO_TARGET_DIR/debug/no-entry" </dev/null) || fail "no-entry: it ended with $?"
case "$said" in
  *"no rpc_parallel entry ran in this process"*) printf 'ok       no-entry\n' ;;
  *) fail "no-entry: it said '$said'" ;;
esac

# In a shared library the hook does nothing, also with the marker set, and a spawn names the library.
cargo build --quiet --locked --lib || fail "cdylib: it does not build"
library="$CARGO_TARGET_DIR/debug/libbuilds.so"
cat >"$CARGO_TARGET_DIR/host.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv) {
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library) { puts(dlerror()); return 1; }
  void (*spawn)(void) = (void (*)(void))dlsym(library, "spawn_one");
  if (!spawn) { puts(dlerror()); return 1; }
  spawn();
  return 0;
}
C
cc -o "$CARGO_TARGET_DIR/host" "$CARGO_TARGET_DIR/host.c" -ldl
said=$(timeout 60 "$CARGO_TARGET_DIR/host" "$library" </dev/null) || fail "cdylib: it ended with $?"
case "$said" in
  *"rpc_parallel is linked into "*libbuilds.so*) printf 'ok       cdylib\n' ;;
  *) fail "cdylib: it said '$said'" ;;
esac
said=$(RPC_PARALLEL_WORKER=1 timeout 60 "$CARGO_TARGET_DIR/host" "$library" </dev/null) || fail "cdylib, marked: it ended with $?"
case "$said" in
  *"was itself started as a worker"*) printf 'ok       cdylib in a marked process\n' ;;
  *) fail "cdylib, marked: it said '$said'" ;;
esac

# What needs all crates anew comes last. Optimising takes the time, and what linking does to constructors is the same
# without.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=4
try abort "" debug --config 'profile.dev.panic="abort"'
try thin-lto "" release --config 'profile.release.lto="thin"' --release
try fat-lto "" release --config 'profile.release.lto="fat"' --release
