model.o: tools/pfkit/cover/model.c tools/pfkit/cover/../../common/quote.h \
  include/pfkit/origin.h include/pfkit/image.h include/pfkit/alloc.h \
  include/pfkit/compile.h include/pfkit/host.h \
  tools/pfkit/cover/../pfkit.h tools/pfkit/cover/../../common/report.h \
  tools/pfkit/cover/model.h tools/pfkit/cover/data_int.h \
  tools/pfkit/cover/data.h include/pfkit/explain.h \
  include/pfkit/engine.h include/pfkit/reasons.def

tools/pfkit/cover/../../common/quote.h:

include/pfkit/origin.h:

include/pfkit/image.h:

include/pfkit/alloc.h:

include/pfkit/compile.h:

include/pfkit/host.h:

tools/pfkit/cover/../pfkit.h:

tools/pfkit/cover/../../common/report.h:

tools/pfkit/cover/model.h:

tools/pfkit/cover/data_int.h:

tools/pfkit/cover/data.h:

include/pfkit/explain.h:

include/pfkit/engine.h:

include/pfkit/reasons.def:
