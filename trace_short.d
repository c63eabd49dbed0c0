trace_short.o: tools/pfkit/trace/trace_short.c \
  tools/pfkit/trace/../pfkit.h tools/pfkit/trace/../../common/report.h \
  tools/pfkit/trace/../replay/text.h include/pfkit/engine.h \
  include/pfkit/alloc.h include/pfkit/host.h include/pfkit/image.h \
  include/pfkit/compile.h include/pfkit/reasons.def \
  tools/pfkit/trace/../replay/out.h tools/pfkit/trace/trace.h \
  include/pfkit/explain.h tools/pfkit/trace/../../common/quote.h \
  include/pfkit/origin.h tools/pfkit/trace/../cover/data.h \
  tools/pfkit/trace/../replay/inputs.h \
  tools/pfkit/trace/../replay/capture.h \
  tools/pfkit/trace/../replay/stream.h \
  tools/pfkit/trace/../replay/options.h \
  tools/pfkit/trace/../replay/../ruleset.h \
  tools/pfkit/trace/../../common/diagnostics.h \
  tools/pfkit/trace/../../common/host_options.h \
  tools/pfkit/trace/../replay/replay.h tools/pfkit/trace/../ruleset.h

tools/pfkit/trace/../pfkit.h:

tools/pfkit/trace/../../common/report.h:

tools/pfkit/trace/../replay/text.h:

include/pfkit/engine.h:

include/pfkit/alloc.h:

include/pfkit/host.h:

include/pfkit/image.h:

include/pfkit/compile.h:

include/pfkit/reasons.def:

tools/pfkit/trace/../replay/out.h:

tools/pfkit/trace/trace.h:

include/pfkit/explain.h:

tools/pfkit/trace/../../common/quote.h:

include/pfkit/origin.h:

tools/pfkit/trace/../cover/data.h:

tools/pfkit/trace/../replay/inputs.h:

tools/pfkit/trace/../replay/capture.h:

tools/pfkit/trace/../replay/stream.h:

tools/pfkit/trace/../replay/options.h:

tools/pfkit/trace/../replay/../ruleset.h:

tools/pfkit/trace/../../common/diagnostics.h:

tools/pfkit/trace/../../common/host_options.h:

tools/pfkit/trace/../replay/replay.h:

tools/pfkit/trace/../ruleset.h:
