/*
 * docs/BYTECODE.md, written from ops.def: by `make docs/BYTECODE.md` (the
 * program is test_bytecode_doc with the word "write"), and by the test that
 * compares it with the file.
 */
#ifndef TESTS_BYTECODE_DOC_H
#define TESTS_BYTECODE_DOC_H

#include <stdio.h>
#include <string.h>

#include "runtime/bytecode.h"

static inline const char *
letter_meaning(char c)
{
	switch (c) {
	case 'n': return "1: negated";
	case 'd': return "direction: 1 in, 2 out";
	case 'f': return "family: 4 or 6";
	case 'o': return "operator";
	case 'q': return "1: quick";
	case 's': return "side: 0 source, 1 destination";
	case 'v': return "value";
	case 'J': return "jump";
	case 'R': return "rule";
	case 'p': return "two ports";
	case 'x': return "value";
	case '.': return "address";
	default: return "";
	}
}

static inline void
write_words(FILE *f, const char *operands)
{
	const char *sep = "";

	for (const char *p = operands + 2; *p != '\0'; p++) {
		if (*p == '.' && p[-1] == '.')
			continue;
		fprintf(f, "%s%s", sep, letter_meaning(*p));
		if (*p == '.')
			fprintf(f, " (%zu words)", strspn(p, "."));
		sep = ", ";
	}
}

static inline void
write_bytecode_doc(FILE *f)
{
	fputs("# Instructions\n\n"
	    "Written by `make docs/BYTECODE.md` from `runtime/ops.def`; how "
	    "instructions lie in memory is\ndrawn in `runtime/bytecode.h`, "
	    "what is checked before they run stands in\n"
	    "`runtime/verify_code.c`, and `pfkit disasm` shows those of a "
	    "ruleset.\n\n"
	    "A test goes on with the next instruction if the packet fits and "
	    "jumps if not. Jumps\nlead forward, to a `rule` or the `end`. "
	    "\"The rule\" is that of the `rule` before.\n\n"
	    "| instruction | a | b | words that follow | what it does |\n"
	    "| --- | --- | --- | --- | --- |\n", f);
	for (unsigned i = 0; i < OP_COUNT; i++) {
		const struct op_info *o = &op_info[i];

		fprintf(f, "| `%s` | %s | %s | ", o->name,
		    letter_meaning(o->operands[0]),
		    letter_meaning(o->operands[1]));
		write_words(f, o->operands);
		fprintf(f, " | %s |\n", o->text);
	}
	fputs("\nOperators are numbered as in `enum img_op`: 1 `><`, 2 `<>`, "
	    "3 `=`, 4 `!=`, 5 `<`,\n6 `<=`, 7 `>`, 8 `>=`, 9 `:`.\n", f);
}

#endif
