/* lib/app/dnabert_file: whatever config.json says beside good weights, the model is refused with a
 * sentence or has the sizes of its weights. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/app/dnabert_file.h"
#include "lib/data/kmer.h"

static char folder[] = "/tmp/gc-fuzz-XXXXXX", config[64], weights[64];

static void leave(void)
{
    unlink(config);
    unlink(weights);
    rmdir(folder);
}

static void make_weights(void)
{
    struct dnabert m;
    struct err e = { 0 };
    struct dnabert_config c = dnabert_config_small();
    c.k = 1;
    c.n_tokens = kmer_n_tokens(1);
    c.n_layers = 1;
    c.n_heads = 1;
    c.d = c.ffn = 4;
    c.max_positions = 8;
    if (!mkdtemp(folder) || atexit(leave))
        abort();
    snprintf(config, sizeof config, "%s/config.json", folder);
    snprintf(weights, sizeof weights, "%s/model.safetensors", folder);
    if (dnabert_init(&m, &c, &backend_ref, false, &e) || dnabert_save(&m, folder, "small", &e))
        abort();
    dnabert_release(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dnabert m;
    struct err e = { 0 };
    char label[DNABERT_LABEL] = "";
    if (!*config)
        make_weights();
    FILE *f = fopen(config, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
    if (dnabert_load(&m, folder, &backend_ref, false, label, &e)) {
        if (m.params.item || !e.text[0])
            abort();
        return 0;
    }
    if (m.config.d != 4 || m.config.n_layers != 1 || strlen(label) >= DNABERT_LABEL)
        abort();
    dnabert_release(&m);
    return 0;
}
