/*
 * Words: each different one is stored once, for as long as the arena lives,
 * so that a tree's strings outlast its nodes.  Keywords are put in first and
 * found by the same look-up.
 */
#include <string.h>

#include "base/hash.h"
#include "parser/parser_int.h"
#include "grammar/pfconf.tab.h"

#define SLOTS_MIN	((size_t)1024)

static const struct { const char *text; int token; } keywords[] = {
#define KEYWORD(word, name)	{ word, TOK_##name },
#include "grammar/keywords.def"
#undef KEYWORD
};

const char *const *
word_keywords(void)
{
	static const char *const list[] = {
#define KEYWORD(word, name)	word,
#include "grammar/keywords.def"
#undef KEYWORD
		NULL
	};

	return list;
}

static void
grow(struct words *w)
{
	size_t n = w->nslots * 2, i;
	struct word **slots = arena_alloc(w->arena, n * sizeof(*slots));
	struct word *next;

	for (i = 0; i < w->nslots; i++) {
		for (struct word *word = w->slots[i]; word != NULL;
		    word = next) {
			next = word->chain;
			word->chain = slots[word->hash & (n - 1)];
			slots[word->hash & (n - 1)] = word;
		}
	}
	w->slots = slots;
	w->nslots = n;
}

static struct word *
add(struct words *w, const char *text, size_t len, uint32_t hash)
{
	struct word *word, **slot;

	if (w->n++ == w->nslots)
		grow(w);
	word = arena_alloc(w->arena, sizeof(*word) + len + 1);
	memcpy(word->text, text, len);
	word->len = (uint32_t)len;
	word->hash = hash;
	slot = &w->slots[hash & (w->nslots - 1)];
	word->chain = *slot;
	*slot = word;
	return word;
}

struct word *
word_get(struct words *w, const char *text, size_t len)
{
	uint32_t hash = hash_fnv1a(text, len);
	struct word *word = w->slots[hash & (w->nslots - 1)];

	for (; word != NULL; word = word->chain)
		if (word->hash == hash && word->len == len &&
		    memcmp(word->text, text, len) == 0)
			return word;
	return add(w, text, len, hash);
}

void
words_init(struct words *w, struct arena *arena)
{
	w->arena = arena;
	w->n = 0;
	w->nslots = SLOTS_MIN;
	w->slots = arena_alloc(arena, w->nslots * sizeof(*w->slots));
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		word_get(w, keywords[i].text,
		    strlen(keywords[i].text))->token = keywords[i].token;
}
