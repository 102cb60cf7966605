// The guest's libcudart.so.13 as a file: its name, and what it exports.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

namespace kw::eval {
namespace {

class RuntimeLibrary : public testing::Test {
 protected:
  void SetUp() override {
    const std::string path = std::string(KW_BINARY_DIR) + "/lib/libcudart.so.13";
    library_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_TRUE(library_) << dlerror();
  }
  void TearDown() override {
    if (library_) dlclose(library_);
  }
  template <class F>
  F* Find(const char* name) {
    return reinterpret_cast<F*>(dlvsym(library_, name, "libcudart.so.13"));
  }
  void* library_ = nullptr;
};

TEST_F(RuntimeLibrary, ExportsWhatNvccObjectsImport) {
  for (const char* name :
       {"__cudaRegisterFatBinary", "__cudaRegisterFatBinaryEnd", "__cudaUnregisterFatBinary",
        "__cudaRegisterFunction", "__cudaRegisterVar", "__cudaInitModule", "__cudaGetKernel",
        "__cudaLaunchKernel", "__cudaLaunchKernel_ptsz", "__cudaPushCallConfiguration",
        "__cudaPopCallConfiguration", "cudaLaunchKernelExC", "cudaMemcpyAsync", "cudaMallocAsync",
        "cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags", "cudaGetDeviceProperties"}) {
    EXPECT_TRUE(Find<void>(name)) << name;
  }
}

TEST_F(RuntimeLibrary, HidesItsOwnNames) {
  EXPECT_FALSE(dlsym(library_, "_ZN2kw6cudart4CallENS_4eval4ring2OpEPKmiPKvm"));
  EXPECT_FALSE(dlsym(library_, "_ZN2kw4eval13CudaErrorNameEi"));
}

TEST_F(RuntimeLibrary, WithoutAGuestThereIsNoDevice) {
  int count = -1;
  EXPECT_NE(Find<int(int*)>("cudaGetDeviceCount")(&count), 0);
  EXPECT_EQ(count, 0);
  void* pointer = nullptr;
  EXPECT_NE(Find<int(void**, size_t)>("cudaMalloc")(&pointer, 16), 0);
  EXPECT_FALSE(pointer);
  EXPECT_NE(Find<int()>("cudaGetLastError")(), 0);
  EXPECT_EQ(Find<int()>("cudaGetLastError")(), 0);
}

}  // namespace
}  // namespace kw::eval
