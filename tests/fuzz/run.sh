#!/bin/sh
# usage: run.sh SECONDS [short]
# SECONDS of CPU time for each fuzzer, over its corpus: corpus/NAME here, the
# rulesets and captures of the golden cases for those that take them.
#
# With libFuzzer (clang) in a build of its own; `short`, or where there is
# none: the driver of ours in the sanitized build.
cd "$(dirname "$0")/../.." || exit 2
seconds=$1 short=$2
build=${BUILD:-build} make=${MAKE:-make} clang=${CLANG:-clang}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
san=-fsanitize=address,undefined
export ASAN_OPTIONS=$ASAN_OPTIONS:abort_on_error=1:allocator_may_return_null=1
[ "$(uname -s)" != Linux ] || ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1

has_libfuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const char *p, long n);
	int LLVMFuzzerTestOneInput(const char *p, long n) { return !p && n; }' |
	    "$clang" -fsanitize=fuzzer -x c -o /dev/null - 2>/dev/null
}
flags='-O1 -g -fno-omit-frame-pointer'
if [ -z "$short" ] && has_libfuzzer; then
	kind=libfuzzer dir=$build/fuzz
	$make -s -j"$jobs" BUILD="$dir" CC="$clang" CFLAGS="$flags" \
	    SANITIZE="$san,fuzzer-no-link -fno-sanitize-recover=undefined" \
	    FUZZ_DRIVER= FUZZ_LINK=-fsanitize=fuzzer fuzzers || exit 1
else
	kind=standalone dir=$build/asan
	$make -s -j"$jobs" BUILD="$dir" CFLAGS='-O1 -g' \
	    SANITIZE="$san -fno-sanitize-recover=undefined -fno-omit-frame-pointer" \
	    fuzzers || exit 1
fi
# What users are told is not wanted here; libFuzzer has a way of its own.
[ $kind = libfuzzer ] || export FUZZ_QUIET=1
# what the golden cases give
seeds=$dir/seeds
rm -rf "$seeds"
mkdir -p "$seeds" "$dir/found"
$make -s "$build/tests/golden/run" "$build/tests/captures/mkpcap" || exit 1
"$build/tests/golden/run" -b "$build/tests/captures" -x "$seeds" || exit 1

# host facts: a byte that chooses the loader, and the file
mkdir -p "$seeds/host"
n=0
for f in ifconfig netstat-rn hosts services protocols passwd group; do
	[ ! -e "tests/golden/host/$f" ] ||
		{ printf "\\$n"; cat "tests/golden/host/$f"; } >"$seeds/host/$f"
	n=$((n + 1))
done
# captures, packed as they are kept
for f in $(ls "$seeds"/pcap/* | head -n 20); do
	for z in gzip zstd; do
		! command -v $z >/dev/null 2>&1 || $z -qc "$f" >"$f.$z"
	done
done
mkdir -p "$seeds/test"
cp examples/*/*.test "$seeds/test"

passed=0 failed=0
for f in tests/fuzz/fuzz_*.c; do
	name=${f##*/fuzz_}; name=${name%.c}
	[ -e "$f" ] || continue
	prog=$dir/tests/fuzz/fuzz_$name
	corpus=
	for d in "tests/fuzz/corpus/$name" "$seeds/$name"; do
		[ -d "$d" ] && corpus="$corpus $d"
	done
	words=$dir/tests/fuzz/dictionary
	case $name in parser | compiler | files | test) ;; *) words=/dev/null;; esac
	log=$dir/found/$name.log
	if [ $kind = libfuzzer ]; then
		mkdir -p "$dir/corpus/$name"
		set -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
		    -dict="$words" -artifact_prefix="$dir/found/$name-" \
		    -max_len=65536 -len_control=10 -close_fd_mask=3 \
		    "$dir/corpus/$name"
		[ $words != /dev/null ] || set -- "$1" "$2" "$3" "$5" "$6" \
		    "$7" "$8" "$9"
	else
		set -- -t "$seconds" -x "$words" -o "$dir/found/$name-crash"
		case $name in engine | state_file) set -- "$@" -r 200;; esac
	fi
	if "$prog" "$@" $corpus >"$log" 2>&1; then
		passed=$((passed + 1))
		echo "$name: $(grep -aE '^Done|inputs$' "$log" | tail -n 1)"
	else
		failed=$((failed + 1))
		tail -n 60 "$log"
		echo "$name: FAILED; the input is $dir/found/$name-*"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
