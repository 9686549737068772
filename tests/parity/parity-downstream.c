/* parity-downstream DIR: a network or baseline of spec 05 against a folder laid out like one of
 * golden/downstream/NAME_tiny or perturb_baselines (README in each). The kind is read from the
 * files of the folder: each kind has one that no other has. All sizes come from the folder. */
#include "lib/base/thread.h"
#include "tests/parity/downstream_annotation.h"
#include "tests/parity/downstream_came.h"
#include "tests/parity/downstream_came_real.h"
#include "tests/parity/downstream_cpa.h"
#include "tests/parity/downstream_deepce.h"
#include "tests/parity/downstream_deepsem.h"
#include "tests/parity/downstream_gears.h"
#include "tests/parity/downstream_gears_data.h"
#include "tests/parity/downstream_geneformer.h"
#include "tests/parity/downstream_perturb.h"
#include "tests/parity/downstream_tosica.h"

static void parity_gears(const char *dir)
{
    json_t *expected = json_of(dir, "expected.json");
    gears_network(dir, expected);
    gears_go(dir);
    gears_coexpression(dir, json_part(expected, "coexpress"));
    gears_splits(dir);
    gears_metrics(dir, json_part(expected, "de"));
    json_decref(expected);
}

static const struct kind {
    const char *name, *file;
    void (*run)(const char *dir);
} kind[] = { { "perturb_baselines", "perturb_baselines.safetensors", parity_perturb },
             { "geneformer_tiny", "geneformer_tiny.safetensors", parity_geneformer },
             { "tosica_tiny", "tosica_tiny.safetensors", parity_tosica },
             { "came_tiny", "came_unaligned.safetensors", parity_came },
             { "came_real", "runs.jsonl", parity_came_real },
             { "gears_tiny", "gears_tiny.safetensors", parity_gears },
             { "deepsem_tiny", "deepsem_tiny.safetensors", parity_deepsem },
             { "deepce_tiny", "deepce_tiny.safetensors", parity_deepce },
             { "cpa_tiny", "cpa_tiny.safetensors", parity_cpa },
             { "annotation", "summary.tsv", parity_annotation } };

int main(int argc, char **argv)
{
    if (argc != 2 || !folder_exists(argv[1])) {
        fprintf(stderr, "usage: parity-downstream DIR\n");
        return 2;
    }
    arena_init(&folder_memory, 1 << 20);
    threads_init(0);
    const struct kind *found = NULL;
    for (size_t i = 0; !found && i < sizeof kind / sizeof *kind; i++)
        if (file_exists(path_in(argv[1], kind[i].file)))
            found = &kind[i];
    if (found) {
        note("%s is a folder of the kind %s", argv[1], found->name);
        found->run(argv[1]);
    } else {
        ok(false, "'%s' has the main file of no kind that is known here", argv[1]);
        for (size_t i = 0; i < sizeof kind / sizeof *kind; i++)
            note("%s has %s", kind[i].name, kind[i].file);
    }
    threads_stop();
    arena_release(&folder_memory);
    return tap_end();
}
