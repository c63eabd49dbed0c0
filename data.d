data.o: tools/pfkit/cover/data.c tools/pfkit/cover/../pfkit.h \
  tools/pfkit/cover/../../common/report.h tools/pfkit/cover/data_int.h \
  tools/pfkit/cover/data.h include/pfkit/explain.h \
  include/pfkit/engine.h include/pfkit/alloc.h include/pfkit/host.h \
  include/pfkit/image.h include/pfkit/compile.h \
  include/pfkit/reasons.def include/pfkit/origin.h

tools/pfkit/cover/../pfkit.h:

tools/pfkit/cover/../../common/report.h:

tools/pfkit/cover/data_int.h:

tools/pfkit/cover/data.h:

include/pfkit/explain.h:

include/pfkit/engine.h:

include/pfkit/alloc.h:

include/pfkit/host.h:

include/pfkit/image.h:

include/pfkit/compile.h:

include/pfkit/reasons.def:

include/pfkit/origin.h:
