#!/bin/sh
# Who may include whom (docs/ARCHITECTURE.md), and how long a file may be.
# Prints each break of the rules; exit status 1 if there is one.
cd "$(dirname "$0")/.." || exit 2
files=$(find base parser grammar compiler runtime tools include \
    -name '*.[chyl]' -o -name '*.def' | sort)
awk '
# What the files of a room may include, as patterns of the included path.
BEGIN {
	may["base"] = "^(base/|pfkit/alloc\\.h)"
	may["grammar"] = "^(base/|parser/|grammar/)"
	may["parser"] = may["grammar"] "|^pfkit/alloc\\.h"
	may["compiler"] = "^(base/|compiler/|parser/(ast\\.h|ast\\.def|render\\.h)|pfkit/|" \
	    "runtime/(bytecode\\.h|ops\\.def|image\\.h))"
	may["runtime"] = "^(base/|runtime/|pfkit/)"
	may["tools"] = "^(pfkit/|tools/common/)"	# and the tool itself
	may["include"] = "^pfkit/"
	limit = 900
}
function end_of_file() {
	if (lines > limit) {
		printf "%s: %d lines, the limit is %d\n", file, lines, limit
		bad = 1
	}
}
FNR == 1 {
	end_of_file()
	file = FILENAME
	room = file
	sub(/\/.*/, "", room)
	own = file
	sub(/\/[^\/]*$/, "/", own)
	tool = own
	if (split(own, part, "/") > 2)
		tool = part[1] "/" part[2] "/"
}
{ lines = FNR }
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	quoted = $0 ~ /include[ \t]*"/
	path = $0
	sub(/^[^"<]*["<]/, "", path)
	sub(/[">].*/, "", path)
	if (!quoted && path !~ /^pfkit\//)
		next		# the system
	if (quoted && (room == "tools" || path !~ /\//))
		path = own path
	while (sub(/[^\/.]+\/\.\.\//, "", path))
		;
	if (path ~ may[room] || room == "tools" && index(path, tool) == 1)
		next
	printf "%s:%d: %s may not include %s\n", file, FNR, room, path
	bad = 1
}
END { end_of_file(); exit bad }' $files
