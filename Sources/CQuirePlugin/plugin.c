// The header is all there is; compiling it here holds it to plain C.
#include "quire_plugin.h"

_Static_assert(sizeof(quire_request) == 128, "the layout is a promise");
_Static_assert(sizeof(quire_load) == 72, "the layout is a promise");
_Static_assert(sizeof(quire_settings) == 32, "the layout is a promise");
_Static_assert(sizeof(quire_message) == 256, "the layout is a promise");
