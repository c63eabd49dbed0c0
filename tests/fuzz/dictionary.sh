#!/bin/sh
# The words of pf.conf as a fuzzer's dictionary: every string literal of
# grammar/keywords.def (standard input), and what else has a meaning.
grep -o '"[^"]*"' | sort -u
cat <<'END'
"any"
"self"
"{ "
" }"
", "
" = "
"<t>"
"($if)"
"10.0.0.0/8"
"2001:db8::/32"
"em0"
"em0:network"
"egress"
"\\"
"include "
END
