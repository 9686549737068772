/* The text of the paper beside results that have one number: whatever the bytes of main.tex, it is
 * refused with a sentence, or numbers.tex has what it uses. */
#define _XOPEN_SOURCE 700
#include "tests/fuzz/fuzz_file.h"

#include <string.h>

#include "lib/report/paper.h"

static enum rc versus(const struct chain *c, const char *stage, const char *metric, const char *a,
                      const char *b, char *words, size_t room, struct err *e)
{
    (void)c, (void)stage, (void)metric, (void)a, (void)b, (void)e;
    snprintf(words, room, "above");
    return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char folder[64] = "/tmp/gc-fuzz-paper-XXXXXX", path[96];
    static bool made;
    if (!made && !mkdtemp(folder))
        abort();
    made = true;
    snprintf(path, sizeof path, "%s/main.tex", folder);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
    struct chain c = { .root = folder };
    map_init(&c.stage_at);
    map_init(&c.file_at);
    struct facts x;
    struct err e = { 0 };
    if (facts_read(&x, &c, &e) || facts_add_tex(&x, "gcA", "1", "a:1 b", &e))
        abort();
    struct paper p = { .f = &x, .folder = folder, .versus = versus };
    if (paper_read(&p, &e) ? !e.text[0] : !p.out.s)
        abort();
    paper_release(&p);
    facts_release(&x);
    map_release(&c.stage_at);
    map_release(&c.file_at);
    unlink(path);
    return 0;
}
