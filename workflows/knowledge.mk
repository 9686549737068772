# knowledge: a vector for each gene from each kind of prior knowledge (knowledge-embed).
#
#   $R/knowledge/grn.safetensors           networks of the inputs: TRRUST, CollecTRI, DoRothEA; PECA2's
#                                          of paired samples (peca.mk)
#   $R/knowledge/family.safetensors        gene groups of HGNC
#   $R/knowledge/coexpression.safetensors  the cells of all samples that passed quality control
#   $R/knowledge/promoter.safetensors      the bases round start sites, through DNABERT
#   $R/knowledge/baseline/promoter.safetensors  the same as shares of their words, with an SVD
#   $R/knowledge/KIND.json                 numbers, for coexpression with its null
#   $R/knowledge/KIND.pairs                what gene2vec learned from
#   $R/dnabert/model                       a small DNABERT, trained here on promoter_sequences
# Networks and groups are optional inputs: a kind without any has no file, and `pretrain` takes the
# files that are there. The published vectors have 768 numbers.
#
# No genome is among the inputs (docs/knowledge.md says why, and where they are): knowledge_genomes
# names FASTA=SITES for each species, SITES a table of start sites (knowledge-embed --help). Without
# one the promoters at hand carry no names of genes; then every row of the promoter table is random,
# spread as the vectors of those promoters are, and `present` says so. knowledge_dnabert names the
# folder of a model to take in place of the small one.
#
# knowledge-report: what the tables are worth, $R/knowledge-report/worth.tsv, and which pairs that a
# benchmark takes as truth stand in what they were made from, leakage.tsv; the page shows both, and
# `make ledger` prints the latter.
knowledge_dim ?= 768
knowledge_passes ?= 10
# --hogwild is faster and not reproducible.
knowledge_mode ?= --exact
knowledge_report_dim ?= 128
# NAME=FILE: networks that a benchmark takes as truth; below the cache's view, and from elsewhere.
benchmark_truths ?=
knowledge_truths ?=
knowledge_genomes ?=
knowledge_dnabert ?=
# Below the cache's view: SPECIES=FILE of promoters, and FASTA=SITES.
promoter_sequences ?= human=prior_knowledge/promoter/hs_pos_TATA.txt \
	mouse=prior_knowledge/promoter/mm_pos_TATA.txt
promoter_genomes ?=
promoter_upstream ?= 500
promoter_downstream ?= 2000
dnabert_epochs ?= 4
dnabert_batch ?= 8
dnabert_lr ?= 2e-3
dnabert_layers ?= 2
dnabert_width ?= 64
dnabert_ffn ?= 256
coexpression_cells ?= 3000
coexpression_least ?= 30
coexpression_above ?= 0.8
networks := trrust_rawdata.human.tsv trrust_rawdata.mouse.tsv collectri_human.csv \
	dorothea_hs_ABCD.tsv dorothea_mm_ABCD.tsv
gene_groups := gene_reference/hgnc/HGNC.json.gz
before = $(foreach g,$(1),$(firstword $(subst =, ,$(g))))
behind = $(foreach g,$(1),$(lastword $(subst =, ,$(g))))
genome_of = $(call before,$(knowledge_genomes)) \
	$(foreach f,$(call before,$(promoter_genomes)),'$(CACHE)/view/$(f)')
sites_of = $(call behind,$(knowledge_genomes)) \
	$(foreach f,$(call behind,$(promoter_genomes)),'$(CACHE)/view/$(f)')
# Files from outside the results are told by their sums: what they hold may change a result, not
# where they lie.
sums = $(foreach f,$(1),$(firstword $(shell sha256sum '$(f)')))
fig3_knowledge_dim ?= 64
knowledge_params = --dim $(1) --passes $(knowledge_passes) $(knowledge_mode) \
	--cells $(coexpression_cells) --least-cells $(coexpression_least) --above $(coexpression_above) \
	--upstream $(promoter_upstream) --downstream $(promoter_downstream) \
	--sequences $(promoter_sequences) $(if $(promoter_genomes),--genome $(promoter_genomes)) \
	$(if $(knowledge_genomes),--genome $(call sums,$(call before,$(knowledge_genomes))) \
		--tss $(call sums,$(call behind,$(knowledge_genomes)))) \
	$(if $(knowledge_dnabert),--model $(call sums,$(knowledge_dnabert)/model.safetensors))
params/knowledge := $(call knowledge_params,$(knowledge_dim))
params/fig3/knowledge := $(call knowledge_params,$(fig3_knowledge_dim))
params/dnabert := $(if $(knowledge_dnabert),none: another model is given,--epochs $(dnabert_epochs) \
	--batch $(dnabert_batch) --lr $(dnabert_lr) --layers $(dnabert_layers) \
	--width $(dnabert_width) --ffn $(dnabert_ffn) --seed $(seed))
params/knowledge-report := --dim $(knowledge_report_dim) --passes $(knowledge_passes) \
	$(if $(benchmark_truths),--truth $(benchmark_truths)) \
	$(if $(knowledge_truths),--truth $(foreach t,$(knowledge_truths),$(firstword \
		$(subst =, ,$(t)))=$(call sums,$(lastword $(subst =, ,$(t))))))

# $(call embed,KIND,OPTIONS): the call, but for what the kind is made from.
embed = $(tool)knowledge-embed $(1) --vocab $(knowledge_vocab)/vocab.tsv --dim $(knowledge_dim) $(2) \
	--out $(@D)/$(1).safetensors --report $(@D)/$(1).json --threads $(THREADS) $(quiet)
