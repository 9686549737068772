/* Which genes of a perturbation graph are alike: Gene Ontology terms of genes, or the finished
 * graph as GEARS publishes it. Tables with a header, tab or comma, plain or gzip:
 *   gene, terms                  terms separated by commas or semicolons; a gene may have none
 *   source, target, importance   edges and their weights, above 0 */
#ifndef GC_IO_GO_FILE_H
#define GC_IO_GO_FILE_H

#include "lib/data/names.h"

struct go_file {
    struct names gene; /* in the order of the file (edges: of first appearance, source first) */
    bool edges;
    /* terms */
    size_t *first;  /* [gene.n + 1] owned, as is the next */
    uint32_t *term; /* those of gene i are first[i] .. first[i + 1], each once */
    size_t n_terms;
    /* edges; owned */
    size_t n_edges;
    uint32_t *from, *to;
    double *weight;
};

/* RC_INPUT: other columns, a gene twice, an edge twice, a weight that is no number above 0. On
 * failure *g is empty. */
enum rc go_file_read(struct go_file *g, const char *path, struct err *e);
void go_file_release(struct go_file *g);

#endif
