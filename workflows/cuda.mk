##@ GPU
, := ,
# The cuda kernels (kernels/*_cuda.cu) and the layer below them, in two builds:
#   emulated   a C++ compiler reads the same files behind tests/cuemu/cuemu.h; part of `all`
#   device     nvcc, for the architectures of CUDA_ARCH; `make cuda`, never part of `all`. Files named wgmma hold
#              instructions of sm_90a alone and are for it; whether they are called is decided on the machine
cuda_src := $(sort $(wildcard kernels/*.cu))
cuda_device_src := $(sort $(wildcard lib/tensor/*.cu))
cuemu_src := $(sort $(wildcard tests/cuemu/*.cpp))

# Without exceptions and guarded statics no C++ library is needed, so $(CC) links.
CXX := $(if $(findstring clang,$(CC)),clang++,g++)
CXXFLAGS := -std=c++20 -Wall -Wextra -Wconversion -Wno-sign-conversion -Wno-unknown-pragmas -Wno-psabi \
	-fno-exceptions -fno-rtti -fno-threadsafe-statics $(if $(WERROR),-Werror) $(OPT) $(SAN)
cuemu_obj := $(cuda_src:%.cu=$B/cuemu/%.o) $(cuemu_src:%.cpp=$B/cuemu/%.o)

cuemu_flags := $(strip $(CXX) $(filter-out -Werror,$(CXXFLAGS)))
$B/cuemu/flags: $(if $(subst x$(cuemu_flags),,x$(file <$B/cuemu/flags)),FORCE)
	@mkdir -p $(@D); printf '%s\n' '$(cuemu_flags)' >$@
$B/cuemu/%.o: %.cu $B/cuemu/flags
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) -I. $(CXXFLAGS) $(deps) -include tests/cuemu/cuemu.h -x c++ -c -o $@ $<
$B/cuemu/%.o: %.cpp $B/cuemu/flags
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) -I. $(CXXFLAGS) $(deps) -c -o $@ $<
-include $(cuemu_obj:.o=.d)

# Programs with the emulated filling: tests of the emulation and of the kernels, the model on it.
$B/tests/test_cuda $B/tests/test_cuemu $B/tests/test_train_cuda $B/tests/test_ranks_cuda $B/tests/test_slopes_cuda $B/tests/test_curve_cuda: $(cuemu_obj)
$B/tests/parity-model-cuda: $(call obj,tests/parity/parity-model.c) $(cuemu_obj) $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(LDLIBS)
# Tools on it, for tests of what takes a device from its first step to its last checkpoint.
cuda_tools := pretrain embed
$(cuda_tools:%=$B/cuemu/bin/%): $B/cuemu/bin/%: $B/obj/bin-src/%.o $(cuemu_obj) $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(LDLIBS)
all test-quick: $B/tests/parity-model-cuda $(cuda_tools:%=$B/cuemu/bin/%)
# What is measured on a device, emulated on tiny sizes: the path is tested, no number of it counts.
cuda_bench := bench-device bench-ops bench-train
$(cuda_bench:%=$B/cuemu/bench/%): $B/cuemu/bench/%: $B/obj/bench/%.o $B/cuemu/bench/triad_cuda.o $(cuemu_obj) $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(LDLIBS)
all test-quick: $(cuda_bench:%=$B/cuemu/bench/%) $B/bench/gpu-report
-include $B/cuemu/bench/triad_cuda.d $B/cuda/obj/bench/triad_cuda.d
cuda_jobs = $(foreach d,$(call golden,model),$(foreach b,cuda cuda-bf16, \
	'$B/tests/parity-model-cuda $(d) --backend $(b)'))

# The device build. Only `cuda` and what stands on it need nvcc; without it they say so and end with 77.
NVCC ?= $(shell command -v nvcc || true)
CUDA_ARCH ?= 80 90
nvcc_home := $(patsubst %/bin/,%,$(dir $(realpath $(NVCC))))
nvcc_for = $(foreach a,$(if $(findstring wgmma,$1),90a,$(CUDA_ARCH)),-gencode arch=compute_$a$(,)code=sm_$a)
nvcc_flags := -std=c++20 -O3 -lineinfo -I. -Werror all-warnings -Xcompiler -Wall -Xcompiler -Wextra \
	-Xptxas -v
nvcc_obj := $(patsubst %.cu,$B/cuda/obj/%.o,$(cuda_src) $(cuda_device_src))
nvcc_libs := $(if $(NVCC),-L$(nvcc_home)/lib64 -Wl$(,)-rpath$(,)$(nvcc_home)/lib64) -lcublasLt \
	-lnccl -lcudart -lstdc++
cuda_header = $(wildcard $(addsuffix /$(1),$(nvcc_home)/include /usr/include /usr/local/include))
cuda_lacks := $(strip $(if $(NVCC),$(foreach h,cublasLt.h nccl.h,$(if $(call cuda_header,$h),,no $h)), \
	there is no nvcc (CUDA toolkit with cuBLASLt and NCCL)))

# What ptxas says of registers and spills stays beside each object.
$B/cuda/obj/%.o: %.cu
	@mkdir -p $(@D)
	$(call say,NVCC)$(NVCC) $(call nvcc_for,$<) $(nvcc_flags) -MMD -MP -c -o $@ $< 2>$(@:.o=.ptxas) || \
		{ grep -v '^ptxas info' $(@:.o=.ptxas) >&2; exit 1; }
-include $(nvcc_obj:.o=.d)

$B/cuda/%: $B/obj/tests/%.o $(nvcc_obj) $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(nvcc_libs) $(LDLIBS)

$(cuda_tools:%=$B/cuda/bin/%): $B/cuda/bin/%: $B/obj/bin-src/%.o $(nvcc_obj) $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(nvcc_libs) $(LDLIBS)

# What gpu-check and gpu-bench run; and the tools.
gpu_all := $(cuda_bench:%=$B/cuda/bench/%) $B/cuda/kernels/test_cuda $B/cuda/kernels/test_curve_cuda \
	$B/cuda/parity/parity-model $B/bench/gpu-report
cuda_programs := $(gpu_all) $(cuda_tools:%=$B/cuda/bin/%)
need_nvcc := @echo 'cannot run here: $(cuda_lacks)' >&2; exit 77
cuda: $(if $(cuda_lacks),,$(cuda_programs)) ## compile the GPU code with nvcc for CUDA_ARCH [80 90], and link it
	$(if $(cuda_lacks),$(need_nvcc),@echo 'cuda: $(words $(nvcc_obj)) files for $(CUDA_ARCH:%=sm_%)')

# Registers, stack and spills of every kernel, as this nvcc allots them.
gpu-registers: $(if $(cuda_lacks),,$(nvcc_obj)) ## write docs/gpu-registers.tsv from a build by nvcc
	$(if $(cuda_lacks),$(need_nvcc),$(call say,TABLE)awk -f workflows/registers.awk $(sort $(nvcc_obj:.o=.ptxas)) \
		>docs/gpu-registers.tsv.part)
	@mv docs/gpu-registers.tsv.part docs/gpu-registers.tsv

gpu-plan: $B/bench/gpu-plan ## expected time of every operation on an H100; also docs/gpu-plan.txt
	@$< | tee docs/gpu-plan.txt

# Where there is a toolkit `test` compiles the device build too; its kernel test ends with 77, a
# skip that says so, where there is no device.
test: $(if $(cuda_lacks),,$(cuda_programs))
cuda_device_jobs = $(if $(cuda_lacks),,$B/cuda/kernels/test_cuda)

# On a device (workflows/gpu.sh): each at most 8 minutes behind the build, one JSON file in reference/gpu. Without a
# device nothing is compiled: one sentence and 77. Without nvcc programs that were built elsewhere are run as they are.
gpu_lacks = $(if $(filter gpu-check gpu-bench,$(MAKECMDGOALS)),$(shell bash workflows/gpu.sh lacks))
$B/cuda/bench/%: $B/obj/bench/%.o $B/cuda/obj/bench/triad_cuda.o $(nvcc_obj) $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(nvcc_libs) $(LDLIBS)
gpu_here := $(if $(cuda_lacks),$(if $(filter-out $(wildcard $(gpu_all)),$(gpu_all)),,yes))
gpu_needs = $(if $(gpu_lacks)$(gpu_here),,$(if $(cuda_lacks),cuda,$(gpu_all)))
gpu_run = $(if $(gpu_lacks),@echo '$@: cannot run here: $(gpu_lacks)' >&2; exit 77,@export NVCC='$(NVCC)' \
	GPU_REPORT=$B/bench/gpu-report GPU_LOGS=$B/gpu/$@ GPU_FOLDERS='$(call golden,model)'; bash workflows/gpu.sh $(1) \
	$B/cuda | bash workflows/gpu.sh run $@ reference/gpu/$(1)-DEVICE.json)

gpu-check: $(gpu_needs) ## needs a device: kernels, model and a training curve against references, and compute-sanitizer
	$(call gpu_run,check)
gpu-bench: $(gpu_needs) ## needs a device: its peaks, time and share of each operation and of steps
	$(call gpu_run,bench)
.PHONY: cuda gpu-registers gpu-plan gpu-check gpu-bench
