# perturb-predict: GEARS and simple methods on the same splits (perturb-predict --help):
#   perturb-predict/simulated   a made-up set whose truth is known; in every profile but full
#   perturb-predict/norman      Norman et al. 2019, where perturb_norman names perturb_processed.h5ad of GEARS and
#                               perturb_go its graph (a table source, target, importance)
#   as-released                 one split, one seed, co-expression for the first cell of a batch only
# metrics.tsv joins them. Every number over splits; the trainings of a split are averaged first.
perturb_norman ?= $(wildcard $(MIRROR:=/benchmarks/gears/perturb_processed.h5ad))
perturb_go ?= $(wildcard $(MIRROR:=/benchmarks/gears/go.csv))
perturb_simulated ?= --genes 200 --perturbed 32 --pairs 48 --families 6 --graph-genes 120 --controls 300 --each 25
perturb_splits ?= 5
perturb_seeds ?= 5
perturb_network ?= --epochs 10 --width 32
params/perturb-predict := $(perturb_simulated) --splits $(perturb_splits) --seeds $(perturb_seeds) \
	$(perturb_network) --backend $(BACKEND) --seed $(seed) $(if $(perturb_norman),with Norman)
perturb_evaluate = $(tool)perturb-predict evaluate $(1) --dataset $(2) --seed $(seed) $(perturb_network) \
	--backend $(BACKEND) --threads $(THREADS) $(quiet)
$R/perturb-predict/MANIFEST.tsv: $B/bin/perturb-predict $R/perturb-predict/params $(perturb_norman) \
		$(perturb_go) | $(closer)
	$(open_stage)
	$Q$(tool)perturb-predict simulate $(perturb_simulated) --seed $(seed) --threads $(THREADS) \
		--out $(@D)/simulated $(quiet)
	$Q$(call perturb_evaluate,$(@D)/simulated/cells.h5ad,simulated) --go $(@D)/simulated/go.tsv \
		--splits $(perturb_splits) --seeds $(perturb_seeds) --out $(@D)/simulated/scores \
		--report $(@D)/simulated/report.json
	$Q$(call perturb_evaluate,$(@D)/simulated/cells.h5ad,simulated) --go $(@D)/simulated/go.tsv \
		--as-released --out $(@D)/simulated/as-released
	$Q$(if $(and $(perturb_norman),$(perturb_go)),$(call perturb_evaluate,$(perturb_norman),norman) \
		--go $(perturb_go) --width 64 --splits $(perturb_splits) --seeds $(perturb_seeds) \
		--out $(@D)/norman/scores --report $(@D)/norman/report.json,echo '  norman: left out, its \
		expression is not at hand (make fig5 PROFILE=full says where it is)')
	$Qfor t in metrics comparisons; do first=1; for f in $(@D)/*/*/$$t.tsv; do \
		tail -n +$$first "$$f"; first=2; done >$(@D)/$$t.tsv; done
	$(close_stage)

ifneq ($(PROFILE),full)
fig5_draw = $(tool)figure $R/perturb-predict/metrics.tsv --kind methods --claims reference/figure5.tsv \
	--templates paper --out $(@D) $(quiet)
fig5_note := Run: 'make fig5 PROFILE=$(PROFILE)', $(perturb_splits) splits x $(perturb_seeds) trainings of a network; \
	mean and 95 % interval over splits (Student's t). Data sets named simulated are our own: they say nothing of real cells.
params/fig5 := --profile $(PROFILE)
$R/fig5/MANIFEST.tsv: $B/bin/figure $R/fig5/params reference/figure5.tsv paper/common.gp paper/bars.gp \
		reference/figure5-claims.tsv $R/perturb-predict/MANIFEST.tsv | $(closer)
	$(open_stage)
	$Q$(fig5_draw) --metric mse_top20 --name fig5b --note "$(fig5_note)"
	$Q$(fig5_draw) --metric spearman_delta --name fig5c --note "$(fig5_note)"
	$Q$(fig5_draw) --metric wrong_direction_top20 --name fig5d --note "$(fig5_note)"
	$Q$(fig5_draw) --metric deviation_top20 --split unseen_single --name fig5f-single --note "$(fig5_note)"
	$Q$(fig5_draw) --metric deviation_top20 --split combo_seen1 --name fig5f-pair --note "$(fig5_note)"
	$Q$(fig5_draw) --metric pearson_from_centroid --name fig5-corrected --note "$(fig5_note)"
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
