# knowledge: a vector for each gene from each kind of prior knowledge (knowledge-embed).
#
#   $R/knowledge/grn.safetensors           networks of the inputs: TRRUST, CollecTRI, DoRothEA
#   $R/knowledge/family.safetensors        gene groups of HGNC
#   $R/knowledge/coexpression.safetensors  the cells of all samples that passed quality control
#   $R/knowledge/promoter.safetensors      the bases round start sites, where genomes are named
#   $R/knowledge/KIND.json                 numbers, for coexpression with its null
#   $R/knowledge/KIND.pairs                what gene2vec learned from
# Networks and groups are optional inputs: a kind without any has no file, and `pretrain` takes the
# files that are there. The published vectors have 768 numbers.
#
# No genome is among the inputs (3 GB each): knowledge_genomes names FASTA=SITES for each species,
# SITES a table of start sites (knowledge-embed --help); knowledge_dnabert a model folder, without
# which promoters become shares of their words.
#
# knowledge-report: what the tables are worth, $R/knowledge-report/worth.tsv; the page shows it.
knowledge_dim ?= 768
knowledge_passes ?= 10
# --hogwild is faster and not reproducible.
knowledge_mode ?= --exact
knowledge_report_dim ?= 128
# NAME=FILE: networks that a benchmark takes as truth; the share of them in each relation is reported.
knowledge_truths ?=
knowledge_genomes ?=
knowledge_dnabert ?=
coexpression_cells ?= 3000
coexpression_least ?= 30
coexpression_above ?= 0.8
networks := trrust_rawdata.human.tsv trrust_rawdata.mouse.tsv collectri_human.csv \
	dorothea_hs_ABCD.tsv dorothea_mm_ABCD.tsv
gene_groups := gene_reference/hgnc/HGNC.json.gz
genome_of = $(foreach g,$(knowledge_genomes),$(firstword $(subst =, ,$(g))))
sites_of = $(foreach g,$(knowledge_genomes),$(lastword $(subst =, ,$(g))))
# Files from outside the results are told by their sums: what they hold may change a result, not
# where they lie.
sums = $(foreach f,$(1),$(firstword $(shell sha256sum '$(f)')))
params/knowledge := --dim $(knowledge_dim) --passes $(knowledge_passes) $(knowledge_mode) \
	--cells $(coexpression_cells) --least-cells $(coexpression_least) --above $(coexpression_above) \
	$(if $(knowledge_genomes),--genome $(call sums,$(genome_of)) --tss $(call sums,$(sites_of)) \
		$(if $(knowledge_dnabert),--model $(call sums,$(knowledge_dnabert)/model.safetensors)))
params/knowledge-report := --dim $(knowledge_report_dim) --passes $(knowledge_passes) \
	$(if $(knowledge_truths),--truth $(foreach t,$(knowledge_truths),$(firstword \
		$(subst =, ,$(t)))=$(call sums,$(lastword $(subst =, ,$(t))))))

# $(call embed,KIND,OPTIONS): the call, but for what the kind is made from.
embed = $(tool)knowledge-embed $(1) --vocab $R/vocab/vocab.tsv --dim $(knowledge_dim) $(2) \
	--out $(@D)/$(1).safetensors --report $(@D)/$(1).json --threads $(THREADS) $(quiet)
by_pairs = --passes $(knowledge_passes) $(knowledge_mode) --pairs-out $(@D)/$(1).pairs
by_cells = --cells $(coexpression_cells) --least-cells $(coexpression_least) \
	--above $(coexpression_above)

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
$R/knowledge/MANIFEST.tsv: $B/bin/knowledge-embed $R/knowledge/params $R/fetch/MANIFEST.tsv \
		$R/tables/MANIFEST.tsv $R/vocab/MANIFEST.tsv $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Qset --; for f in $(networks:%='$(CACHE)/view/prior_knowledge/grn/%'); do \
		if [ -e "$$f" ]; then set -- "$$@" "$$f"; fi; done; \
	 if [ $$# -gt 0 ]; then $(call embed,grn,$(call by_pairs,grn)) --tables $R/tables --pairs "$$@"; \
	 else echo '  grn: left out, no network could be had'; fi
	$Qif [ -e '$(CACHE)/view/$(gene_groups)' ]; then \
		$(call embed,family,$(call by_pairs,family)) --tables $R/tables \
			--hgnc '$(CACHE)/view/$(gene_groups)'; \
	 else echo '  family: left out, no gene groups could be had'; fi
	$Q$(call embed,coexpression,$(call by_pairs,coexpression) $(by_cells)) $(kept_cells)
	$Q$(if $(knowledge_genomes),$(call embed,promoter,) --tables $R/tables --genome $(genome_of) \
		--tss $(sites_of) $(if $(knowledge_dnabert),--model $(knowledge_dnabert),--method kmer),\
		echo '  promoter: left out, no genome could be had')
	$(close_stage)

$R/knowledge-report/MANIFEST.tsv: $B/bin/knowledge-report $R/knowledge-report/params \
		$R/knowledge/MANIFEST.tsv $R/vocab/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Qset --; for k in grn family coexpression; do \
		if [ -e $R/knowledge/$$k.pairs ]; then set -- "$$@" --relation "$$k=$R/knowledge/$$k.pairs"; fi; \
	 done; $(tool)knowledge-report $R/knowledge/*.safetensors --vocab $R/vocab/vocab.tsv "$$@" \
		$(if $(knowledge_truths),--truth $(knowledge_truths)) --dim $(knowledge_report_dim) \
		--passes $(knowledge_passes) --out $(@D) --threads $(THREADS) $(quiet)
	$(close_stage)

##@ Results
knowledge: $R/knowledge/MANIFEST.tsv ## vectors of genes from networks, families, co-expression, promoters
knowledge-report: $R/knowledge-report/MANIFEST.tsv ## what these vectors are worth
	@echo '$R/knowledge-report/worth.tsv'
.PHONY: knowledge knowledge-report
