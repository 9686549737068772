/* Ranks that have come apart: a checkpoint is written only when all have the same weights. */
#include "lib/app/pretrain.h"

#include <signal.h>
#include <string.h>

#include "lib/base/file.h"
#include "tests/lib/nn/ranks.h"
#include "tests/lib/nn/tiny.h"

struct place {
    char *out;
    int odd; /* the rank whose weights differ in one bit, -1: none */
};

/* 0 when saving ended as it must. */
static int save_on_rank(struct dist *d, void *ctx)
{
    const struct place *at = ctx;
    struct pretrain_options o = pretrain_defaults();
    struct pretrain p = { .o = &o, .dist = d, .lock = -1 };
    struct err e = { 0 };
    char want[64] = "";
    o.out = at->out;
    const struct model_config c = tiny();
    if (model_init(&p.model, &c, &backend_ref, true, 0, &e))
        return 1;
    model_randomise(&p.model, 3);
    if (d->rank == at->odd)
        ((unsigned char *)p.model.params.x)[100] ^= 1;
    const enum rc rc = pretrain_save(&p, 1, &e);
    if (at->odd >= 0 && d->rank == 0)
        snprintf(want, sizeof want, "rank %d: its weights are not those of rank 0", at->odd);
    const bool right = rc == (at->odd < 0 ? RC_OK : RC_CHECK) &&
                       strncmp(e.text, want, strlen(want)) == 0 && (d->rank == 0 || !*e.text);
    model_release(&p.model);
    return !right;
}

int main(void)
{
    char folder[] = "/tmp/gc-pretrain-XXXXXX";
    signal(SIGPIPE, SIG_IGN);
    if (!ok(mkdtemp(folder) != NULL, "a folder for checkpoints"))
        return tap_end();
    struct place at = { text_new("%s/a", folder), -1 };
    struct place odd = { text_new("%s/b", folder), 2 };
    char *good = text_new("%s/step-1/state.h5", at.out), *bad = text_new("%s/step-1", odd.out);
    ok(folder_make(at.out, NULL) == RC_OK && ranks_run(3, save_on_rank, &at) == 0,
       "three ranks of the same weights save");
    ok(file_exists(good), "one checkpoint");
    ok(folder_make(odd.out, NULL) == RC_OK && ranks_run(3, save_on_rank, &odd) == 0,
       "one bit of one weight on one rank: all end, and rank 0 says whose it is");
    ok(!folder_exists(bad), "without a checkpoint");
    free(good);
    free(bad);
    free(at.out);
    free(odd.out);
    char *clean = text_new("rm -rf %s", folder);
    ok(clean && system(clean) == 0, "the folder is removed");
    free(clean);
    return tap_end();
}
