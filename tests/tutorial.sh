#!/bin/sh
# Runs a page of docs that shows commands, and compares what they print.
# usage: tutorial.sh [-u] BINDIR PAGE.md
#
# In the page a block that begins with "# file NAME" is a file; it replaces an
# earlier one of that name.  A block that begins with "$ " has commands, each
# followed by what it prints, both streams and a last line "[N]" if its status
# is not 0.  The files of examples/ lie beside those of the page.  -u writes
# the page as it should be to standard output.
update=
[ "${1-}" = -u ] && { update=yes; shift; }
bin=$(cd "$1" && pwd) || exit 2
page=$2
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cp -R "$top/examples/." "$dir/" || exit 2

# The page with the output of every command made anew.
PATH=$bin:$PATH NO_COLOR=1 awk -v dir="$dir" '
function run(command,    line, all) {
	close(file)
	all = "cd \"" dir "\" && { " command "\n} 2>&1; s=$?; [ $s = 0 ] || " \
	    "echo \"[$s]\""
	while ((all | getline line) > 0)
		print line != "" ? "    " line : ""
	close(all)
}
function begin(text) {
	kind = text ~ /^# file / ? "file" : text ~ /^\$ / ? "run" : "text"
	if (kind == "file") {
		close(file)
		file = dir "/" substr(text, 8)
		printf "" >file
	}
}
/^    / {
	text = substr($0, 5)
	first = !inside || text ~ /^# file / || (blank && text ~ /^\$ /)
	if (first)
		begin(text)
	if (blank && (first || kind != "run"))
		print ""
	if (blank && !first && kind == "file")
		print "" >file
	blank = 0
	inside = 1
	if (kind == "file" && !first)
		print text >file
	if (kind != "run" || text ~ /^\$ /)
		print
	if (kind == "run" && text ~ /^\$ /)
		run(substr(text, 3))
	next
}
/^$/ && inside { blank = 1; next }
{
	if (blank)
		print ""
	blank = inside = 0
	print
}
' "$page" >"$dir.new" || exit 2
if [ -n "$update" ]; then
	cat "$dir.new"; rm -f "$dir.new"; exit 0
fi
if diff "$page" "$dir.new"; then
	echo "1 passed, 0 failed"; status=0
else
	echo "0 passed, 1 failed"; status=1
fi
rm -f "$dir.new"
exit $status
