outcome.o: compiler/exact/outcome.c base/strbuf.h base/arena.h \
  include/pfkit/alloc.h compiler/exact/exact_int.h include/pfkit/exact.h \
  include/pfkit/host.h include/pfkit/image.h include/pfkit/compile.h \
  base/addr.h base/vec.h compiler/exact/dd.h runtime/bytecode.h \
  runtime/ops.def runtime/image.h base/timeouts.def

base/strbuf.h:

base/arena.h:

include/pfkit/alloc.h:

compiler/exact/exact_int.h:

include/pfkit/exact.h:

include/pfkit/host.h:

include/pfkit/image.h:

include/pfkit/compile.h:

base/addr.h:

base/vec.h:

compiler/exact/dd.h:

runtime/bytecode.h:

runtime/ops.def:

runtime/image.h:

base/timeouts.def:
