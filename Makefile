# pfkit: the whole build (GNU make).
#
#	make			programs and libraries, into build/
#	make demo		what is missing is installed, the example shown
#	make check		the same, then every test, plain and sanitized
#	make check-fast		unit tests and golden cases, plain only
#	make clang, musl	the code as another compiler, another libc sees it
#	make fuzz		10 million packets through every way of rulesets
#				(tests/agree), 60 CPU seconds of each fuzzer
#	make bench		what a packet, a rule, a state cost (QUICK=1:
#				in a minute); bench/README.md
#	make install		PREFIX=/usr/local DESTDIR=
#
# BUILD, CC, CFLAGS and SANITIZE may be set: each build has a folder of its
# own, so `make BUILD=build/asan SANITIZE=-fsanitize=address` stands beside
# the usual one.
CC ?=		cc
FLEX ?=		flex
BISON ?=	bison
CLANG ?=	clang
MUSL ?=		musl-gcc
BUILD ?=	build
PREFIX ?=	/usr/local
MANDIR ?=	$(PREFIX)/share/man
CFLAGS ?=	-O2 -g
WARN =		-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
		-Wmissing-prototypes -Wconversion -Wswitch-enum -Wvla \
		$(if $(SANITIZE),-Wno-unknown-warning-option -Wno-conversion \
		-Wno-format-truncation)
# _DEFAULT_SOURCE: POSIX and the BSD types, where -std=c11 hides them.
ALL_CFLAGS =	-std=c11 -D_DEFAULT_SOURCE $(FEATURES) -I. -Iinclude \
		-I$(BUILD)/gen -MMD -MP $(WARN) $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS =	$(LDFLAGS) $(SANITIZE)

# Whether a program that includes $(1) and calls $(3) links with $(2).
HASH :=		\#
works =		$(shell { printf '$(HASH)include <%s>\n' stdarg.h stdint.h \
		setjmp.h sys/types.h $(1); echo 'int main(void) { $(3); }'; } | \
		$(CC) -x c -o /dev/null - $(2) 2>/dev/null && echo yes)
# Compressed captures are read where the libraries are there.
ifneq ($(MAKECMDGOALS),clean)
HAVE_ZLIB :=	$(call works,zlib.h,-lz,zlibVersion())
HAVE_ZSTD :=	$(call works,zstd.h,-lzstd,ZSTD_versionNumber())
HAVE_THREADS :=	$(call works,pthread.h,-lpthread,pthread_self())
endif
# Exact analysis (test, lint, diff) where there are decision diagrams.
ifneq ($(MAKECMDGOALS),clean)
HAVE_BDD :=	$(call works,bdd.h,-lbdd,bdd_isrunning())
endif
FEATURES =	$(if $(HAVE_ZLIB),-DHAVE_ZLIB) $(if $(HAVE_ZSTD),-DHAVE_ZSTD) \
		$(if $(HAVE_THREADS),-DHAVE_THREADS) \
		$(if $(HAVE_BDD),-DHAVE_BDD)
EXACT_LIBS =	$(if $(HAVE_BDD),-lbdd)
CAPTURE_LIBS =	$(if $(HAVE_ZLIB),-lz) $(if $(HAVE_ZSTD),-lzstd) \
		$(if $(HAVE_THREADS),-lpthread)

