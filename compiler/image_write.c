/*
 * The block of bytes: strings that are kept once, and the sections one after
 * the other.
 */
#include "compiler/image_write.h"

#include <string.h>

#include "base/hash.h"

/* Where the string of that hash stands or should stand. */
static struct intern_slot *
string_slot(struct image_writer *w, const char *s, uint32_t hash)
{
	struct interner *t = &w->string_index;
	size_t i = hash & (t->nslots - 1);

	while (t->slots[i].value != 0 && (t->slots[i].hash != hash ||
	    strcmp(w->strings.v + t->slots[i].value, s) != 0))
		i = (i + 1) & (t->nslots - 1);
	return &t->slots[i];
}

static void
grow_index(struct image_writer *w)
{
	struct interner *t = &w->string_index, old = *t;

	t->nslots = old.nslots == 0 ? 256 : old.nslots * 2;
	t->slots = arena_alloc(w->arena, t->nslots * sizeof(*t->slots));
	for (size_t i = 0; i < old.nslots; i++) {
		size_t j = old.slots[i].hash & (t->nslots - 1);

		if (old.slots[i].value == 0)
			continue;
		while (t->slots[j].value != 0)
			j = (j + 1) & (t->nslots - 1);
		t->slots[j] = old.slots[i];
	}
}

uint32_t
write_string(struct image_writer *w, const char *s)
{
	struct intern_slot *slot;
	size_t len;

	if (w->strings.n == 0)
		vec_push(w->arena, &w->strings, '\0');
	if (s == NULL || *s == '\0')
		return 0;
	if (w->string_index.used * 2 >= w->string_index.nslots)
		grow_index(w);
	len = strlen(s);
	slot = string_slot(w, s, hash_fnv1a(s, len));
	if (slot->value == 0) {
		slot->hash = hash_fnv1a(s, len);
		slot->value = (uint32_t)w->strings.n;
		w->string_index.used++;
		for (size_t i = 0; i <= len; i++)
			vec_push(w->arena, &w->strings, s[i]);
	}
	return slot->value;
}

struct section { const void *base; size_t size; };

static size_t
round8(size_t n)
{
	return (n + 7) & ~(size_t)7;
}

static void
list_sections(const struct image_writer *w, struct section s[IMG_NSECTIONS])
{
#define SECTION(id, vec) \
	s[id] = (struct section){ (vec).v, (vec).n * sizeof(*(vec).v) }
	SECTION(IMG_STRINGS, w->strings);
	SECTION(IMG_CODE, w->code);
	SECTION(IMG_RULES, w->rules);
	SECTION(IMG_ANCHORS, w->anchors);
	SECTION(IMG_POOLS, w->pools);
	SECTION(IMG_TABLES, w->tables);
	SECTION(IMG_TABLE_ADDRS, w->table_addrs);
	SECTION(IMG_QUEUES, w->queues);
	SECTION(IMG_SOURCES, w->sources);
	SECTION(IMG_TEXTS, w->texts);
	SECTION(IMG_LINES, w->lines);
	SECTION(IMG_MACROS, w->macros);
	SECTION(IMG_ORIGINS, w->origins);
	SECTION(IMG_RULE_ORIGINS, w->rule_origins);
	SECTION(IMG_TABLE_ORIGINS, w->table_origins);
	SECTION(IMG_TIMEOUTS, w->timeouts);
#undef SECTION
	s[IMG_OPTIONS] = (struct section){ &w->options, sizeof(w->options) };
}

void *
write_image(struct image_writer *w, const struct pfk_allocator *alloc,
    size_t *size)
{
	struct section s[IMG_NSECTIONS];
	struct img_header h = { .version = IMG_VERSION,
	    .nsections = IMG_NSECTIONS };
	size_t off = sizeof(h);
	uint8_t *block;

	list_sections(w, s);
	for (unsigned i = 0; i < IMG_NSECTIONS; i++) {
		h.section[i].off = (uint32_t)off;
		h.section[i].len = (uint32_t)s[i].size;
		off += round8(s[i].size);
		if (off > UINT32_MAX)
			return NULL;
	}
	block = alloc->fn(alloc->ctx, NULL, 0, off);
	if (block == NULL)
		return NULL;
	memset(block, 0, off);
	for (unsigned i = 0; i < IMG_NSECTIONS; i++)
		if (s[i].size != 0)
			memcpy(block + h.section[i].off, s[i].base,
			    s[i].size);
	memcpy(h.magic, IMG_MAGIC, sizeof(h.magic));
	h.size = (uint32_t)off;
	h.crc = crc32c(0, block + sizeof(h), off - sizeof(h));
	memcpy(block, &h, sizeof(h));
	*size = off;
	return block;
}
