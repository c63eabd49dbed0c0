redundant.o: tools/pfkit/lint/redundant.c tools/pfkit/lint/../pfkit.h \
  tools/pfkit/lint/../../common/report.h tools/pfkit/lint/lint.h \
  include/pfkit/exact.h include/pfkit/host.h include/pfkit/alloc.h \
  include/pfkit/image.h include/pfkit/compile.h include/pfkit/origin.h \
  tools/pfkit/lint/../../common/quote.h tools/pfkit/lint/../replay/out.h \
  tools/pfkit/lint/../ruleset.h \
  tools/pfkit/lint/../../common/diagnostics.h \
  tools/pfkit/lint/../../common/host_options.h \
  tools/pfkit/lint/codes.def

tools/pfkit/lint/../pfkit.h:

tools/pfkit/lint/../../common/report.h:

tools/pfkit/lint/lint.h:

include/pfkit/exact.h:

include/pfkit/host.h:

include/pfkit/alloc.h:

include/pfkit/image.h:

include/pfkit/compile.h:

include/pfkit/origin.h:

tools/pfkit/lint/../../common/quote.h:

tools/pfkit/lint/../replay/out.h:

tools/pfkit/lint/../ruleset.h:

tools/pfkit/lint/../../common/diagnostics.h:

tools/pfkit/lint/../../common/host_options.h:

tools/pfkit/lint/codes.def:
