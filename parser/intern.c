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

/* The slot of the word, or the empty one where it belongs. */
static struct word **
find(const struct words *w, const char *text, size_t len, uint32_t hash)
{
	size_t i = hash & (w->nslots - 1);
	const struct word *word;

	while ((word = w->slots[i]) != NULL && (word->hash != hash ||
	    word->len != len || memcmp(word->text, text, len) != 0))
		i = (i + 1) & (w->nslots - 1);
	return &w->slots[i];
}

static void
grow(struct words *w)
{
	struct word **old = w->slots;
	size_t n = w->nslots;

	w->nslots = n * 2;
	w->slots = arena_alloc(w->arena, w->nslots * sizeof(*w->slots));
	for (size_t i = 0; i < n; i++)
		if (old[i] != NULL)
			*find(w, old[i]->text, old[i]->len, old[i]->hash) =
			    old[i];
}

struct word *
word_get(struct words *w, const char *text, size_t len)
{
	uint32_t hash = hash_fnv1a(text, len);
	struct word **slot = find(w, text, len, hash), *word;

	if (*slot != NULL)
		return *slot;
	word = arena_alloc(w->arena, sizeof(*word) + len + 1);
	memcpy(word->text, text, len);
	word->len = (uint32_t)len;
	word->hash = hash;
	*slot = word;
	if (++w->n > w->nslots / 2)
		grow(w);
	return word;
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
