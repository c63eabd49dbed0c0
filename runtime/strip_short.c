/*
 * Strips from the beginning of the main ruleset on, for the usual packet: one
 * that goes in at the top, of a class of which nothing has to be asked when pf
 * comes there (strip_class.brief).
 *
 * All of it is arithmetic on words of rows: which rows fit, which ones pf comes
 * to, which is the last of them; there is hardly a branch that depends on the
 * packet.  What packets have in common was found out when their class was made.
 *
 * Of jumps it knows the usual way, and detours: rows that the usual way passes
 * over because an address or port does not fit that they ask for themselves.
 * Pf comes to them if it does fit.  What strays in any other way is not
 * answered here, and nothing has been counted then.
 *
 * Where the processor has wide columns, most packets are answered by a sheet
 * (strip_sheet.h), and strips are asked by what has none or strays there.
 */
#include "runtime/strip_columns.h"
#include "runtime/strip_sheet.h"
#include "runtime/table.h"

typedef uint64_t addrs_fn(const uint32_t *addr, const uint32_t *mask,
    uint32_t n, uint32_t a);
typedef uint64_t ports_fn(const uint16_t *low, const uint16_t *high,
    uint32_t n, uint16_t port);

/* Of rows whose IPv6 address fits as far as the column goes: all of it. */
static ALWAYS_INLINE uint64_t
all_of_six(const struct strip_six *x, const uint8_t *a, uint64_t fit,
    uint64_t rows)
{
	uint64_t left = fit & rows & x->rows;

	for (; left != 0; left &= left - 1) {
		unsigned row = lowest_bit(left);
		uint32_t bad = 0;

		for (unsigned i = 0; i < 3; i++)
			bad |= (word_at(a + 4 * x->word[i + 1]) &
			    x->mask[i][row]) ^ x->addr[i][row];
		fit &= ~((uint64_t)(bad != 0) << row);
	}
	return fit;
}

static ALWAYS_INLINE uint64_t
addr_column(const struct strip *s, const struct strip_class *c,
    const struct strip_ask *q, unsigned side, addrs_fn *addrs)
{
	if (!s->asked[side])
		return UINT64_MAX;
	return addrs(s->addr[side], s->mask[side], s->n,
	    word_at(q->addr[side] + c->at[side]));
}

static ALWAYS_INLINE uint64_t
port_column(const struct strip *s, const struct strip_ask *q, unsigned side,
    ports_fn *ports)
{
	if (!s->asked[ROW_SPORT + side])
		return UINT64_MAX;
	return ports(s->low[side], s->high[side], s->n, q->port[side]) ^
	    s->neg[ROW_SPORT + side];
}

/*
 * The rows that each field fits.  What is asked is the same for all packets:
 * classes come at random.  Addresses of IPv6 are looked at in full where the
 * rest fits, or a misfit matters.
 */
static ALWAYS_INLINE void
read_columns(const struct strip *s, const struct strip_class *c,
    const struct strip_ask *q, uint64_t fit[ROW_FIELDS], addrs_fn *addrs,
    ports_fn *ports)
{
	uint64_t src = addr_column(s, c, q, SRC, addrs);
	uint64_t dst = addr_column(s, c, q, DST, addrs);
	uint64_t rows;

	fit[ROW_SPORT] = port_column(s, q, SRC, ports);
	fit[ROW_DPORT] = port_column(s, q, DST, ports);
	rows = (c->all & fit[ROW_SPORT] & fit[ROW_DPORT] &
	    (dst | s->neg[DST])) | c->minds;
	if (c->six[SRC])
		src = all_of_six(s->six[SRC], q->addr[SRC], src, rows);
	fit[ROW_SRC] = src ^ s->neg[SRC];
	rows &= fit[ROW_SRC];
	if (c->six[DST])
		dst = all_of_six(s->six[DST], q->addr[DST], dst, rows);
	fit[ROW_DST] = dst ^ s->neg[DST];
}

