#include "src/eval/device/program_tracker.h"

#include <gtest/gtest.h>

#include "src/eval/device/cuda_errors.h"

namespace kw::eval {
namespace {

TEST(ProgramTracker, AFailureHasTheTextOfItsRefusal) {
  ProgramTracker tracker;
  tracker.Refused(kCudaInvalidValue, "400 bytes of 256");
  tracker.CallFailed(kCudaInvalidValue, 7, "cudaMemcpy");
  tracker.CallFailed(kCudaInvalidValue, 8, "cudaFree");
  const ProgramTrace trace = tracker.Take(0);
  ASSERT_EQ(trace.failures.size(), 2u);
  EXPECT_EQ(trace.failures[0].error, "cudaErrorInvalidValue");
  EXPECT_EQ(trace.failures[0].text, "400 bytes of 256");
  EXPECT_EQ(trace.failures[0].site, 7u);
  EXPECT_EQ(trace.failures[1].text, CudaErrorText(kCudaInvalidValue));
}

TEST(ProgramTracker, LookingCountsForTheErrorThatWasAskedFor) {
  ProgramTracker tracker;
  tracker.CallFailed(kCudaInvalidValue, 0, "cudaMemcpy");
  tracker.CallFailed(kCudaMemoryAllocation, 0, "cudaMalloc");
  tracker.LookedAt(kCudaMemoryAllocation);
  const ProgramTrace trace = tracker.Take(0);
  EXPECT_FALSE(trace.failures[0].looked_at);
  EXPECT_TRUE(trace.failures[1].looked_at);
}

TEST(ProgramTracker, TheLastFailureIsTheLastWordOnlyIfNothingCameAfterIt) {
  ProgramTracker tracker;
  tracker.Went();
  tracker.CallFailed(kCudaInvalidValue, 0, "cudaMemcpy");
  EXPECT_TRUE(tracker.Take(0).failures.back().last);
  tracker.CallFailed(kCudaInvalidValue, 0, "cudaMemcpy");
  tracker.Went();
  EXPECT_FALSE(tracker.Take(0).failures.back().last);
}

TEST(ProgramTracker, LaunchesAreCalledSo) {
  ProgramTracker tracker;
  for (const char* name : {"__cudaLaunchKernel", "cudaLaunchKernelExC_ptsz",
                           "cudaLaunchCooperativeKernel", "cudaLaunchHostFunc"}) {
    tracker.CallFailed(kCudaInvalidConfiguration, 0, name);
  }
  const ProgramTrace trace = tracker.Take(0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(trace.failures[i].call, "a kernel launch") << i;
  EXPECT_FALSE(trace.failures[3].launch);
}

TEST(ProgramTracker, WhatIsNotFreedStays) {
  ProgramTracker tracker;
  tracker.Allocated(0x100, "cudaMalloc 1", 4, 1);
  tracker.Allocated(0x200, "cudaMalloc 2", 8, 2);
  tracker.Freed(0x100);
  tracker.Freed(0x999);
  const ProgramTrace trace = tracker.Take(5);
  EXPECT_TRUE(trace.allocations[0].freed);
  EXPECT_FALSE(trace.allocations[1].freed);
  EXPECT_EQ(trace.left_undone, 5u);
}

TEST(ProgramTracker, KeepsABoundedNumberOfEach) {
  ProgramTracker tracker;
  for (uint64_t i = 0; i < 20'000; ++i) {
    tracker.CallFailed(kCudaInvalidValue, i, "cudaFree");
    tracker.Allocated(i, "cudaMalloc", 4, 0);
  }
  const ProgramTrace trace = tracker.Take(0);
  EXPECT_EQ(trace.failures.size(), 100u);
  EXPECT_EQ(trace.allocations.size(), 10'000u);
}

}  // namespace
}  // namespace kw::eval
