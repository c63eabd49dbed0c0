test_exact.o: tests/unit/test_exact.c include/pfkit/exact.h \
  include/pfkit/host.h include/pfkit/alloc.h include/pfkit/image.h \
  include/pfkit/compile.h tests/unit/../../tools/pfkit/trace/trace.h \
  include/pfkit/explain.h include/pfkit/engine.h \
  include/pfkit/reasons.def \
  tests/unit/../../tools/pfkit/trace/../../common/quote.h \
  include/pfkit/origin.h \
  tests/unit/../../tools/pfkit/trace/../cover/data.h \
  tests/unit/../../tools/pfkit/trace/../replay/inputs.h \
  tests/unit/../../tools/pfkit/trace/../replay/capture.h \
  tests/unit/../../tools/pfkit/trace/../replay/stream.h \
  tests/unit/../../tools/pfkit/trace/../replay/options.h \
  tests/unit/../../tools/pfkit/trace/../replay/../ruleset.h \
  tests/unit/../../tools/pfkit/trace/../replay/../../common/diagnostics.h \
  tests/unit/../../tools/pfkit/trace/../replay/../../common/host_options.h \
  tests/unit/../../tools/pfkit/trace/../replay/out.h \
  tests/unit/../../tools/pfkit/trace/../replay/replay.h \
  tests/unit/../../tools/pfkit/trace/../ruleset.h \
  tests/unit/engine_kit.h

include/pfkit/exact.h:

include/pfkit/host.h:

include/pfkit/alloc.h:

include/pfkit/image.h:

include/pfkit/compile.h:

tests/unit/../../tools/pfkit/trace/trace.h:

include/pfkit/explain.h:

include/pfkit/engine.h:

include/pfkit/reasons.def:

tests/unit/../../tools/pfkit/trace/../../common/quote.h:

include/pfkit/origin.h:

tests/unit/../../tools/pfkit/trace/../cover/data.h:

tests/unit/../../tools/pfkit/trace/../replay/inputs.h:

tests/unit/../../tools/pfkit/trace/../replay/capture.h:

tests/unit/../../tools/pfkit/trace/../replay/stream.h:

tests/unit/../../tools/pfkit/trace/../replay/options.h:

tests/unit/../../tools/pfkit/trace/../replay/../ruleset.h:

tests/unit/../../tools/pfkit/trace/../replay/../../common/diagnostics.h:

tests/unit/../../tools/pfkit/trace/../replay/../../common/host_options.h:

tests/unit/../../tools/pfkit/trace/../replay/out.h:

tests/unit/../../tools/pfkit/trace/../replay/replay.h:

tests/unit/../../tools/pfkit/trace/../ruleset.h:

tests/unit/engine_kit.h:
