# ledger: cells of the corpus (those that passed quality control) that occur more than once, and for
# every labelled sample how many of its cells are in the corpus. Cells are told by their counts.
# ledger_sets: more cells that models are judged on (files of homolog-map), not samples of the profile.
ledger_sets ?=
# Pairs of a network benchmark that stand in the prior knowledge are in the ledger too, where
# knowledge-report has run ($R/knowledge-report/leakage.tsv).
all_cells = $$(for s in $(samples); do f=$R/homolog-map/$$s/cells.h5ad; [ ! -e $$f ] || echo $$f; done)

.SECONDEXPANSION:
$R/ledger/MANIFEST.tsv: $B/bin/ledger $$(call each_sample,qc-filter) \
		$$(call each_sample,homolog-map) $(ledger_sets) | $(closer)
	$(open_stage)
	$Q$(tool)ledger $(kept_cells) --sets $(all_cells) $(ledger_sets) --out $(@D) --report $(@D)/report.json \
		--threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
ledger: $R/ledger/MANIFEST.tsv ## cells that occur twice, and labelled cells in the corpus
	@awk -F '\t' -f workflows/ledger.awk $R/ledger/samples.tsv $R/ledger/pairs.tsv \
		$R/ledger/sets.tsv
	@if [ -e $R/knowledge-report/leakage.tsv ]; then awk -F '\t' 'NR > 1 && $$5 > 0 { printf \
		"  %-24s %7d of %7d pairs stand in what the kind %s was made from\n", $$1, $$5, $$4, $$3 }' \
		$R/knowledge-report/leakage.tsv; fi
.PHONY: ledger
