#!/bin/sh
# All tests: `make check` (everything, plain and with sanitizers) or, with
# the word "fast", the unit tests and golden cases of the usual build alone.
#
# A step is a command; what it says is kept in build/check/STEP and shown if
# it fails.  Its own counts ("12 passed, 0 failed", or libcheck's line) are
# added up; a step without such a line counts as one test.  The last line
# is the sum.
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build} make=${MAKE:-make} fast=$1
asan=$build/asan
logs=$build/check
mkdir -p "$logs"
passed=0 failed=0 skipped=0
export LC_ALL=C TZ=UTC
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
san='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer'
export ASAN_OPTIONS=allocator_may_return_null=1
[ "$(uname -s)" != Linux ] || ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1
sanitized() { $make -s -j"$jobs" BUILD="$asan" CFLAGS='-O1 -g' SANITIZE="$san" "$@"; }

# The counts that a log ends with, "passed failed"; nothing if it has none.
counts() {
	awk '/^[0-9]+ passed, [0-9]+ failed/ { p = $1; f = $3; n = 1 }
	/^[0-9]+%: Checks: / {
		gsub(",", "")
		p = $3 - $5 - $7; f = $5 + $7; n = 1
	}
	END { if (n) print p + 0, f + 0 }' "$1"
}
step() { # name command ...
	name=$1 log=$logs/$(echo "$1" | tr ' ' -); shift
	start=$(date +%s)
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	set -- $(counts "$log")
	took=$(($(date +%s) - start))
	if [ $status = 77 ]; then
		skipped=$((skipped + 1))
		printf '%-28s skipped: %s\n' "$name" \
		    "$(tail -n 1 "$log" | sed 's/.*skipped: //')"
		return 0
	fi
	p=${1:-$((status == 0))} f=${2:-$((status != 0))}
	[ $status = 0 ] || [ "$f" != 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f))
	if [ "$f" = 0 ]; then
		printf '%-28s %5d passed  %3d s\n' "$name" "$p" $took
		return 0
	fi
	tail -n 200 "$log"
	printf '%-28s FAILED (%s)\n' "$name" "$log"
	return 1
}
finish() {
	if [ $skipped = 0 ]; then echo "$passed passed, $failed failed"
	else echo "$passed passed, $failed failed, $skipped skipped"
	fi
	[ $failed = 0 ]
	exit
}

units() { # build folder
	for t in "$1"/tests/unit/test_*; do
		[ -x "$t" ] && case $t in *.*) continue;; esac
		step "unit ${t##*/test_}$2" env CK_VERBOSITY=minimal \
		    CK_TIMEOUT_MULTIPLIER=5 "$t"
	done
}
golden() { # build folder, options
	dir=$1; shift
	"$build/tests/golden/run" -j "$jobs" -b "$build/tests/captures" \
	    -b "$build/examples" \
	    -b "$dir/bin" "$@"
}
golden_musl() { # where zlib and libbdd are not to be had
	golden "$build" -b "$build/musl/bin" \
	    $(ls -d tests/golden/cases/*/* | grep -Ev '/gzip|/lint/|/diff/' |
	    grep -Ev '/test/(examples|fails|holds|limit|mistakes|more|slips)' |
	    grep -Ev '/cover/(both|filled|folders)|/trace/proxy|/tool/full')
}
other_compiler() { # target, program
	command -v "$2" >/dev/null 2>&1 ||
		{ echo "skipped: no $2"; return 77; }
	$make -s -j"$jobs" "$1"
}

if [ "$fast" != fast ]; then
	step layering tests/layering.sh
	step "build" $make -s -j"$jobs" all tests || finish
fi
units "$build"
step "manuals" tests/manual.sh "$build/bin"
step "golden" golden "$build"
step "golden fixed point" golden "$build" -p
step "exact answers agree" tests/exact/run "$build/tests/unit/test_exact" 300
step "all ways agree" tests/agree/run "$build" "$build/tests/agree/agree" 300000
[ "$fast" != fast ] || finish

has_sanitizers() {
	echo 'int main(void) { return 0; }' |
	    ${CC:-cc} $san -x c -o /dev/null - 2>/dev/null
}
if has_sanitizers; then
	step "build sanitized" sanitized all tests fuzzers || finish
	units "$asan" " sanitized"
	step "golden sanitized" golden "$asan"
	step "all ways agree sanitized" tests/agree/run "$build" \
	    "$asan/tests/agree/agree" 50000
	step "fuzz" env BUILD="$build" tests/fuzz/run.sh 5 short
else
	step "sanitizers" sh -c 'echo skipped: the compiler has none; exit 77'
fi
step "replay by several engines" tests/replay/jobs "$build/bin/pfkit" \
    "$build/tests/captures/mkpcap"
step "replay in pieces" tests/replay/cut "$build/bin/pfkit" \
    "$build/tests/captures/mkpcap"
step "traces agree with replays" tests/replay/trace "$build/bin/pfkit" \
    "$build/tests/captures/mkpcap"
step "coverage agrees" tests/cover/agree "$build/bin/pfkit" \
    "$build/tests/captures/mkpcap"
step "lint and diff agree" tests/lint/agree "$build/bin/pfkit"
step "test, lint and diff agree" tests/test/agree "$build/bin/pfkit" 1 10
step "page of coverage" tests/cover/page "$build/bin/pfkit" \
    "$build/tests/captures/mkpcap"
step "tutorial" tests/tutorial.sh "$build/bin" docs/TUTORIAL.md
step "live capture" tests/live/run "$build/bin/pfkit" "$build"
step "build with musl" other_compiler musl musl-gcc
[ ! -x "$build/musl/bin/pfctl" ] ||
	step "golden with musl" golden_musl
step "build with clang" other_compiler clang clang
finish
