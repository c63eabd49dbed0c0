onward.o: compiler/exact/onward.c compiler/exact/exact_int.h \
  include/pfkit/exact.h include/pfkit/host.h include/pfkit/alloc.h \
  include/pfkit/image.h include/pfkit/compile.h base/addr.h base/vec.h \
  base/arena.h compiler/exact/dd.h runtime/bytecode.h runtime/ops.def \
  runtime/image.h base/timeouts.def

compiler/exact/exact_int.h:

include/pfkit/exact.h:

include/pfkit/host.h:

include/pfkit/alloc.h:

include/pfkit/image.h:

include/pfkit/compile.h:

base/addr.h:

base/vec.h:

base/arena.h:

compiler/exact/dd.h:

runtime/bytecode.h:

runtime/ops.def:

runtime/image.h:

base/timeouts.def:
