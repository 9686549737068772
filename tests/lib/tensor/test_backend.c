/* Backends by name, in a program without the cuda kernels. */
#include <string.h>

#include "lib/tensor/backend.h"
#include "tests/tap.h"

int main(void)
{
    static const char *const names[] = { "cuda", "cuda-bf16" };
    const char *why = NULL;
    ok(backend_find("ref", &why) == &backend_ref && !why, "ref is always there");
    ok(backend_find("auto", &why) && !why, "auto finds something");
    for (int i = 0; i < 2; i++)
        ok(!backend_find(names[i], &why) && why && strstr(why, "no CUDA kernels"),
           "%s is refused with the reason: %s", names[i], why ? why : "none");
    ok(!backend_find("cudo", &why) && why && strstr(why, "no such backend"),
       "a name that is none too");
    return tap_end();
}
