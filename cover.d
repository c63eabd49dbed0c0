cover.o: tools/pfkit/cover/cover.c tools/pfkit/cover/../pfkit.h \
  tools/pfkit/cover/../../common/report.h tools/pfkit/cover/../ruleset.h \
  include/pfkit/compile.h include/pfkit/alloc.h include/pfkit/host.h \
  include/pfkit/image.h tools/pfkit/cover/../../common/diagnostics.h \
  tools/pfkit/cover/../../common/host_options.h \
  tools/pfkit/cover/model.h tools/pfkit/cover/data_int.h \
  tools/pfkit/cover/data.h include/pfkit/explain.h \
  include/pfkit/engine.h include/pfkit/reasons.def \
  include/pfkit/origin.h

tools/pfkit/cover/../pfkit.h:

tools/pfkit/cover/../../common/report.h:

tools/pfkit/cover/../ruleset.h:

include/pfkit/compile.h:

include/pfkit/alloc.h:

include/pfkit/host.h:

include/pfkit/image.h:

tools/pfkit/cover/../../common/diagnostics.h:

tools/pfkit/cover/../../common/host_options.h:

tools/pfkit/cover/model.h:

tools/pfkit/cover/data_int.h:

tools/pfkit/cover/data.h:

include/pfkit/explain.h:

include/pfkit/engine.h:

include/pfkit/reasons.def:

include/pfkit/origin.h:
