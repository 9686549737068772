/* lib/app/grn_read: lists of targets, lists of genes and effects of any bytes are refused with a
 * sentence, or hold genes of the vocabulary only. */
#include <sys/stat.h>

#include "lib/app/grn_parts.h"
#include "lib/base/file.h"
#include "tests/fuzz/fuzz_file.h"

static void check_list(const char *arg, bool links, const struct grn_genes *g)
{
    struct grn_list l;
    struct err e = { 0 };
    size_t left;
    if (grn_list_read(&l, arg, links, links ? "AB" : NULL, g, &left, &e)) {
        if (!e.text[0])
            abort();
    } else {
        for (size_t i = 0; i < l.n; i++)
            if (l.link[i].target >= g->id.n || (links && l.link[i].class >= l.class.n))
                abort();
    }
    grn_list_release(&l);
}

/* The bytes as effects.tsv of a run that deleted TP53 and A. */
static void check_effects(const char *path, const struct grn_genes *g)
{
    struct grn_method m[2];
    struct err e = { 0 };
    char *folder = text_new("%s.d", path), *arg = text_new("x=%s.d", path);
    char *effects = text_new("%s.d/effects.tsv", path),
         *names = text_new("%s.d/predictions.tsv", path);
    FILE *f = NULL;
    if (!folder || !arg || !effects || !names || mkdir(folder, 0700) || !(f = fopen(names, "w")) ||
        fputs("perturbation\tgenes\nTP53\tENS0\nA\tENS1\n", f) < 0 || fclose(f) ||
        rename(path, effects))
        abort();
    if (grn_effects_read(m, arg, g, &e) && !e.text[0])
        abort();
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < m[k].n; i++)
            for (size_t j = 0; j < m[k].of[i].n; j++)
                if (m[k].of[i].gene[j] >= g->id.n)
                    abort();
        grn_method_release(&m[k]);
    }
    unlink(effects);
    unlink(names);
    rmdir(folder);
    free(folder);
    free(arg);
    free(effects);
    free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const name[] = { "TP53", "A", "ACTB" };
    struct grn_genes g = { 0 };
    struct err e = { 0 };
    names_init(&g.id);
    arena_init(&g.text, 1 << 10);
    map_init(&g.by_name);
    for (uint32_t i = 0, k; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "ENS%u", i);
        if (names_add(&g.id, id, &k, &e) || map_add(&g.by_name, id, k, NULL, &e) ||
            map_add(&g.by_name, name[i], k, NULL, &e))
            abort();
    }
    const char *path = fuzz_file("grn", data, size);
    char arg[160];
    snprintf(arg, sizeof arg, "t=%s", path);
    check_list(arg, true, &g);
    check_list(arg, false, &g);
    check_effects(path, &g);
    grn_genes_release(&g);
    return 0;
}