by_pairs = --passes $(knowledge_passes) $(knowledge_mode) --pairs-out $(@D)/$(1).pairs
by_cells = --cells $(coexpression_cells) --least-cells $(coexpression_least) \
	--above $(coexpression_above)

# The promoters that are there: SPECIES=FILE words to the shell's list, or their files alone.
with_sequences = set --; for w in $(promoter_sequences); do f='$(CACHE)/view/'$${w\#*=}; \
	if [ -e "$$f" ]; then set -- "$$@" $(1)"$$f"; fi; done
by_bases = $(if $(strip $(genome_of)),--genome $(genome_of) --tss $(sites_of)) \
	$${1:+--sequences} "$$@" --tables $R/tables --upstream $(promoter_upstream) \
	--downstream $(promoter_downstream)
dnabert = $(if $(knowledge_dnabert),$(knowledge_dnabert),$R/dnabert/model)

$R/dnabert/MANIFEST.tsv: $B/bin/dnabert-train $R/dnabert/params $R/fetch/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(if $(knowledge_dnabert),:,$(call with_sequences,); if [ $$# -gt 0 ]; then \
		$(tool)dnabert-train "$$@" $(params/dnabert) --out $(@D)/model \
			--report $(@D)/report.json --threads $(THREADS) $(quiet); \
	 else echo '  dnabert: left out, no promoters could be had'; fi)
	$(close_stage)

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
# The models of Figure 3 have a smaller dictionary and tables of less width (fig3.mk).
$R/knowledge/MANIFEST.tsv: private knowledge_vocab := $R/vocab
$R/fig3/knowledge/MANIFEST.tsv: private knowledge_vocab := $R/fig3/corpus
$R/fig3/knowledge/MANIFEST.tsv: private knowledge_dim := $(fig3_knowledge_dim)
$R/knowledge/MANIFEST.tsv: $R/vocab/MANIFEST.tsv
$R/fig3/knowledge/MANIFEST.tsv: $R/fig3/corpus/MANIFEST.tsv
$R/knowledge/MANIFEST.tsv $R/fig3/knowledge/MANIFEST.tsv: $B/bin/knowledge-embed $$(@D)/params \
		$R/fetch/MANIFEST.tsv $R/tables/MANIFEST.tsv $R/dnabert/MANIFEST.tsv \
		$$(each_paired) $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Qset --; for f in $(networks:%='$(CACHE)/view/prior_knowledge/grn/%') \
			$(paired_samples:%=$R/peca/%/network.txt); do \
		if [ -e "$$f" ]; then set -- "$$@" "$$f"; fi; done; \
	 if [ $$# -gt 0 ]; then $(call embed,grn,$(call by_pairs,grn)) --tables $R/tables --pairs "$$@"; \
	 else echo '  grn: left out, no network could be had'; fi
	$Qif [ -e '$(CACHE)/view/$(gene_groups)' ]; then \
		$(call embed,family,$(call by_pairs,family)) --tables $R/tables \
			--hgnc '$(CACHE)/view/$(gene_groups)'; \
	 else echo '  family: left out, no gene groups could be had'; fi
	$Q$(call embed,coexpression,$(call by_pairs,coexpression) $(by_cells)) $(kept_cells)
	$Q$(call with_sequences,"$${w%%=*}="); \
	 if [ $$# = 0 ] && [ -z "$(strip $(genome_of))" ]; then \
		echo '  promoter: left out, neither promoters nor a genome could be had'; exit; fi; \
	 mkdir -p $(@D)/baseline; \
	 $(subst /promoter.,/baseline/promoter.,$(call embed,promoter,$(by_bases) --method kmer)); \
	 if [ -e '$(dnabert)/model.safetensors' ]; then \
		$(call embed,promoter,$(by_bases) --model '$(dnabert)'); \
	 else cp $(@D)/baseline/promoter.* $(@D); fi
	$(close_stage)

$R/knowledge-report/MANIFEST.tsv: $B/bin/knowledge-report $R/knowledge-report/params \
		$R/knowledge/MANIFEST.tsv $R/vocab/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Qset --; for k in grn family coexpression; do \
		if [ -e $R/knowledge/$$k.pairs ]; then set -- "$$@" --relation "$$k=$R/knowledge/$$k.pairs"; fi; \
	 done; \
	 for w in $(benchmark_truths); do f='$(CACHE)/view/'$${w#*=}; \
		if [ -e "$$f" ]; then set -- "$$@" --truth "$${w%%=*}=$$f"; fi; done; \
	 f=$R/knowledge/baseline/promoter.safetensors; if [ -e $$f ]; then set -- "$$@" --beside $$f; fi; \
	 $(tool)knowledge-report $R/knowledge/*.safetensors --vocab $R/vocab/vocab.tsv "$$@" \
		$(if $(knowledge_truths),--truth $(knowledge_truths)) --dim $(knowledge_report_dim) \
		--passes $(knowledge_passes) --out $(@D) --threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
knowledge: $R/knowledge/MANIFEST.tsv ## vectors of genes from networks, families, co-expression, promoters
knowledge-report: $R/knowledge-report/MANIFEST.tsv ## what these vectors are worth
	@echo '$R/knowledge-report/worth.tsv'
.PHONY: knowledge knowledge-report
