/* lib/io/torch and lib/io/weights: whatever the bytes, they are refused with a sentence, or the
 * tree can be walked; and a state dict that was read is written and read again as the same. Sums of
 * zip members are not compared in this build (lib/io/zip.c). */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/io/weights.h"
#include "tests/fuzz/pickle_fuzz.h"

static void same(const struct st_file *a, const struct st_file *b)
{
    if (a->n != b->n)
        abort();
    for (size_t i = 0; i < a->n; i++) {
        const struct st_tensor *x = &a->tensor[i], *y = &b->tensor[i];
        if (strcmp(x->name, y->name) != 0 || x->type != y->type || x->n_dims != y->n_dims ||
            x->n_bytes != y->n_bytes || memcmp(x->data, y->data, x->n_bytes) != 0)
            abort();
    }
}

/* Shapes and numbers survive; a type that is not written is none that was read. */
static void write_and_read(const struct st_file *f)
{
    char path[64];
    struct weights again;
    struct err e = { 0 };
    snprintf(path, sizeof path, "/tmp/gc-fuzz-%ld-torch.bin", (long)getpid());
    if (torch_write(path, f->tensor, f->n, &e) || weights_open(&again, path, &e))
        abort();
    same(f, &again.st);
    weights_close(&again);
    unlink(path);
}

static void as_weights(const uint8_t *data, size_t size)
{
    struct weights w;
    struct err e = { 0 };
    uint64_t n_bytes = 0;
    if (weights_view_torch(&w, data, size, &e)) {
        if (w.st.tensor || w.copy || w.torch.pickle.made || !e.text[0])
            abort();
        return;
    }
    for (size_t i = 0; i < w.st.n; i++)
        n_bytes += w.st.tensor[i].n_bytes;
    if (n_bytes < 1 << 20 && w.st.n < 256)
        write_and_read(&w.st);
    weights_close(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct torch_file f;
    struct err e = { 0 };
    if (torch_view(&f, data, size, &e)) {
        if (f.pickle.made || f.zip.member || !e.text[0])
            abort();
        return 0;
    }
    check_tree(&f.pickle.root, size);
    torch_close(&f);
    as_weights(data, size);
    return 0;
}
