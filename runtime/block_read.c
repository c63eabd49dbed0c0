/*
 * What a rule asks, as its instructions say it.
 *
 * They must be in the compiler's order, and only the head, addresses and ports
 * may lead further than to the next rule: then what is known of the fields
 * tells where a packet goes.  Others are not looked up.
 */
#include "runtime/block_int.h"

/* An instruction's place in a rule. */
enum rank { RANK_HEAD, RANK_SRC, RANK_DST, RANK_WHOLE, RANK_FLAGS, RANK_OS,
    RANK_SPORT, RANK_DPORT, RANK_REST, RANK_END, RANK_NONE };

static enum rank
rank(const uint32_t *w)
{
	bool dst = insn_b(*w) != 0;

	switch ((int)insn_op(*w)) {
	case OP_IFACE: case OP_DIR: case OP_RDOMAIN: case OP_AF: case OP_PROTO:
		return RANK_HEAD;
	case OP_ADDR4: case OP_ADDR6: case OP_RANGE4: case OP_RANGE6:
	case OP_TABLE: case OP_IFADDR: case OP_NOROUTE: case OP_URPF:
	case OP_RTLABEL:
		return dst ? RANK_DST : RANK_SRC;
	case OP_WHOLE:
		return RANK_WHOLE;
	case OP_FLAGS:
		return RANK_FLAGS;
	case OP_OS:
		return RANK_OS;
	case OP_PORT:
		return dst ? RANK_DPORT : RANK_SPORT;
	case OP_USER: case OP_GROUP: case OP_ICMP: case OP_QUERY:
	case OP_FRAGMENT: case OP_TOS: case OP_TAGGED: case OP_RCVIF:
	case OP_PRIO:
		return RANK_REST;
	case OP_DECIDE:
		return RANK_END;
	default:
		return RANK_NONE;
	}
}

/* ---- addresses ---- */

static struct value
words_value(const uint32_t *w, unsigned words)
{
	struct pfk_addr a;
	struct value v;

	memset(&a, 0, sizeof(a));
	memcpy(&a, w, words * 4);
	addr_words(v.w, &a, words == 1 ? PFK_AF_INET : PFK_AF_INET6);
	return v;
}

static void
read_prefix(struct field *f, const uint32_t *w, unsigned words)
{
	struct pfk_addr mask;
	unsigned bits;

	memset(&mask, 0, sizeof(mask));
	memcpy(&mask, w + words, words * 4);
	bits = addr_mask_bits(&mask);
	f->low = words_value(w, words);
	f->high = words_value(w + words, words);
	for (unsigned i = 0; i < 2; i++) {
		unsigned from = i * 64;
		uint64_t run = bits <= from ? 0 : mask_word(bits - from);

		if (f->high.w[i] != run)
			return;		/* no prefix */
		f->low.w[i] &= run;
		f->high.w[i] = f->low.w[i] | ~run;
	}
	f->bits = (uint8_t)bits;
	f->prefix = true;
	f->kind = FIELD_INTERVAL;
}

static void
read_range(struct field *f, const uint32_t *w, unsigned words)
{
	f->low = words_value(w, words);
	f->high = words_value(w + words, words);
	if (words == 1) {
		f->high.w[0] |= UINT32_MAX;
		f->high.w[1] = UINT64_MAX;
	}
	f->kind = FIELD_INTERVAL;
}

/* Of a rule that is not for one family only the instruction knows. */
static void
read_addr(struct row *r, struct field *f, const uint32_t *w)
{
	enum op op = insn_op(*w);

	f->kind = FIELD_OTHER;
	f->neg = insn_a(*w) != 0;
	if (op == OP_ADDR4 && r->af == PFK_AF_INET)
		read_prefix(f, w + 2, 1);
	else if (op == OP_ADDR6 && r->af == PFK_AF_INET6)
		read_prefix(f, w + 2, 4);
	else if (op == OP_RANGE4 && r->af == PFK_AF_INET)
		read_range(f, w + 2, 1);
	else if (op == OP_RANGE6 && r->af == PFK_AF_INET6)
		read_range(f, w + 2, 4);
	r->counts |= op == OP_TABLE;
}

/* ---- ports ---- */

