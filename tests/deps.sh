#!/bin/sh
# Installs what building (`deps.sh build`) or testing (`deps.sh check`) needs
# and this machine lacks, through the system's package manager, and says so.
# Where everything is there nothing is asked of anyone.
cd "$(dirname "$0")/.." || exit 2
what=${1:-build}

has() { command -v "$1" >/dev/null 2>&1; }
# The compiler that make will use, or what there is instead; with its libc.
compiler() {
	for c in "${CC:-cc}" cc gcc clang; do
		echo '#include <stdio.h>' | $c -x c -fsyntax-only - 2>/dev/null &&
		    echo "$c" && return
	done
}
header() { # does it compile?
	printf '#include <sys/types.h>\n%s#include <%s>\n' "$2" "$1" |
	    $cc -x c -fsyntax-only - 2>/dev/null
}
check_needs='#include <stddef.h>
#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>
'
# The names of what is missing: our names, not a package's.
missing() {
	cc=$(compiler)
	[ -n "$cc" ] || { echo cc; cc=false; }
	has flex || echo flex
	has bison || echo bison
	header zlib.h || echo zlib
	header zstd.h || echo zstd
	header bdd.h || echo bdd
	[ "$what" = check ] || return
	header check.h "$check_needs" || echo check
	header pcap.h || echo pcap
	has musl-gcc || echo musl
	has diff || echo diff
	# what tests/live captures with; it needs root, and Linux
	[ "$(id -u)$(uname -s)" = 0Linux ] || return
	has ip || echo ip
	has nft || echo nft
	has tcpdump || echo tcpdump
}

# Ours -> theirs.  "-": it comes with the system, or is not to be had.
packages() { # manager
	for m in $(missing); do
		case $1:$m in
		apt-get:cc) echo gcc libc6-dev;;
		apt-get:pcap) echo libpcap-dev;;
		apt-get:zlib) echo zlib1g-dev;;
		apt-get:zstd) echo libzstd-dev;;
		apt-get:bdd) echo libbdd-dev;;
		apt-get:musl) echo musl-tools;;
		apt-get:diff) echo diffutils;;
		apt-get:ip) echo iproute2;;
		*:nft) echo nftables;;
		dnf:ip) echo iproute;;
		dnf:cc) echo gcc;;
		dnf:pcap) echo libpcap-devel;;
		dnf:zlib) echo zlib-devel;;
		dnf:zstd) echo libzstd-devel;;
		dnf:check) echo check-devel;;
		dnf:musl) echo musl-gcc;;
		dnf:diff) echo diffutils;;
		pkg:pcap | pkg:zlib | pkg:cc | pkg:diff | *:musl | *:bdd) ;;
		pkg_add:pcap | pkg_add:zlib | pkg_add:cc | pkg_add:diff) ;;
		brew:pcap) echo libpcap;;
		brew:cc | brew:diff) ;;
		*) echo "$m";;
		esac
	done
}

root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif has sudo; then sudo "$@"
	else echo "Not root, and no sudo: run as root: $*" >&2; exit 1
	fi
}
apt() {
	root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
	    -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null
}
install() {
	case $1 in
	apt-get) shift
		apt install -y --no-install-recommends "$@" ||
		    { apt update &&
		    apt install -y --no-install-recommends "$@"; };;
	dnf) shift; root dnf install -y -q "$@";;
	pkg) shift; root pkg install -y "$@";;
	pkg_add) shift; root pkg_add "$@";;
	brew) shift; brew install "$@";;
	esac
}

[ -n "$(missing)" ] || exit 0
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
for manager in apt-get dnf pkg_add pkg brew none; do has $manager && break; done
if [ $manager = none ]; then
	echo "Please install:" $(missing) >&2
	exit 1
fi
list=$(packages $manager)
# What no package gives (musl, off Linux) its test skips.
[ -n "$list" ] || exit 0
echo "Installing with $manager:" $list
install $manager $list && exit 0
cat "$log" >&2
echo "$manager could not install:" $list >&2
exit 1
