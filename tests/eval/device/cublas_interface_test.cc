// Our cublas_v2.h declares what NVIDIA's does: the types of functions, and the numbers.
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace kw::eval {

std::map<std::string, std::string> ToolkitInterface();
std::map<std::string, std::string> OwnInterface();

namespace {

TEST(CublasInterface, IsTheToolkits) { EXPECT_EQ(OwnInterface(), ToolkitInterface()); }

}  // namespace
}  // namespace kw::eval