static void
read_port(struct field *f, const uint32_t *w)
{
	uint16_t low, high;

	f->kind = FIELD_INTERVAL;
	f->neg = port_interval(w, &low, &high);
	f->low = port_value(low);
	f->high = port_value(high);
	if (low <= high)
		f->high = (struct value){ { f->high.w[0] |
		    (UINT64_MAX >> 16), UINT64_MAX } };
}

/* ---- rules ---- */

static void
read_head(struct row *r, const uint32_t *w)
{
	switch ((int)insn_op(*w)) {
	case OP_IFACE:
		r->iface = true;
		break;
	case OP_RDOMAIN:
		r->rdomain = true;
		break;
	case OP_AF:
		r->af = insn_a(*w);
		break;
	case OP_PROTO:
		r->proto = insn_a(*w);
		break;
	}
}

static void
read_rest(struct row *r, const uint32_t *w)
{
	enum op op = insn_op(*w);

	if (op != OP_ICMP && op != OP_QUERY) {
		r->check = CHECK_ALL;
		r->other = true;
		return;
	}
	if (r->check == CHECK_NONE)
		r->check = CHECK_ICMP;
}

static void
read_field(struct row *r, enum block_field field, const uint32_t *w,
    const uint32_t *next)
{
	struct field *f = &r->f[field];

	f->test = w;
	f->far = w + w[1] != next;
	if (field < F_SPORT)
		read_addr(r, f, w);
	else
		read_port(f, w);
	/* tables hold prefixes and intervals */
	if (f->neg || f->kind == FIELD_OTHER ||
	    (field < F_SPORT && !f->prefix))
		r->check = CHECK_ALL;
	if (field < F_SPORT && !f->prefix)
		r->other = true;
}

static bool
read_test(struct row *r, enum rank place, const uint32_t *w,
    const uint32_t *next)
{
	bool near = w + w[1] == next;

	switch (place) {
	case RANK_HEAD:
		read_head(r, w);
		return true;
	case RANK_SRC:
		read_field(r, F_SRC, w, next);
		return true;
	case RANK_DST:
		read_field(r, F_DST, w, next);
		return true;
	case RANK_SPORT:
	case RANK_DPORT:
		read_field(r, place == RANK_SPORT ? F_SPORT : F_DPORT, w,
		    next);
		return r->proto == PROTO_TCP || r->proto == PROTO_UDP;
	case RANK_WHOLE:
		return near;
	case RANK_FLAGS:
		r->flags = (uint8_t)insn_a(*w);
		r->flagset = (uint8_t)insn_b(*w);
		return near;
	case RANK_OS:
		r->os = r->other = true;
		r->check = CHECK_ALL;
		return near;
	case RANK_REST:
		read_rest(r, w);
		return near;
	case RANK_END:
	case RANK_NONE:
		break;
	}
	return false;
}

bool
row_read(struct row *r, const uint32_t *w, const uint32_t *next)
{
	enum rank last = RANK_HEAD, place;

	memset(r, 0, sizeof(*r));
	if (w + w[1] != next)
		return false;
	for (w += op_info[OP_RULE].length; (place = rank(w)) != RANK_END;
	    w += op_info[insn_op(*w)].length) {
		if (place < last || (place == last && place != RANK_HEAD &&
		    place != RANK_REST) || !read_test(r, place, w, next))
			return false;
		last = place;
	}
	r->quick = insn_a(*w) != 0;
	return w + op_info[OP_DECIDE].length == next;
}

#define MANY_PORTS	32768

enum likely
row_likely(const struct row *r, enum block_field field)
{
	const struct field *f = &r->f[field];

	if (field >= F_SPORT && r->os)
		return LIKELY_UNKNOWN;
	if (f->kind == FIELD_ANY)
		return LIKELY_FIT;
	if (f->kind == FIELD_OTHER)
		return LIKELY_UNKNOWN;
	if (f->neg)
		return LIKELY_FIT;
	return field >= F_SPORT && !value_less(&f->high, &f->low) &&
	    (f->high.w[0] - f->low.w[0]) >> 48 >= MANY_PORTS ?
	    LIKELY_FIT : LIKELY_MISFIT;
}
