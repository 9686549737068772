# corpus-ledger: the plan of the whole corpus, and what became of the cells of this run.
#
#   manifests/corpus/*.tsv         the plan: a row per sample with accession, files, licence (the
#                                  columns: lib/io/corpus_plan.h)
#   $R/corpus-ledger/ledger.tsv    per sample: cells in, cells after each rule, kept; why it was lost
#   $R/corpus-ledger/sums.tsv      per species and in all, with the distance to the published numbers
# Another question has another goal: cells that stand in several samples, `make ledger`.
corpus_plan ?= $(sort $(wildcard manifests/corpus/*.tsv))
# The plan goes beyond a profile: it is held to the inputs of all of them.
corpus_plan_inputs := $(sort $(wildcard manifests/inputs/*.tsv))
corpus_plan_check = $(if $(corpus_plan),--inputs $(corpus_plan_inputs) --samples $(samples_tsv))
params/corpus-ledger :=

.SECONDEXPANSION:
$R/corpus-ledger/MANIFEST.tsv: $B/bin/corpus-ledger $R/corpus-ledger/params $(corpus_plan) \
		$(if $(corpus_plan),$(corpus_plan_inputs) $(samples_tsv)) reference/corpus.tsv \
		$$(call each_sample,import) $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Q$(tool)corpus-ledger $(corpus_plan) $(corpus_plan_check) --results $R \
		--reference reference/corpus.tsv --out $(@D)/ledger.tsv --sums $(@D)/sums.tsv \
		--report $(@D)/report.json $(quiet)
	$(close_stage)

##@ Results
corpus-ledger: $R/corpus-ledger/MANIFEST.tsv ## cells of each sample after each rule, and the sums
	@cat $R/corpus-ledger/sums.tsv
.PHONY: corpus-ledger
