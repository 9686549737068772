# perturb-predict: GEARS and simple methods on the same splits (perturb-predict --help):
#   perturb-predict-set                a made-up set whose truth is known, with names from the vocabulary of the profile's
#                                      model, and that model's vectors of its genes (perturb_model=no: without)
#   perturb-predict-run/SET-SPLIT-SEED one split and one training on it: the set simulated, or norman
#   perturb-predict-run/SET-released   one split, one seed, co-expression for the first cell of a batch only
#   perturb-predict                    the tables of all runs, and sums of effects on real pairs (interactions)
# A run is a stage: what was broken off goes on with those that are not there. norman is Norman et al. 2019, where
# perturb_norman names perturb_processed.h5ad of GEARS and perturb_go its graph (a table source, target, importance).
# Every number over splits; the trainings of a split are averaged first.
perturb_norman ?= $(wildcard $(MIRROR:=/benchmarks/gears/perturb_processed.h5ad))
perturb_go ?= $(wildcard $(MIRROR:=/benchmarks/gears/go.csv))
perturb_simulated ?= --genes 200 --perturbed 32 --pairs 48 --families 6 --graph-genes 120 --controls 300 --each 25
perturb_splits ?= 5
perturb_seeds ?= 5
perturb_network ?= --epochs 10 --width 32
perturb_model ?= yes
params/perturb-predict-set := $(perturb_simulated) --seed $(seed) --backend $(BACKEND) \
	$(if $(filter yes,$(perturb_model)),vectors: model)
$R/perturb-predict-set/MANIFEST.tsv: $B/bin/perturb-predict $B/bin/embed $R/perturb-predict-set/params \
		$(if $(filter yes,$(perturb_model)),$R/pretrain/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Q$(tool)perturb-predict simulate $(perturb_simulated) --seed $(seed) --threads $(THREADS) --out $(@D) \
		$(if $(filter yes,$(perturb_model)),--names $(trained)/vocab.tsv) $(quiet)
	$Q$(if $(filter yes,$(perturb_model)),$(tool)embed $(@D)/cells.h5ad --species human --genes --model $(trained) \
		--backend $(BACKEND) --least-overlap 0 --out $(@D)/genes.h5ad --threads $(THREADS) $(quiet),:)
	$(close_stage)

perturb_sets := simulated $(if $(and $(perturb_norman),$(perturb_go)),norman)
perturb_numbers = $(shell seq $(seed) $$(($(seed) + $(1) - 1)))
perturb_runs := $(foreach d,$(perturb_sets),$(foreach s,$(call perturb_numbers,$(perturb_splits)),$(foreach \
	t,$(call perturb_numbers,$(perturb_seeds)),$(d)-$(s)-$(t))))
perturb_read_simulated = $R/perturb-predict-set/cells.h5ad --go $R/perturb-predict-set/go.tsv \
	$(if $(filter yes,$(perturb_model)),--vectors $R/perturb-predict-set/genes.h5ad)
perturb_read_norman = $(perturb_norman) --go $(perturb_go) --width 64
perturb_word = $(word $(1),$(subst -, ,$*))
params/perturb-predict-run := $(perturb_network) --backend $(BACKEND)
# One thread each: runs go side by side (make -j).
$R/perturb-predict-run/%/MANIFEST.tsv: $B/bin/perturb-predict $R/perturb-predict-run/params \
		$R/perturb-predict-set/MANIFEST.tsv $(perturb_norman) $(perturb_go) | $(closer)
	$(open_stage)
	$Q$(tool)perturb-predict evaluate $(perturb_network) $(perturb_read_$(call perturb_word,1)) --dataset $(call \
		perturb_word,1) --backend $(BACKEND) $(if $(filter released,$(call perturb_word,2)),--as-released --seed \
		$(seed),--splits 1 --seed $(call perturb_word,2) --seeds 1 --first-seed $(call perturb_word,3)) \
		--out $(@D) --report $(@D)/report.json --threads 1 $(quiet)
	$(close_stage)

# Fitness of pairs, interactions and fits of Norman et al. 2019 where the cache has them.
perturb_pairs := benchmarks/norman_gi
perturb_gi = $(CACHE)/view/$(perturb_pairs)
params/perturb-predict := $(perturb_network) --splits $(perturb_splits) --seeds $(perturb_seeds) data: $(perturb_sets)
$R/perturb-predict/MANIFEST.tsv: $B/bin/perturb-predict $R/perturb-predict/params $R/fetch/MANIFEST.tsv \
		$(perturb_runs:%=$R/perturb-predict-run/%/MANIFEST.tsv) \
		$(perturb_sets:%=$R/perturb-predict-run/%-released/MANIFEST.tsv) | $(closer)
	$(open_stage)
	$Q$(foreach d,$(perturb_sets),$(tool)perturb-predict join $(patsubst %,$R/perturb-predict-run/%,$(filter \
		$(d)-%,$(perturb_runs))) --out $(@D)/$(d)/scores $(quiet); $(tool)perturb-predict join \
		$R/perturb-predict-run/$(d)-released --out $(@D)/$(d)/as-released $(quiet);)
	$Q$(if $(filter norman,$(perturb_sets)),:,echo '  norman: left out, its expression is not at hand (make fig5 \
		PROFILE=full says where it is)')
	$Qif [ -e $(perturb_gi)/processed_perturbseq_fitnesses.csv ]; then set --; \
		for x in scores:processed_perturbseq_emap fits:regr_fits_final; do f=$(perturb_gi)/$${x#*:}.csv; \
			[ ! -e "$$f" ] || set -- "$$@" --$${x%%:*} "$$f"; done; \
		$(tool)perturb-predict interactions $(perturb_gi)/processed_perturbseq_fitnesses.csv "$$@" \
			--dataset norman-pairs --seed $(seed) --out $(@D)/norman-pairs $(quiet); \
	 else echo '  pairs of norman: left out, the cache has none'; fi
	$Qfor t in metrics comparisons; do first=1; for f in $(@D)/*/{scores,as-released}/$$t.tsv $(@D)/norman-pairs/$$t.tsv; do \
		[ -e "$$f" ] || continue; tail -n +$$first "$$f"; first=2; done >$(@D)/$$t.tsv; done
	$(close_stage)

ifneq ($(PROFILE),full)
fig5_draw = $(tool)figure $R/perturb-predict/metrics.tsv --kind methods --sets $(perturb_sets) --claims reference/figure5.tsv \
	--templates paper --out $(@D) $(quiet)
fig5_note := Run: 'make fig5 PROFILE=$(PROFILE)', $(perturb_splits) splits x $(perturb_seeds) trainings of a network; \
	mean and 95 % interval over splits (Student's t). Data sets named simulated are our own: they say nothing of real cells.
params/fig5 := --profile $(PROFILE)
$R/fig5/MANIFEST.tsv: $B/bin/figure $R/fig5/params reference/figure5.tsv paper/common.gp paper/bars.gp paper/marks.gp \
		reference/figure5-claims.tsv $R/perturb-predict/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(fig5_draw) --metric mse_top20 --name fig5b --note "$(fig5_note)"
	$Q$(fig5_draw) --metric spearman_delta --name fig5c --note "$(fig5_note)"
	$Q$(fig5_draw) --metric wrong_direction_top20 --name fig5d --note "$(fig5_note)"
	$Q$(fig5_draw) --metric deviation_top20 --split unseen_single --name fig5f-single --note "$(fig5_note)"
	$Q$(fig5_draw) --metric deviation_top20 --split combo_seen1 --name fig5f-pair --note "$(fig5_note)"
	$Q$(fig5_draw) --metric pearson_from_centroid --name fig5-corrected --note "$(fig5_note)"
	$Qif [ -e $R/perturb-predict/norman-pairs/metrics.tsv ]; then \
		awk -F '\t' -v OFS='\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$$i] = i; print "row", "series", "value", "low", "high"; \
			next } $$c["metric"] == "rmse" { w["additive"] = "sum of two effects, from all other pairs"; \
			w["train-mean"] = "mean of all other pairs"; w["genes-with-themselves"] = "mean of the genes beside themselves"; \
			s = $$c["split"] == "test" ? "all pairs" : $$c["split"]; m = $$c["method"]; \
			print s " (" $$c["n"] ")", m in w ? w[m] : m, $$c["value"], "-", "-" }' \
			$R/perturb-predict/norman-pairs/metrics.tsv >$(@D)/fig5-pairs.part; \
		$(tool)figure $(@D)/fig5-pairs.part --kind marks --name fig5-pairs --line 0 --label 'error (root of mean square) of fitness' \
			--templates paper --out $(@D) $(quiet) --note "Run: 'make fig5 PROFILE=$(PROFILE)': \
	fitness of pairs of Norman et al. 2019, real cells; each pair told without itself. Synergistic and buffering: the \
	authors' interaction score is beyond two standard deviations. The paper has no such panel."; rm $(@D)/fig5-pairs.part; fi
	$Qcp $R/perturb-predict/comparisons.tsv $(@D)/fig5-comparisons.tsv
	$Qcp reference/figure5-claims.tsv $(@D)/fig5-claims.tsv
	$(close_stage)
fig5: $R/fig5/MANIFEST.tsv
	@ls -d $R/fig5/*.svg
	@awk -F '\t' '{ printf "  %-6s %-18s %s\n", $$1, $$2, $$3 }' $R/fig5/fig5-claims.tsv
else
fig5:
	@awk -F '\t' 'NR == 1 || $$1 == "fig5" { printf "  %-6s %-28s %-72s %s  %s\n", $$1, $$2, $$3, $$4, $$5 }' \
		manifests/figures.tsv
	@echo '  nothing was fetched or computed: PROFILE=small makes the figure from what is at hand'
endif

##@ Results
perturb-predict: $R/perturb-predict/MANIFEST.tsv ## perturbations predicted by GEARS and by simple methods
.PHONY: perturb-predict fig5
