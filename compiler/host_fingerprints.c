/*
 * The fingerprints that pfkit ships, for `os "..."` where no pf.os is given.
 */
#include "compiler/host_impl.h"

const char host_default_fingerprints[] =
#include "compiler/pf_os.def"
    ;
