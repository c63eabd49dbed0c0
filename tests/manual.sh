#!/bin/sh
# The manuals name each option that --help names, and no other.
# usage: manual.sh BINDIR
bin=$1
cd "$(dirname "$0")/.." || exit 2
status=0
# Long options as a list of names, one a line.
of_help() { sed 's/[^-a-z]/\n/g' | grep '^--[a-z]' | sed 's/^--//; s/-$//'; }
of_manual() {
	grep -E '^\.(It |Op |It Xo )?Fl ' "$1" | tr ' ' '\n' |
	    grep '^-[a-z]' | sed 's/^-//'
}
compare() { # manual, file with the help's options
	of_manual "$1" | sort -u >"$tmp/manual"
	sort -u "$2" >"$tmp/help"
	for o in $(comm -23 "$tmp/help" "$tmp/manual"); do
		echo "$1: --$o is missing"; status=1
	done
	for o in $(comm -13 "$tmp/help" "$tmp/manual"); do
		echo "$1: there is no --$o"; status=1
	done
}
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
{
	for c in check compile cover diff disasm lint replay test trace; do "$bin/pfkit" help $c; done
	echo " --help "
} | of_help >"$tmp/pfkit"
compare docs/pfkit.1 "$tmp/pfkit"
"$bin/pfctl" --help | of_help >"$tmp/pfctl"
compare docs/pfctl.1 "$tmp/pfctl"
exit $status
