# knowledge: a vector for each gene from each kind of prior knowledge (knowledge-embed).
#
#   $R/knowledge/grn.safetensors           networks of the inputs: TRRUST, CollecTRI, DoRothEA
#   $R/knowledge/family.safetensors        gene groups of HGNC
#   $R/knowledge/coexpression.safetensors  the cells of all samples that passed quality control
#   $R/knowledge/KIND.json                 numbers, for coexpression with its null
# Networks and groups are optional inputs: a kind without any has no file, and `pretrain` takes the
# files that are there. The published vectors have 768 numbers.
knowledge_dim ?= 768
knowledge_passes ?= 10
coexpression_cells ?= 3000
coexpression_least ?= 30
coexpression_above ?= 0.8
networks := trrust_rawdata.human.tsv trrust_rawdata.mouse.tsv collectri_human.csv \
	dorothea_hs_ABCD.tsv dorothea_mm_ABCD.tsv
gene_groups := gene_reference/hgnc/HGNC.json.gz
params/knowledge := --dim $(knowledge_dim) --passes $(knowledge_passes) \
	--cells $(coexpression_cells) --least-cells $(coexpression_least) --above $(coexpression_above)

# $(call embed,KIND): the call, but for what the kind is made from.
embed = $(tool)knowledge-embed $(1) --vocab $R/vocab/vocab.tsv $(params/knowledge) \
	--out $(@D)/$(1).safetensors --report $(@D)/$(1).json --threads $(THREADS) $(quiet)

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
$R/knowledge/MANIFEST.tsv: $B/bin/knowledge-embed $R/knowledge/params $R/fetch/MANIFEST.tsv \
		$R/tables/MANIFEST.tsv $R/vocab/MANIFEST.tsv $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Qset --; for f in $(networks:%='$(CACHE)/view/prior_knowledge/grn/%'); do \
		if [ -e "$$f" ]; then set -- "$$@" "$$f"; fi; done; \
	 if [ $$# -gt 0 ]; then $(call embed,grn) --tables $R/tables --pairs "$$@"; \
	 else echo '  grn: left out, no network could be had'; fi
	$Qif [ -e '$(CACHE)/view/$(gene_groups)' ]; then \
		$(call embed,family) --tables $R/tables --hgnc '$(CACHE)/view/$(gene_groups)'; \
	 else echo '  family: left out, no gene groups could be had'; fi
	$Q$(call embed,coexpression) $(kept_cells)
	$(close_stage)

##@ Results
knowledge: $R/knowledge/MANIFEST.tsv ## vectors of genes from networks, families and co-expression
.PHONY: knowledge