/* Where the packet does not go on as the usual way does. */
static ALWAYS_INLINE uint64_t
stray_rows(const struct strip_class *c, const uint64_t fit[ROW_FIELDS])
{
	uint64_t rows = fit[ROW_SRC], stray;

	stray = (c->leads[ROW_SRC] & ~rows) ^ c->usual[ROW_SRC];
	for (unsigned f = ROW_DST; f < ROW_FIELDS; f++) {
		stray |= (c->leads[f] & rows & ~fit[f]) ^ c->usual[f];
		rows &= fit[f];
	}
	return stray;
}

/* Rows of detours, up to the end, count beside the usual way. */
static ALWAYS_INLINE void
count_detours(struct strip *s, const struct strip_class *c, uint64_t stray,
    unsigned end)
{
	do {	/* mostly none or one: no branch tells which */
		unsigned row = lowest_bit(stray | (uint64_t)1 << 63);
		unsigned to = c->back[row] < end ? c->back[row] : end;
		uint64_t one = stray != 0;

		s->steps[row + 1] += one;
		s->steps[to] -= one;
		stray &= stray - one;
	} while (stray != 0);
}

/* What the tables have said of addresses, which fit in all rows so far. */
static ALWAYS_INLINE void
hear_tables(const struct strip *s, const struct strip_class *c,
    const struct strip_ask *q, uint64_t fit[ROW_FIELDS])
{
	for (unsigned left = c->tables; left != 0; left &= left - 1) {
		const struct strip_table *t = &s->tables[lowest_bit(left)];
		uint64_t in = 0u - (uint64_t)((q->in & t->bit) != 0);

		fit[t->side] &= (in ^ t->neg) | ~t->rows;
	}
}

/* Questions that pf would have asked, in these rows of the class's. */
static ALWAYS_INLINE void
count_tables_asked(struct pfk_engine *e, const struct strip *s,
    const struct strip_class *c, const struct strip_ask *q,
    const uint64_t fit[ROW_FIELDS], uint64_t rows)
{
	for (unsigned left = c->tables; left != 0; left &= left - 1) {
		const struct strip_table *t = &s->tables[lowest_bit(left)];
		uint64_t m = rows & t->rows;

		if (t->side == DST)
			m &= fit[ROW_SRC];
		for (; m != 0; m &= m - 1)
			e->tables[t->table].asks[(q->in & t->bit) != 0]++;
	}
}

struct answer {
	bool		known;		/* else nothing was counted */
	bool		quick;
	uint32_t	rule;		/* or IMG_NONE */
};

/* From a row on that the usual way comes to. */
static ALWAYS_INLINE struct answer
ask(struct pfk_engine *e, struct strip *s, struct strip_class *c,
    const struct strip_ask *q, unsigned row, addrs_fn *addrs, ports_fn *ports)
{
	uint64_t from = UINT64_MAX << row, fit[ROW_FIELDS], fits, quick;
	uint64_t stray;
	unsigned last, end;

	read_columns(s, c, q, fit, addrs, ports);
	hear_tables(s, c, q, fit);
	fits = from & c->open & fit[ROW_SRC] & fit[ROW_DST] &
	    fit[ROW_SPORT] & fit[ROW_DPORT];
	quick = fits & s->quick;
	quick &= 0 - quick;
	fits &= quick | (quick - 1);
	last = highest_bit(fits | 1);
	end = quick != 0 ? last + 1 : s->n;
	if (s->jumps) {
		/* where it strays behind the rule that ends it all does not
		   matter */
		stray = stray_rows(c, fit) & c->seen & from & (quick - 1);
		if ((stray & ~c->turns) != 0)
			return (struct answer){ .known = false };
		count_detours(s, c, stray, end);
	}
	if (c->tables != 0)
		count_tables_asked(e, s, c, q, fit, from & c->seen & c->head &
		    (quick | (quick - 1)));
	c->through[row]--;
	c->through[end]++;
	s->unsettled = true;
	return (struct answer){ true, quick != 0,
	    (s->first + last) | (0u - (uint32_t)(fits == 0)) };
}

