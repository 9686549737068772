/* lib/io/arrow and lib/io/dataset: whatever the bytes, a stream is refused with a reason, or every
 * row of every column can be read; and a dataset's rows keep their promises. */
#include <string.h>

#include "lib/io/dataset.h"
#include "tests/fuzz/fuzz.h"

static volatile double sink;

static enum rc look(void *ctx, const struct dataset_cell *d, struct err *e)
{
    (void)ctx, (void)e;
    for (uint32_t i = 0; i < d->cell.n; i++) {
        if (d->cell.token[i] < 2)
            abort();
        sink += d->cell.value[i];
    }
    if (d->cell.species > 1)
        abort();
    sink += d->label ? (double)strlen(d->label) : 0;
    return RC_OK;
}

static void read_all(const struct arrow_column *c)
{
    uint64_t first, n;
    size_t n_text;
    for (uint64_t row = 0; row < c->n_rows; row++) {
        arrow_row(c, row, &first, &n);
        if (c->field->type == ARROW_TEXT) {
            const char *text = arrow_text(c, row, &n_text);
            for (size_t i = 0; i < n_text; i++)
                sink += text[i];
            continue;
        }
        for (uint64_t i = 0; i < n; i++)
            sink += arrow_f64(c, first + i) + (c->field->type == ARROW_FLOAT
                                                   ? 0
                                                   : (double)arrow_i64(c, first + i));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arrow_file f;
    struct err e = { 0 };
    if (arrow_view(&f, data, size, &e)) {
        if (f.n_fields || f.field || f.batch || !e.text[0])
            abort(); /* a refusal leaves nothing and says why */
        return 0;
    }
    struct arrow_column *c = calloc(f.n_fields + 1, sizeof *c);
    for (size_t b = 0; c && b < f.n_batches; b++)
        if (!arrow_batch(&f, b, c, &e))
            for (size_t i = 0; i < f.n_fields; i++)
                /* A column of no bytes may claim any number of rows: not gone through. */
                if (c[i].n_rows <= size)
                    read_all(&c[i]);
    free(c);
    size_t row = 0;
    e = (struct err){ 0 };
    if (dataset_each(&f, &row, look, NULL, &e) && !e.text[0])
        abort();
    arrow_close(&f);
    return 0;
}
