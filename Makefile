# pfkit: the whole build.  `make` builds programs and libraries into build/;
# README.md names the other targets.
CC ?=		cc
FLEX ?=		flex
BISON ?=	bison
BUILD ?=	build
CFLAGS ?=	-O2 -g
WARN =		-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
		-Wmissing-prototypes -Wconversion -Wswitch-enum -Wvla
ALL_CFLAGS =	-std=c11 -D_GNU_SOURCE -I. -Iinclude -I$(BUILD)/gen \
		-MMD -MP $(WARN) $(CFLAGS) $(SANITIZE)
ALL_LDFLAGS =	$(LDFLAGS) $(SANITIZE)

GEN =		$(patsubst %.y,$(BUILD)/gen/%.tab.c,$(wildcard grammar/*.y)) \
		$(patsubst %.l,$(BUILD)/gen/%.yy.c,$(wildcard grammar/*.l))
srcs =		$(wildcard $(1)/*.c $(1)/*/*.c)
obj =		$(patsubst %.c,$(BUILD)/obj/%.o,$(1))

RT_OBJ =	$(call obj,$(call srcs,base) $(call srcs,runtime))
FRONT_OBJ =	$(call obj,$(call srcs,parser) $(call srcs,compiler)) \
		$(patsubst $(BUILD)/gen/%.c,$(BUILD)/obj/gen/%.o,$(GEN))
LIB =		$(BUILD)/lib/libpfkit.a
LIB_RT =	$(BUILD)/lib/libpfkit-rt.a
PFCTL_OBJ =	$(call obj,$(call srcs,tools/pfctl))
PFKIT_OBJ =	$(call obj,$(call srcs,tools/pfkit))

all: $(BUILD)/bin/pfctl $(BUILD)/bin/pfkit

$(BUILD)/bin/pfctl: $(PFCTL_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(PFCTL_OBJ) $(LIB) -lm
$(BUILD)/bin/pfkit: $(PFKIT_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $(PFKIT_OBJ) $(LIB) -lpcap -lm
$(LIB): $(RT_OBJ) $(FRONT_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^
$(LIB_RT): $(RT_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<
# What flex and bison write is not held to our warnings.
$(BUILD)/obj/gen/%.o: $(BUILD)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wno-conversion -Wno-error -w -c -o $@ $<
$(BUILD)/gen/grammar/%.tab.c: grammar/%.y
	@mkdir -p $(@D)
	$(BISON) -Werror -Wno-yacc --defines=$(BUILD)/gen/grammar/$*.tab.h -o $@ $<
$(BUILD)/gen/grammar/%.yy.c: grammar/%.l $(BUILD)/gen/grammar/%.tab.c
	@mkdir -p $(@D)
	$(FLEX) --header-file=$(BUILD)/gen/grammar/$*.yy.h -o $@ $<
$(call obj,$(call srcs,parser)): | $(GEN)

objects: $(RT_OBJ) $(FRONT_OBJ) $(PFCTL_OBJ) $(PFKIT_OBJ)

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
.PHONY: all objects clean
.SECONDARY:
