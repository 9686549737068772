# authors: the tables that the authors published, imported and compared with ours.
#
#   $R/authors/vocab.tsv             their tokens
#   $R/authors/KIND.safetensors      their vectors, where both pickles of the kind could be had
#   $R/authors/diff.tsv              knowledge-diff: genes covered, rows that look random, agreement
# 0.8 GB to fetch, all optional and pinned by the sums of the repository's own pointers, so the stage
# runs only when asked for. It fetches by itself: no other stage wants these files.
authors_manifest ?= manifests/inputs/authors.tsv
params/authors := $(authors_manifest:$R/%=%)
authors_view := $(CACHE)/view/authors/prior_knowledge
authors_promoter := promoter_emb/human_emb_768.pickle promoter_emb/mouse_emb_768.pickle
authors_coexpression := gene_co_express_emb/Human_dim_768_gene_28291_random.pickle \
	gene_co_express_emb/Mouse_dim_768_gene_27444_random.pickle
authors_family := gene_family/Human_dim_768_gene_28291_random.pickle \
	gene_family/Mouse_dim_768_gene_27934_random.pickle
authors_grn := PECA2vec/human_PECA_vec.pickle PECA2vec/mouse_PECA_vec.pickle
authors_import = set -- $(authors_$(1):%='$(authors_view)/%'); \
	if [ -e "$$1" ] && [ -e "$$2" ]; then \
		$(tool)import-pickle $(1) "$$@" --vocab $(@D)/vocab.tsv --out $(@D)/$(1).safetensors \
			--threads $(THREADS) $(quiet); \
	else echo '  $(1): left out, the pickles could not be had'; fi


$R/authors/MANIFEST.tsv: $(authors_manifest) $B/bin/fetch $B/bin/import-pickle $B/bin/knowledge-diff \
		$R/authors/params $R/knowledge/MANIFEST.tsv $R/vocab/MANIFEST.tsv | $(closer)
	$(open_stage)
	$QGC_TIMES=$(@D)/time.log $B/bin/fetch $(authors_manifest) --cache $(CACHE) \
		$(if $(MIRROR),--mirror '$(MIRROR)') --threads $(THREADS) --out $(@D)/inputs.tsv
	$Qv='$(authors_view)'; if [ -e "$$v/human_mouse_tokens.pickle" ] && \
			[ -e "$$v/gene_list/Gene_id_name_dict_human_mouse.pickle" ]; then \
		h="$$v/homologous_hm_token.pickle"; if [ -e "$$h" ]; then set -- --homologs "$$h"; else set --; fi; \
		$(tool)import-pickle vocab "$$v/human_mouse_tokens.pickle" "$$@" \
			--names "$$v/gene_list/Gene_id_name_dict_human_mouse.pickle" --out $(@D)/vocab.tsv $(quiet); \
		$(foreach k,promoter coexpression family grn,$(call authors_import,$(k));) \
	 else echo '  authors: left out, their tokens and names could not be had'; fi
	$Qset --; for f in $(@D)/*.safetensors; do if [ -e "$$f" ]; then set -- "$$@" "$$f"; fi; done; \
	 if [ $$# -gt 0 ]; then $(tool)knowledge-diff $R/knowledge/*.safetensors \
		--vocab $R/vocab/vocab.tsv --with "$$@" --with-vocab $(@D)/vocab.tsv --out $(@D) \
		--threads $(THREADS) $(quiet); fi
	$(close_stage)

##@ Results
knowledge-authors: $R/authors/MANIFEST.tsv ## the authors' vectors beside ours, where they can be had
	@if [ -e $R/authors/diff.tsv ]; then echo '$R/authors/diff.tsv'; fi
.PHONY: knowledge-authors
