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
    ok(backend_find_dtype("cpu", "f32", &why) == backend_find("cpu", &why), "products in f32");
    const struct backend *best = backend_find("cpu-bf16", &why), *cpu = backend_find("cpu", &why);
    const struct backend *wished = backend_find_dtype("cpu", "bf16", &why);
    if (best)
        ok(wished == best && !why, "in bf16 where the processor has them: %s", best->isa);
    else
        ok(wished == cpu && (!cpu || (why && strstr(why, "in f32"))),
           "bf16 that is not there is f32, and that is said");
    const struct backend *chosen = backend_find_dtype("cpu", "auto", &why);
    ok(chosen == (best == &backend_amx ? best : cpu) && (!chosen || !why),
       "auto takes bf16 for AMX alone");
    ok(backend_find_dtype("ref", "bf16", &why) == &backend_ref, "who names ref gets ref");
    return tap_end();
}
