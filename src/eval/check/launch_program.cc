#include "launch_program.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "kw/base/text.h"

namespace kw::eval {
namespace {

using Contents = LaunchArgument::Contents;

constexpr char kSupport[] = R"(
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>
namespace kwright_check {
static uint64_t seed, drawn;
static uint64_t Draw() {  // splitmix64
  uint64_t z = seed + ++drawn * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}
static double Uniform() { return (static_cast<double>(Draw() >> 11) + 0.5) * 0x1p-53; }
static double Normal() {  // Box and Muller
  const double radius = std::sqrt(-2 * std::log(Uniform()));
  return radius * std::cos(6.283185307179586 * Uniform());
}
template <class KwElement>
static KwElement* Allocate(size_t count) {
  KwElement* buffer = nullptr;
  if (cudaMalloc(&buffer, count * sizeof(KwElement)) == cudaSuccess) return buffer;
  std::fprintf(stderr, "no device memory for a buffer of %zu bytes\n", count * sizeof(KwElement));
  std::exit(1);
}
template <class KwElement, class KwValue>
static KwElement* Filled(size_t count, KwValue value) {
  std::vector<char> bytes(count * sizeof(KwElement));
  for (size_t i = 0; i < count; ++i) reinterpret_cast<KwElement*>(bytes.data())[i] = value();
  KwElement* buffer = Allocate<KwElement>(count);
  cudaMemcpy(buffer, bytes.data(), bytes.size(), cudaMemcpyHostToDevice);
  return buffer;
}
static void Finish() {
  const cudaError_t launched = cudaGetLastError();
  if (launched == cudaSuccess) cudaDeviceSynchronize();
}
}  // namespace kwright_check
)";

// "static_cast<__half>(0x1p-1)"
std::string ValueInCpp(const LaunchArgument& argument) {
  const LaunchType& type = *argument.type;
  if (!type.real) {
    return fmt::format("static_cast<{}>({}ULL)", type.cpp, argument.integer);
  }
  std::string literal = fmt::format("{:a}", argument.real);
  if (std::isnan(argument.real)) literal = "__builtin_nan(\"\")";
  if (std::isinf(argument.real)) {
    literal = argument.real > 0 ? "__builtin_inf()" : "-__builtin_inf()";
  }
  return fmt::format("static_cast<{}>({})", type.cpp, literal);
}

std::string RandomInCpp(const LaunchType& type) {
  if (type.name == "bool") return "(kwright_check::Draw() & 1) != 0";
  if (type.real) return fmt::format("static_cast<{}>(kwright_check::Normal())", type.cpp);
  return fmt::format("static_cast<{}>(kwright_check::Draw() % 100)", type.cpp);
}

std::string ArgumentInCpp(const LaunchArgument& argument) {
  const LaunchType& type = *argument.type;
  switch (argument.contents) {
    case Contents::kScalar:
      break;
    case Contents::kUninitialised:
      return fmt::format("kwright_check::Allocate<{}>({})", type.cpp, argument.count);
    case Contents::kFilled:
      return fmt::format("kwright_check::Filled<{}>({}, [] {{ return {}; }})", type.cpp,
                         argument.count, ValueInCpp(argument));
    case Contents::kRandom:
      return fmt::format("kwright_check::Filled<{}>({}, [] {{ return {}; }})", type.cpp,
                         argument.count, RandomInCpp(type));
  }
  return ValueInCpp(argument);
}

std::string LaunchInCpp(const LaunchExpression& launch, size_t number) {
  std::string text = "  {\n", frees;
  std::vector<std::string> names;
  for (const LaunchArgument& argument : launch.arguments) {
    names.push_back(fmt::format("kwright_argument_{}", names.size() + 1));
    text += fmt::format("    const auto {} = {};\n", names.back(), ArgumentInCpp(argument));
    if (argument.contents != Contents::kScalar) {
      frees += fmt::format("    cudaFree({});\n", names.back());
    }
  }
  const auto dims = [](const Dim3& d) { return fmt::format("dim3({}, {}, {})", d.x, d.y, d.z); };
  text += fmt::format("#line 1 \"launch {}\"\n", number);
  text += fmt::format("    {}<<<{}, {}, {}>>>({});\n", launch.kernel, dims(launch.grid),
                      dims(launch.block), launch.dynamic_shared, Join(names, ", "));
  return text + "    kwright_check::Finish();\n" + frees + "  }\n";
}

}  // namespace

std::string LaunchProgram(const std::vector<LaunchExpression>& launches) {
  std::set<std::string_view> headers;
  for (const LaunchExpression& launch : launches) {
    for (const LaunchArgument& argument : launch.arguments) headers.insert(argument.type->header);
  }
  std::string text = "\n#line 1 \"launches\"\n";
  for (const std::string_view header : headers) {
    if (!header.empty()) text += fmt::format("#include <{}>\n", header);
  }
  text += kSupport;
  text += fmt::format("extern \"C\" int {}(int, char** argv) {{\n", kLaunchesEntry);
  text += "  kwright_check::seed = std::strtoull(argv[1], nullptr, 10);\n";
  for (size_t i = 0; i < launches.size(); ++i) text += LaunchInCpp(launches[i], i + 1);
  return text + "  return 0;\n}\n";
}

std::vector<std::string> LaunchBuffers(const std::vector<LaunchExpression>& launches) {
  std::vector<std::string> buffers;
  for (size_t l = 0; l < launches.size(); ++l) {
    const std::vector<LaunchArgument>& arguments = launches[l].arguments;
    const std::string launch = launches.size() > 1 ? fmt::format(" of launch {}", l + 1) : "";
    for (size_t a = 0; a < arguments.size(); ++a) {
      if (arguments[a].contents == Contents::kScalar) continue;
      buffers.push_back(
          fmt::format("argument {}{}, {}", a + 1, launch, FormatArgument(arguments[a])));
    }
  }
  return buffers;
}

}  // namespace kw::eval
