/* Names and ids of genes as texts. */
#ifndef GC_DATA_GENENAME_H
#define GC_DATA_GENENAME_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/data/cells.h"

/* R's make.names: what is no letter, digit, dot or underscore becomes a dot; X in front of a name
 * that starts with neither a letter nor a dot that no digit follows. False: `to` is too short. */
bool make_name(const char *name, char *to, size_t room);

/* An Ensembl gene id without what releases hang on it: ENSG00000002586.20_PAR_Y becomes
 * ENSG00000002586 (the copy on Y has the sequence and the name of the one on X, and counts of the
 * two cannot be told apart). False: `to` is too short. Other texts are copied up to the first dot
 * that digits alone follow. */
bool gene_id_clean(const char *id, char *to, size_t room);

/* Bytes of a leading assembly name with its underscores ("hg19_", "mm10___"), 0 when there is none;
 * *species is that assembly's. */
size_t gene_prefix(const char *text, enum species *species);

#endif