struct strip_head
strip_head_of(uint64_t key)
{
	struct strip_head h = {
		.ifid = (uint16_t)(key >> 48), .rdomain = (uint16_t)(key >> 32),
		.proto = (uint8_t)(key >> 16), .dir = key & 3,
		.af = key >> 2 & 0x1f, .begins = key >> 7 & 1
	};

	if (strip_is_icmp(&h)) {
		h.icmp_type = (uint8_t)(key >> STRIP_KEY_FLAGS);
		h.icmp_code = (uint8_t)(key >> STRIP_KEY_CODE);
	} else
		h.tcp_flags = (uint8_t)(key >> STRIP_KEY_FLAGS);
	return h;
}

static NOINLINE struct strip_class *
new_class(struct pfk_engine *e, struct strip *s, const struct strip_ask *q)
{
	struct strip_head h = strip_head_of(q->key);

	return strip_find_class(e, s, q->key & s->heads[q->icmp], &h);
}

static ALWAYS_INLINE struct strip_class *
class_of(struct pfk_engine *e, struct strip *s, const struct strip_ask *q)
{
	uint64_t key = q->key & s->heads[q->icmp];
	struct strip_class *c = s->classes[strip_slot(key)];

	return c != NULL && c->key == key ? c : new_class(e, s, q);
}

static ALWAYS_INLINE const uint32_t *
walk(struct pfk_engine *e, struct strip *s, unsigned row,
    const struct strip_ask *q, uint32_t *rule, addrs_fn *addrs,
    ports_fn *ports)
{
	uint32_t decides = *rule;

	for (;;) {
		struct strip_class *c = class_of(e, s, q);
		struct answer a = { .known = false };

		if (c != NULL && c->brief && (c->seen >> row & 1) != 0 &&
		    (c->needs & ~q->known) == 0)
			a = ask(e, s, c, q, row, addrs, ports);
		if (!a.known)
			break;
		decides = a.rule != IMG_NONE ? a.rule : decides;
		*rule = decides;
		if (a.quick | c->ends)
			return NULL;
		if (!c->onward)
			return s->pc + c->end;
		s = e->strips[c->strip];
		row = c->row;
	}
	return row == 0 ? s->pc : s->pc + s->row[row];
}

#ifdef HAVE_WIDE
WIDE const uint32_t *
strips_walk_wide(struct pfk_engine *e, struct strip *s, unsigned row,
    const struct strip_ask *q, uint32_t *rule)
{
	return walk(e, s, row, q, rule, addrs_wide, ports_wide);
}
#endif

static NOINLINE const uint32_t *
walk_narrow(struct pfk_engine *e, const struct strip_ask *q, uint32_t *rule)
{
	return walk(e, e->front, 0, q, rule, addrs_narrow, ports_narrow);
}

#ifdef HAVE_WIDE
/* The first packet, and all if there are no sheets. */
static NOINLINE const uint32_t *
without_sheets(struct pfk_engine *e, const struct strip_ask *q,
    uint32_t *rule)
{
	if (!e->front->wide)
		return walk_narrow(e, q, rule);
	sheets_begin(e, e->front);
	return strips_walk_wide(e, e->front, 0, q, rule);
}

const uint32_t *
strips_short(struct pfk_engine *e, const struct strip_ask *q, uint32_t *rule)
{
	return e->front->sheets != NULL ? sheets_ask(e, q, rule) :
	    without_sheets(e, q, rule);
}
#else
const uint32_t *
strips_short(struct pfk_engine *e, const struct strip_ask *q, uint32_t *rule)
{
	return walk_narrow(e, q, rule);
}
#endif
