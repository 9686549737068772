/* parity-knowledge DIR: the knowledge stages against a folder laid out like golden/knowledge (its
 * README says what is in it). Parts that are not in the folder are skipped, with the reason. */
#include "lib/base/thread.h"
#include "tests/parity/knowledge_dnabert.h"
#include "tests/parity/knowledge_links.h"
#include "tests/parity/knowledge_pairs.h"
#include "tests/parity/knowledge_pearson.h"
#include "tests/parity/knowledge_sgns.h"

int main(int argc, char **argv)
{
    if (argc != 2 || !folder_exists(argv[1])) {
        fprintf(stderr, "usage: parity-knowledge DIR\n");
        return 2;
    }
    threads_init(0);
    const char *dir = argv[1];
    parity_schedule(dir, "gene2vec_tiny");
    parity_schedule(dir, "gene2vec_tiny_large");
    parity_gensim(dir, "gene2vec_tiny");
    parity_gensim(dir, "gene2vec_tiny_large");
    parity_links(dir);
    parity_coexpression(dir);
    parity_pairs(dir);
    parity_dnabert(dir);
    threads_stop();
    return tap_end();
}
