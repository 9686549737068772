/* lib/app/model_config: whatever config.json says, it is refused with a sentence, or its sizes fit
 * together and are written and read again as the same. */
#include <string.h>

#include "lib/app/model_file.h"
#include "tests/fuzz/fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model_config c, again;
    struct err e = { 0 };
    const char *path = fuzz_file("config.json", data, size);
    enum rc rc = model_config_read(&c, path, &e);
    if (rc && !e.text[0])
        abort();
    if (!rc && c.n_tokens && !model_config_check(&c, &e)) {
        if (model_config_write(&c, path, &e) || model_config_read(&again, path, &e))
            abort();
        if (again.d != c.d || again.n_layers != c.n_layers || again.n_heads != c.n_heads ||
            again.ffn != c.ffn || again.max_genes != c.max_genes || again.n_tokens != c.n_tokens ||
            again.knowledge_dim != c.knowledge_dim || again.use_values != c.use_values ||
            memcmp(again.use_knowledge, c.use_knowledge, sizeof c.use_knowledge) != 0)
            abort();
    }
    unlink(path);
    return 0;
}
