/* parity-metrics DIR: every metric against a folder laid out like golden/downstream/metrics (README
 * there). expected.json says what is asked: a section that it lacks is not compared, a file that a
 * section needs and is not there ends the run. Numbers agree to 1e-9 unless the README says
 * otherwise beside its file. */
#include "lib/base/thread.h"
#include "tests/parity/metrics_change.h"
#include "tests/parity/metrics_plain.h"
#include "tests/parity/metrics_space.h"

static const struct section {
    const char *key;
    void (*run)(const char *dir, const json_t *want);
} section[] = { { "classification", parity_classes },
                { "binary", parity_binary },
                { "numbers", parity_numbers },
                { "ranked_precision", parity_ranked },
                { "perturbation", parity_change } };

int main(int argc, char **argv)
{
    if (argc != 2 || !folder_exists(argv[1])) {
        fprintf(stderr, "usage: parity-metrics DIR\n");
        return 2;
    }
    char *path = text_new("%s/expected.json", argv[1]);
    json_t *want = json_load_file(path, 0, NULL);
    threads_init(0);
    if (ok(want != NULL, "expected.json is read")) {
        if (json_object_get(want, "embedding"))
            parity_space(argv[1], want);
        for (size_t i = 0; i < sizeof section / sizeof *section; i++) {
            const json_t *o = json_object_get(want, section[i].key);
            if (o)
                section[i].run(argv[1], o);
            else
                note("%s is not asked for in this folder", section[i].key);
        }
    }
    json_decref(want);
    free(path);
    threads_stop();
    return tap_end();
}
