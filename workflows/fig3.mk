# fig3: Figure 3 of the paper, as far as small models can tell.
#
#   fig3/corpus      the strongest genes of each cell as tokens; only genes that many cells have
#   fig3/knowledge   the four kinds of prior knowledge for these genes (knowledge.mk)
#   fig3/models/SIZE-SPECIES-KINDS-LAYERS-SEED   a model of SIZE cells, and the labelled cells as its
#                    vectors; the weights are not kept
#   fig3/models/0-SPECIES-KINDS-LAYERS-SEED      the same shape with random weights
#   fig3/scores/SEED all models of a seed and simple methods on the same split: metrics.tsv
#   fig3/figures     what is drawn: fig3a from these scores, fig3b and c from the stage annotate, fig3d
#                    from the stage cross-species; each figure has its data as a table beside it
#
# Every model takes the same number of steps, so sees the same number of cells: what differs with the size
# is how many of them are different, not how long it was trained. A seed stands for the cells drawn, the first
# weights, the order, the masks, and the split of the labelled cells. The sizes of one seed are parts
# of each other. Labelled cells may be in the pretraining corpus, without their labels: the figure says how many.
#
# Profile small, all stages from nothing, in minutes of processor time (two cores have 120 in an hour). AVX2: 180 GFLOP/s of
# products on both cores, busy; AVX-512: a clean clone, beside other work at nice 10, 66 minutes of wall time (21 to the model):
#   AVX2  AVX-512
#     60       38  pretrain and what is before it: 30 pretrain, 4 dnabert, 3 knowledge of 768 numbers
#     20       12  embed and embed-random: 10,087 cells each of up to 512 genes, 4.2 GFLOP a cell. Only the 4,012 with labels
#                  are asked for here; the map has the others
#      2        2  fig3/corpus and fig3/knowledge, nearly all of it co-expression
#     30       22  fig3/models: 242, a sixth of it the vectors of 2,880 labelled cells
#      6        7  fig3/scores: 80 s a seed
#     28       24  annotate: the model and its two controls trained whole, and all else, three seeds
#     18       13  cross-species: three pairs, three seeds, with and without vectors
#    164      118  together: 82 and 59 minutes on two such cores that do nothing else
# Where there is AMX, `pretrain --dtype bf16` takes half of f32.
# 250 steps of 8 cells see as many cells as the largest corpus has; fewer would make the sizes meaningless. What is
# spared (annotate_sizes, cross_species_seeds) is in profiles/small.mk.
fig3_sizes ?= 250 500 1000 2000
fig3_species ?= human mouse both
fig3_kinds ?= all none
fig3_layers ?= 1 2
fig3_seeds ?= 1 2 3 4 5
fig3_sets ?= pbmc_sorted baron_mouse1
fig3_config ?= reference/settings/model-fig3.json
fig3_genes ?= 128
# Genes with counts in so many cells of the corpus get a token.
fig3_least_cells ?= 1000
fig3_steps ?= 250
fig3_batch ?= 8
fig3_lr ?= 2e-3
fig3_warmup ?= 50
fig3_held_out ?= 0.05

fig3_shape = $(foreach z,$(1),$(foreach s,$(fig3_species),$(foreach k,$(fig3_kinds),$(foreach \
	l,$(fig3_layers),$(z)-$(s)-$(k)-$(l)))))
fig3_random := $(foreach k,$(firstword $(fig3_kinds)),$(foreach l,$(fig3_layers),0-$(firstword \
	$(fig3_species))-$(k)-$(l)))
fig3_shapes := $(call fig3_shape,$(fig3_sizes)) $(fig3_random)
fig3_word = $(word $(1),$(subst -, ,$*))
fig3_cells = $(foreach s,$(fig3_sets),$R/qc-filter/$(s)/cells.h5ad)

params/fig3/corpus := --max-length $(fig3_genes) --least-cells $(fig3_least_cells)
params/fig3/models := --steps $(fig3_steps) --batch $(fig3_batch) --lr $(fig3_lr) \
	--warmup $(fig3_warmup) --held-out $(fig3_held_out) --dtype f32 --backend $(BACKEND) \
	--sets $(fig3_sets)
params/fig3/scores := --genes $(annotate_genes) --pcs $(annotate_pcs) --sets $(fig3_sets)
fig3_train := $(filter-out --sets $(fig3_sets),$(params/fig3/models))

# `samples` is known only once stage.mk is read.
.SECONDEXPANSION:
$R/fig3/corpus/MANIFEST.tsv: $B/bin/vocab $B/bin/tokenize $R/fig3/corpus/params $R/tables/MANIFEST.tsv \
		$R/median/MANIFEST.tsv $$(call each_sample,qc-filter) | $(closer)
	$(open_stage)
	$Qmkdir $(@D)/tables && cp $R/tables/aliases.tsv $(@D)/tables
	$Qawk -F '\t' -v OFS='\t' -v least=$(fig3_least_cells) 'FNR == 1 { file++; for (i = 1; i <= NF; i++) \
		col[$$i] = i } file == 1 && FNR > 1 && $$col["n_nonzero"] >= least { seen[$$col["id"]] } \
		file == 2 && FNR > 1 && !($$col["id"] in seen) { $$col["core"] = 0 } file == 2' \
		$R/median/medians.tsv $R/tables/genes.tsv >$(@D)/tables/genes.tsv
	$Q$(tool)vocab --tables $(@D)/tables --out $(@D)/vocab.tsv $(quiet)
	$Q$(tool)tokenize $(kept_cells) --vocab $(@D)/vocab.tsv --medians $R/median/medians.tsv \
		--max-length $(fig3_genes) --out $(@D)/shards --report $(@D)/report.json \
		--threads $(THREADS) $(quiet)
	$(close_stage)

