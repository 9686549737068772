/* The parts of ro-crate-metadata.json: a Provenance Run Crate, so a Workflow Run Crate and a
 * Process Run Crate, too (https://w3id.org/ro/wfrun/provenance/0.5 and its kin).
 *
 *   ./                         the results folder, whose parts are the folders of the stages
 *   STAGE/                     a folder, whose parts are the outputs and the manifest, with sums
 *   #action/STAGE              what made it: CreateAction with program, what it read and was told
 *   #parameter/STAGE/N         an option as it was given, an example of the program's parameter
 *   #program/NAME              with its version, the sum of the file, and its formal parameters:
 *   #program/NAME/reads, ../writes, ../option/OPTION
 *   crate/workflow/GNUmakefile the workflow: its fragments lie beside it, its parameters are
 *   #setting/STAGE/OPTION, #inputs and #results/STAGE
 *   #step/STAGE, #control/STAGE   its step, and the step's run
 *   #run, #engine/run          the run of the whole, and of make
 * Raw inputs are called by their address, or #input/PATH where none is known; files of the checkout
 * that are no part of the workflow #source/PATH. No times: an action that is done again has the
 * same description. */
#ifndef GC_REPORT_CRATE_RO_H
#define GC_REPORT_CRATE_RO_H

#include "lib/report/crate.h"

struct ro {
    const struct crate *k;
    const char *folder;  /* where the other files of the stage crate lie; borrowed */
    json_t *graph;       /* owned; entities in the order that they were put */
    struct map at;       /* id to index in graph */
    struct table inputs; /* fetch/inputs.tsv; without rows where there is none */
    json_t *root, *workflow, *run, *engine_run; /* in graph */
    bool failed;                                /* memory was short */
};

/* Done: http://schema.org/actionStatus of what a manifest stands for, which is written last. */
#define RO_DONE "http://schema.org/CompletedActionStatus"

/* Adds an entity with "@id", or drops it when its id is there already. Gives back the one of that
 * id, borrowed; NULL: no memory. *fresh (may be NULL): it was not there. */
json_t *ro_put(struct ro *o, json_t *entity, bool *fresh, struct err *e);
const char *ro_id(const json_t *entity); /* "" for NULL */
/* Appends {"@id": ID of to} to the array entity[key]; with `once` only where it is not there. */
void ro_link(struct ro *o, json_t *entity, const char *key, const json_t *to, bool once);
/* A file below the root. */
json_t *ro_file(struct ro *o, const char *path, uint64_t bytes, const char *sha256, struct err *e);
/* The media type that a file's name says. */
const char *ro_media_type(const char *path);
/* A licence by its words. */
json_t *ro_licence(struct ro *o, const char *words, struct err *e);

/* --- crate_ro_workflow.c --------------------------------------------------------------------- */

/* Workflow, language, engine, and the runs of both; before any stage. */
enum rc ro_workflow(struct ro *o, struct err *e);
/* The program of a stage, a part of the workflow. */
json_t *ro_program(struct ro *o, const char *stage, struct err *e);
/* A formal parameter OWNER#NAME of a program or of the workflow, as its input or output. */
json_t *ro_formal(struct ro *o, json_t *owner, const char *id, const char *name, const char *type,
                  bool is_output, struct err *e);
/* Says that a file was read, or written, by a program: {"exampleOfWork": its parameter}. */
void ro_example(struct ro *o, json_t *file, json_t *program, bool is_output, struct err *e);
/* The parameters of a manifest's row, as objects of the action; *n counts those of the stage. */
void ro_parameters(struct ro *o, json_t *action, json_t *program, const char *stage,
                   const char *row, size_t *n, struct err *e);
/* The step of a stage, the position-th of the workflow, and its run. */
void ro_step(struct ro *o, const char *stage, size_t position, json_t *program, json_t *action,
             json_t *results, struct err *e);

/* --- crate_ro_stage.c ------------------------------------------------------------------------ */

/* All that there is to say about a stage. RC_INPUT: its manifest is broken. */
enum rc ro_stage(struct ro *o, size_t at, size_t position, struct err *e);
/* The same about the stage crate, which was made from all others. */
enum rc ro_own_stage(struct ro *o, size_t position, struct err *e);

#endif
