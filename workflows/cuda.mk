##@ GPU
# The cuda kernels (kernels/*_cuda.cu) and the layer below them, in two builds:
#   emulated   a C++ compiler reads the same files behind tests/cuemu/cuemu.h; part of `all`
#   device     nvcc, for the architectures of CUDA_ARCH; `make cuda`, never part of `all`
cuda_src := $(sort $(wildcard kernels/*.cu))
cuda_device_src := $(sort $(wildcard lib/tensor/*.cu))
cuemu_src := $(sort $(wildcard tests/cuemu/*.cpp))

# Without exceptions and guarded statics no C++ library is needed, so $(CC) links.
CXX := $(if $(findstring clang,$(CC)),clang++,g++)
CXXFLAGS := -std=c++20 -Wall -Wextra -Wconversion -Wno-sign-conversion -Wno-unknown-pragmas \
	-fno-exceptions -fno-rtti -fno-threadsafe-statics $(if $(WERROR),-Werror) $(OPT) $(SAN)
cuemu_obj := $(cuda_src:%.cu=$B/cuemu/%.o) $(cuemu_src:%.cpp=$B/cuemu/%.o)

cuemu_flags := $(strip $(CXX) $(filter-out -Werror,$(CXXFLAGS)))
$B/cuemu/flags: $(if $(subst x$(cuemu_flags),,x$(file <$B/cuemu/flags)),FORCE)
	@mkdir -p $(@D); printf '%s\n' '$(cuemu_flags)' >$@
$B/cuemu/%.o: %.cu $B/cuemu/flags
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) -I. $(CXXFLAGS) -MMD -MP -include tests/cuemu/cuemu.h -x c++ -c -o $@ $<
$B/cuemu/%.o: %.cpp $B/cuemu/flags
	@mkdir -p $(@D)
	$(call say,CXX)$(CXX) -I. $(CXXFLAGS) -MMD -MP -c -o $@ $<
-include $(cuemu_obj:.o=.d)

# Programs with the emulated filling: the test of its kernels, and the model on it.
$B/tests/test_cuda: $(cuemu_obj)
$B/tests/parity-model-cuda: $(call obj,tests/parity/parity-model.c) $(cuemu_obj) $(lib)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(lib) $(LDLIBS)
all test-quick: $B/tests/parity-model-cuda
cuda_jobs = $(foreach d,$(call golden,model),$(foreach b,cuda cuda-bf16, \
	'$B/tests/parity-model-cuda $(d) --backend $(b)'))
