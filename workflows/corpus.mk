# The corpus, from imported samples to shards of tokens. What each tool does exactly, its --help says.
#
#   homolog-map/SAMPLE  names of genes to ids, mouse genes to their human homologs
#   qc-filter/SAMPLE    cells that pass; report.json has the numbers, cells.tsv.gz every verdict
#   vocab               the token dictionary
#   median-part/SAMPLE  what the cells of a sample that passed add to a median
#   median              non-zero medians over the cells of all samples that passed, joined from these
#   tokenize            shards, with the dictionary and the medians they were made with
# A sample that could not be had is a stage without outputs, here as in import.
#
# On a cluster each stage is a job of its own, and nothing but make and the cluster schedules them:
#   make corpus RUN='srun -n1 -c2' -j200 -k
# -k: a sample that fails stops none of the others. The same words once more repair what is open.
# Only stages that were closed count as done, so it does not matter how a job ended.
qc_preset ?= paper
max_length ?= 2048
cells_per_shard ?= 16384
params/qc-filter := --preset $(qc_preset)
params/tokenize := --max-length $(max_length) --cells-per-shard $(cells_per_shard)
quiet := $(if $(filter 1,$(V)),,--quiet)

# The cells that a sample's stage left, if it left any: $(call cells_of,import).
cells_of = $R/$(1)/$*/cells.h5ad
# The same of all samples, for the tools that read the whole corpus.
median_parts = $$(for s in $(samples); do \
	f=$R/median-part/$$s/cells.median; [ ! -e $$f ] || echo $$f; done)
kept_cells = $$(for s in $(samples); do f=$R/qc-filter/$$s/cells.h5ad; [ ! -e $$f ] || echo $$f; done)

$R/homolog-map/%/MANIFEST.tsv: $B/bin/homolog-map $R/import/%/MANIFEST.tsv $R/tables/MANIFEST.tsv \
		| $(closer)
	$(open_stage)
	$Qif [ -e $(call cells_of,import) ]; then \
		$(tool)homolog-map $(call cells_of,import) --tables $R/tables --out $(@D)/cells.h5ad \
			--report $(@D)/report.json --threads $(THREADS) $(quiet); fi
	$(close_stage)

# One parameter file for all samples would lie in none of their folders.
$R/qc-filter/%/params: FORCE
	@mkdir -p $(@D); printf '%s\n' '$(strip $(params/qc-filter))' >$@.part; \
	 if cmp -s $@.part $@; then rm $@.part; else mv $@.part $@; fi

$R/qc-filter/%/MANIFEST.tsv: $B/bin/qc-filter $R/qc-filter/%/params $R/homolog-map/%/MANIFEST.tsv \
		$R/tables/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Qif [ -e $(call cells_of,homolog-map) ]; then \
		$(tool)qc-filter $(call cells_of,homolog-map) --tables $R/tables $(params/qc-filter) \
			--out $(@D)/cells.h5ad --report $(@D)/report.json --cells $(@D)/cells.tsv.gz \
			--threads $(THREADS) $(quiet); fi
	$(close_stage)

$R/vocab/MANIFEST.tsv: $B/bin/vocab $R/tables/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(tool)vocab --tables $R/tables --out $(@D)/vocab.tsv --report $(@D)/report.json \
		--threads $(THREADS) $(quiet)
	$(close_stage)

$R/median-part/%/MANIFEST.tsv: $B/bin/median $R/qc-filter/%/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Qif [ -e $(call cells_of,qc-filter) ]; then \
		$(tool)median $(call cells_of,qc-filter) --partial $(@D)/cells.median \
			--report $(@D)/report.json --threads $(THREADS) $(quiet); fi
	$(close_stage)

# `samples` is known only once stage.mk is read: prerequisites on all samples wait for it.
.SECONDEXPANSION:
$R/median/MANIFEST.tsv: $B/bin/median $$(call each_sample,median-part) | $(closer)
	$(open_stage)
	$Q$(tool)median --merge $(median_parts) --out $(@D)/medians.tsv --report $(@D)/report.json \
		--threads $(THREADS) $(quiet)
	$(close_stage)

$R/tokenize/MANIFEST.tsv: $B/bin/tokenize $R/tokenize/params $R/vocab/MANIFEST.tsv \
		$R/median/MANIFEST.tsv $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Q$(tool)tokenize $(kept_cells) --vocab $R/vocab/vocab.tsv --medians $R/median/medians.tsv \
		$(params/tokenize) --out $(@D) --report $(@D)/report.json --threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
corpus: $R/tokenize/MANIFEST.tsv $R/corpus-ledger/MANIFEST.tsv ## the corpus: samples to shards of tokens
.PHONY: corpus
