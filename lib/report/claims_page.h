/* The claims of the paper as a page: a row each, and choices of a verdict. Needs nothing beside it.
 */
#ifndef GC_REPORT_CLAIMS_PAGE_H
#define GC_REPORT_CLAIMS_PAGE_H

#include "lib/data/claim.h"
#include "lib/io/markup.h"

void claims_page(struct markup *m, const struct claim *c, size_t n_claims);

#endif
