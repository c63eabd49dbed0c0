#!/bin/sh
# Instructions per packet of the engine's kinds of work.
#
#	usage: instructions.sh ENGINE [JSON]
#
# perf stat counts a short run and a long one: the difference is the packets'.
# Where it cannot count, callgrind does (it runs the program itself, so that
# other things on the machine change nothing); where there is neither, nothing
# is printed.  The same packets are made in either run, so making them is
# counted too with perf, and not with callgrind.
engine=$1 json=$2 list=
works="hit:1 hit:10000 new plain:hosts:10 fast:hosts:10 fast:hosts6:1000
fast:acl:100 fast:acl:1000 fast:acl:10000 plain:acl:1000 fast:ipc:1000
fast:fw:1000 fast:fw:10000 fast:acl6:1000 fast:fw6:1000
table4:100000 table6:100000"
[ -n "$QUICK" ] && works="hit:1 new fast:acl:100 table4:100000"

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

perf_count() {	# WORK PACKETS
	perf stat -x, -e instructions:u -o "$dir/perf" \
	    "$engine" -x "$1" -n "$2" >/dev/null 2>&1 || return 1
	awk -F, '/instructions/ && $1 ~ /^[0-9]+$/ { print $1; ok = 1 }
	    END { exit !ok }' "$dir/perf"
}

with_perf() {
	short=$(perf_count "$1" 200000) && long=$(perf_count "$1" 1200000) &&
	    echo $(((long - short) / 1000000))
}

with_callgrind() {
	valgrind --tool=callgrind --callgrind-out-file="$dir/out" \
	    --toggle-collect=measured_batch \
	    "$engine" -x "$1" -n 4096 >/dev/null 2>&1 || return 1
	awk '/^(totals|summary):/ { n = $2 } END { print int(n / 4096) }' \
	    "$dir/out"
}

if command -v perf >/dev/null && perf_count hit:1 1000 >/dev/null; then
	how=perf
elif command -v valgrind >/dev/null; then
	how=callgrind
else
	echo "instructions: neither perf nor valgrind can count them here"
	exit 0
fi
printf '\n%-50s %9s\n' "instructions per packet ($how)" number
for w in $works; do
	n=$(with_$how "$w")
	printf '  %-48s %9s\n' "$w" "${n:--}"
	[ -n "$n" ] && list="$list${list:+,}
{\"group\": \"instructions\", \"name\": \"$w\", \"unit\": \"instructions\", \
\"least\": $n, \"counted\": \"$how\"}"
done
[ -z "$json" ] || printf '[%s\n]\n' "$list" >"$json"