# One thread each: models run side by side (make -j).
$R/fig3/models/%/MANIFEST.tsv: $B/bin/pretrain $B/bin/embed $R/fig3/models/params $(fig3_config) \
		$R/fig3/corpus/MANIFEST.tsv $R/fig3/knowledge/MANIFEST.tsv \
		$$(foreach s,$$(fig3_sets),$R/qc-filter/$$(s)/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Qsed 's/\("num_hidden_layers": \)[0-9]*/\1$(call fig3_word,4)/' $(fig3_config) >$(@D)/config.json
	$Qk='$(call fig3_word,3)'; if [ "$$k" = none ]; then set -- --kinds none; else \
		set -- --knowledge $$(LC_ALL=C ls -d $R/fig3/knowledge/*.safetensors); fi; \
	 n=$(call fig3_word,1); steps=; if [ "$$n" = 0 ]; then n=1; steps='--steps 1 --warmup 1'; fi; \
	 $(tool)pretrain --shards $R/fig3/corpus/shards --tables $R/fig3/corpus/tables \
		--config $(@D)/config.json "$$@" $(fig3_train) $$steps --cells $$n \
		--species $(call fig3_word,2) --eval-cells 100 --eval-every $(fig3_steps) \
		--checkpoint-every $(fig3_steps) --keep 1 --seed $(call fig3_word,5) --out $(@D)/run \
		--report $(@D)/report.json --threads 1 --quiet
	$Q$(tool)embed $(fig3_cells) --model $$(ls -d $(@D)/run/step-*) $(if $(filter 0,$(call \
		fig3_word,1)),--random-weights --seed $(call fig3_word,5)) --backend $(BACKEND) \
		--out $(@D)/cells.h5ad --threads 1 --quiet
	$Qmv $(@D)/run/log.jsonl $(@D); rm -r $(@D)/run
	$(close_stage)

$R/fig3/scores/%/MANIFEST.tsv: $B/bin/annotate $R/fig3/scores/params $R/ledger/MANIFEST.tsv \
		$$(foreach m,$$(fig3_shapes),$R/fig3/models/$$(m)-$$*/MANIFEST.tsv) \
		$$(foreach s,$$(fig3_sets),$R/qc-filter/$$(s)/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Q$(tool)annotate compare --counts $(fig3_cells) --embedding $(foreach \
		m,$(fig3_shapes),$(m)=$R/fig3/models/$(m)-$*/cells.h5ad) --genes $(annotate_genes) \
		--pcs $(annotate_pcs) --seeds 1 --seed $* --ledger $R/ledger/sets.tsv --out $(@D) \
		--report $(@D)/report.json --threads 1 $(quiet)
	$Qrm $(@D)/predictions.tsv $(@D)/comparisons.tsv $(@D)/summary.tsv
	$(close_stage)

ifneq ($(PROFILE),full)
# The sets of a species that have labels; samples.tsv of profile test is there only once it has run.
fig3_labelled = $$(awk -F '\t' -v s=$(1) 'FNR == 1 { for (i = 1; i <= NF; i++) col[$$i] = i; next } \
	$$col["species"] == s && $$col["labels"] != "-" { print $$col["sample"] }' $(samples_tsv))
# Cross-species pairs, where this tree has that stage.
fig3_cross ?= $(if $(wildcard workflows/cross-species.mk),$R/cross-species/MANIFEST.tsv)
fig3_draw = $(tool)figure --claims reference/figure3.tsv --templates paper --out $(@D) $(quiet)
fig3_n = $(words $(foreach s,$(call fig3_shape,$(fig3_sizes)),$(fig3_seeds:%=$(s)-%)))
fig3_leak = $$(awk -F '\t' 'FNR == 1 { for (i = 1; i <= NF; i++) col[$$i] = i; next } \
	index(" $(fig3_sets) ", " " $$col["set"] " ") { printf "%s%s of %s in %s", n++ ? ", " : "", \
	$$col["in_corpus"], $$col["cells"], $$col["set"] }' $R/ledger/sets.tsv)
params/fig3/figures := --profile $(PROFILE) --seeds $(fig3_seeds)
$R/fig3/figures/MANIFEST.tsv: $B/bin/figure $R/fig3/figures/params reference/figure3.tsv paper/common.gp \
		paper/scaling.gp paper/bars.gp $R/annotate/MANIFEST.tsv $(fig3_cross) $R/ledger/MANIFEST.tsv \
		$(fig3_seeds:%=$R/fig3/scores/%/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Q$(fig3_draw) $(fig3_seeds:%=$R/fig3/scores/%/metrics.tsv) --kind scaling --name fig3a \
		--note "Run: $(fig3_n) models by 'make fig3 PROFILE=$(PROFILE)', of $(fig3_steps) steps of $(fig3_batch) cells whatever the size of the corpus, on the $(fig3_genes) strongest genes of a cell; shape: $(notdir $(fig3_config)). A seed ($(fig3_seeds)) draws cells, weights, masks and the split of the labelled cells; logistic regression on the frozen vectors. Bars: 95 % intervals (Student's t)." \
		"Labelled cells that the corpus has, without their labels: $(fig3_leak)."
	$Qfor f in b:human c:mouse; do set -- $(call fig3_labelled,$${f##*:}); if [ $$# -gt 0 ]; then \
		$(fig3_draw) $R/annotate/metrics.tsv --kind methods --name fig3$${f%%:*} --sets "$$@" \
			--note "Run: 'make annotate PROFILE=$(PROFILE)', the same splits for all methods; mean over seeds and 95 % interval (Student's t). Donors are not held out."; fi; done
	$Q$(if $(fig3_cross),$(fig3_draw) $R/cross-species/metrics.tsv --kind methods --metric accuracy --name fig3d \
		--note "Run: 'make cross-species PROFILE=$(PROFILE)'; mean over seeds and 95 % interval (Student's t).",:)
	$(close_stage)
endif