GEN =		$(patsubst %.y,$(BUILD)/gen/%.tab.c,$(wildcard grammar/*.y)) \
		$(patsubst %.l,$(BUILD)/gen/%.yy.c,$(wildcard grammar/*.l))
srcs =		$(wildcard $(1)/*.c $(1)/*/*.c)
obj =		$(patsubst %.c,$(BUILD)/obj/%.o,$(1))

RT_OBJ =	$(call obj,$(call srcs,base) $(call srcs,runtime))
FRONT_OBJ =	$(call obj,$(call srcs,parser) $(wildcard compiler/*.c)) \
		$(patsubst $(BUILD)/gen/%.c,$(BUILD)/obj/gen/%.o,$(GEN))
EXACT_OBJ =	$(call obj,$(wildcard compiler/exact/*.c))
LIB =		$(BUILD)/lib/libpfkit.a
LIB_EXACT =	$(BUILD)/lib/libpfkit-exact.a
LIB_RT =	$(BUILD)/lib/libpfkit-rt.a
TOOL_OBJ =	$(call obj,$(call srcs,tools/common))
PFCTL_OBJ =	$(call obj,$(call srcs,tools/pfctl)) $(TOOL_OBJ)
PFKIT_OBJ =	$(call obj,$(call srcs,tools/pfkit)) $(TOOL_OBJ)
BINS =		$(BUILD)/bin/pfctl $(BUILD)/bin/pfkit

all: $(BINS) libs
libs: $(LIB) $(LIB_RT) $(LIB_EXACT)
objects: $(RT_OBJ) $(FRONT_OBJ) $(EXACT_OBJ) $(PFCTL_OBJ) $(PFKIT_OBJ)

$(BUILD)/bin/pfctl: $(PFCTL_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(PFCTL_OBJ) $(LIB) -lm
$(BUILD)/bin/pfkit: $(PFKIT_OBJ) $(LIB_EXACT) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(PFKIT_OBJ) $(LIB_EXACT) $(LIB) $(CAPTURE_LIBS) \
		$(EXACT_LIBS) -lm
$(LIB): $(RT_OBJ) $(FRONT_OBJ)
$(LIB_RT): $(RT_OBJ)
$(LIB_EXACT): $(EXACT_OBJ)
$(LIB) $(LIB_RT) $(LIB_EXACT):
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
# What flex and bison write is not held to our warnings.
$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wno-error -w -c -o $@ $<
$(BUILD)/gen/grammar/%.tab.c: grammar/%.y
	@mkdir -p $(@D)
	$(BISON) -Werror -Wno-yacc --defines=$(BUILD)/gen/grammar/$*.tab.h -o $@ $<
$(BUILD)/gen/grammar/%.yy.c: grammar/%.l $(BUILD)/gen/grammar/%.tab.c
	@mkdir -p $(@D)
	$(FLEX) --header-file=$(BUILD)/gen/grammar/$*.yy.h -o $@ $<
$(call obj,$(call srcs,parser)): | $(GEN)

# Tests.  A unit test is a program; so is each fuzzer, with libFuzzer or with
# a driver of our own.
UNIT =		$(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
FUZZERS =	$(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
GOLDEN =	$(BUILD)/tests/golden/run
MKPCAP =	$(BUILD)/tests/captures/mkpcap
EXAMPLES =	$(patsubst %.c,$(BUILD)/%,$(wildcard examples/*.c))
# Probed once, when it is first wanted.
CHECK_PROBE =	srunner_run_all(0, CK_ENV)
CHECK_LIBS =	$(eval CHECK_LIBS := $$(subst @, ,$$(firstword $$(foreach l,\
		-lcheck@-lm@-lpthread -lcheck@-lsubunit@-lrt@-lm@-lpthread,\
		$$(if $$(call works,check.h,$$(subst @, ,$$l),$$(CHECK_PROBE)),\
		$$l)))))$(CHECK_LIBS)
FUZZ_DRIVER =	$(BUILD)/obj/tests/fuzz/standalone.o
FUZZ_LINK =

AGREE =		$(BUILD)/tests/agree/agree

tests: $(UNIT) $(GOLDEN) $(MKPCAP) $(EXAMPLES) $(AGREE) $(BUILD)/bench/pfctl
fuzzers: $(FUZZERS) $(BUILD)/tests/fuzz/dictionary
# The rooms of tools/pfkit, for tests of them.
TOOL_LIB =	$(BUILD)/tests/libtool.a
$(TOOL_LIB): $(filter-out %/main.o,$(PFKIT_OBJ))
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^
$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(TOOL_LIB) \
		$(LIB_EXACT) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CAPTURE_LIBS) $(EXACT_LIBS) $(CHECK_LIBS)
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o \
		$(FUZZ_DRIVER) $(TOOL_LIB) $(LIB_EXACT) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(FUZZ_LINK) -o $@ $^ $(CAPTURE_LIBS) $(EXACT_LIBS) -lm
$(BUILD)/tests/fuzz/fuzz_engine: $(BUILD)/obj/tests/captures/packet.o
$(BUILD)/tests/fuzz/dictionary: $(wildcard grammar/keywords.def)
	@mkdir -p $(@D)
	cat $^ /dev/null | tests/fuzz/dictionary.sh >$@
$(GOLDEN): $(call obj,tests/golden/run.c tests/golden/case.c)
$(MKPCAP): $(call obj,$(wildcard tests/captures/*.c))
$(GOLDEN) $(MKPCAP):
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^
# Whether all ways through rulesets agree: tests/agree/agree.h.
$(AGREE): $(call obj,$(wildcard tests/agree/*.c) tests/captures/packet.c \
		bench/rules.c bench/packets.c bench/report.c) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lm
# By hand, when ops.def has changed; a test sees whether it is fresh.
docs/BYTECODE.md: $(BUILD)/tests/unit/test_bytecode_doc
	$< write >$@
BENCH =		$(addprefix $(BUILD)/bench/,pfctl engine pcap)
$(BUILD)/bench/engine: $(call obj,$(filter-out bench/pfctl.c bench/pcap.c \
		bench/capture.c bench/between.c,$(wildcard bench/*.c))) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lpcap -lm
$(BUILD)/bench/pcap: $(call obj,bench/pcap.c bench/capture.c bench/loop.c \
		bench/between.c bench/report.c)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lpcap -lpthread
$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^
$(BUILD)/examples/%: $(BUILD)/obj/examples/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lpcap -lm

demo:
	@tests/deps.sh build
	@$(MAKE) -s -j$$(getconf _NPROCESSORS_ONLN || echo 2) all $(MKPCAP)
	@BUILD=$(BUILD) examples/demo
check:
	@tests/deps.sh check
	@BUILD=$(BUILD) MAKE="$(MAKE)" tests/check.sh
check-fast: all tests
	@BUILD=$(BUILD) MAKE="$(MAKE)" tests/check.sh fast
layering:
	@tests/layering.sh
fuzz: $(AGREE) $(GOLDEN) $(MKPCAP) $(BUILD)/tests/unit/test_exact
	@tests/agree/run $(BUILD) $(AGREE) 10000000
	@BUILD=$(BUILD) MAKE="$(MAKE)" tests/fuzz/run.sh 60
	@$(MAKE) -s all
	@tests/test/agree $(BUILD)/bin/pfkit 1000 300
	@tests/exact/run $(BUILD)/tests/unit/test_exact 1000000
bench: all $(BENCH)
	@BUILD=$(BUILD) QUICK=$(QUICK) bench/run
# Other compilers, other C libraries.
clang:
	+@$(MAKE) -s BUILD=$(BUILD)/clang CC="$(CLANG)" all
musl:
	+@$(MAKE) -s BUILD=$(BUILD)/musl CC="$(MUSL)" all

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib \
	    $(DESTDIR)$(PREFIX)/include/pfkit $(DESTDIR)$(MANDIR)/man1
	install -m 755 $(BINS) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(LIB) $(LIB_RT) $(LIB_EXACT) $(DESTDIR)$(PREFIX)/lib
	install -m 644 $(wildcard include/pfkit/*) \
	    $(DESTDIR)$(PREFIX)/include/pfkit
	install -m 644 docs/pfctl.1 docs/pfkit.1 $(DESTDIR)$(MANDIR)/man1

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: all bench check check-fast clang clean demo fuzz fuzzers install \
	layering libs musl objects tests
.SECONDARY:
