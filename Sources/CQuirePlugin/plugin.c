// Compiles the header as plain C, and checks the sizes that libraries depend on.
#include "quire_plugin.h"

_Static_assert(sizeof(quire_request) == 128, "libraries depend on the layout");
_Static_assert(sizeof(quire_load) == 72, "libraries depend on the layout");
_Static_assert(sizeof(quire_settings) == 32, "libraries depend on the layout");
_Static_assert(sizeof(quire_message) == 256, "libraries depend on the layout");
