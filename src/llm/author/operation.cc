// Which operation a prompt asks for, and how its prototype maps onto it.
#include <algorithm>
#include <cctype>

#include "kw/base/text.h"
#include "prompt.h"

namespace kw::author {
namespace {

bool Has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

bool IsNameChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The text from `extern "C" void run(` (or `void run(`) to its ')'.
std::string FindPrototype(const std::string& all) {
  for (std::string_view start : {"extern \"C\" void run(", "void run("}) {
    for (size_t at = all.find(start); at != std::string::npos; at = all.find(start, at + 1)) {
      const size_t end = all.find(')', at);
      if (end == std::string::npos) continue;
      std::string found;
      for (char c : std::string_view(all).substr(at, end - at + 1)) {
        const bool space = std::isspace(static_cast<unsigned char>(c)) != 0;
        if (!space) {
          found += c;
        } else if (!found.empty() && found.back() != ' ') {
          found += ' ';
        }
      }
      if (!Has(found, "...")) return found;
    }
  }
  return "";
}

Element ElementOf(std::string_view type) {
  if (Has(type, "bfloat16")) return Element::kBFloat16;
  if (Has(type, "half")) return Element::kHalf;
  return Has(type, "float") ? Element::kFloat : Element::kOther;
}

struct Scores {
  std::array<double, 9> of{};
  void Add(Op op, double score) { of[static_cast<size_t>(op)] += score; }
};

// What Python (or any formula) computes.
void ScoreReference(std::string_view code, Scores& scores) {
  if (Has(code, "log_softmax")) return;
  if (Has(code, "softmax")) scores.Add(Op::kSoftmax, 5);
  if (Has(code, "exp(") && (Has(code, "amax") || Has(code, ".max(") || Has(code, "max(dim"))) {
    scores.Add(Op::kSoftmax, 4);
  }
  if (Has(code, "layer_norm")) scores.Add(Op::kLayerNorm, 5);
  if (Has(code, "rms_norm")) scores.Add(Op::kRmsNorm, 5);
  if (Has(code, "rsqrt") || Has(code, "sqrt(")) {
    const bool centred = Has(code, "- mean") || Has(code, "-mean") || Has(code, "var(");
    scores.Add(centred ? Op::kLayerNorm : Op::kRmsNorm, 3);
  }
  if (Has(code, "gelu") || Has(code, "erf(")) scores.Add(Op::kGelu, 5);
  const bool silu = Has(code, "silu") || Has(code, "sigmoid");
  if (silu && (Has(code, "*") || Has(code, "mul("))) scores.Add(Op::kSiluAndMul, 5);
  if (Has(code, "leaky_relu")) scores.Add(Op::kLeakyRelu, 5);
  if (Has(code, "where(") && Has(code, "slope")) scores.Add(Op::kLeakyRelu, 4);
  if (Has(code, "matmul") || Has(code, " @ ") || Has(code, ".mm(") || Has(code, "torch.mm(")) {
    scores.Add(Op::kMatmul, 4);
  }
  if ((Has(code, ".sum(") || Has(code, "torch.sum(")) && !Has(code, "exp(") && !Has(code, "sqrt")) {
    scores.Add(Op::kRowSum, 3);
  }
}

void ScoreWords(std::string_view text, double weight, Scores& scores) {
  if (Has(text, "softmax") && !Has(text, "log_softmax") && !Has(text, "log-softmax")) {
    scores.Add(Op::kSoftmax, weight);
  }
  for (std::string_view word : {"rmsnorm", "rms_norm", "rms norm", "root mean square"}) {
    if (Has(text, word)) scores.Add(Op::kRmsNorm, weight);
  }
  for (std::string_view word : {"layernorm", "layer_norm", "layer norm"}) {
    if (Has(text, word)) scores.Add(Op::kLayerNorm, weight);
  }
  for (std::string_view word : {"gelu", "gaussian error linear"}) {
    if (Has(text, word)) scores.Add(Op::kGelu, weight);
  }
  for (std::string_view word : {"silu", "swiglu", "gated activation"}) {
    if (Has(text, word)) scores.Add(Op::kSiluAndMul, weight);
  }
  for (std::string_view word : {"leaky_relu", "leaky relu", "leaky rectified", "leakyrelu"}) {
    if (Has(text, word)) scores.Add(Op::kLeakyRelu, weight);
  }
  for (std::string_view word : {"matmul", "gemm", "matrix product", "matrix multipl"}) {
    if (Has(text, word)) scores.Add(Op::kMatmul, weight);
  }
  for (std::string_view word :
       {"row_sum", "row sum", "sum of each row", "sum over each row", "rowsum"}) {
    if (Has(text, word)) scores.Add(Op::kRowSum, weight);
  }
}

// A number in scientific notation or after "eps": "1e-6".
std::string FindEpsilon(std::string_view text) {
  auto number_at = [&](size_t at) {
    size_t end = at;
    while (end < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[end])) != 0 || text[end] == '.' ||
            text[end] == 'e' || (text[end] == '-' && end > at && text[end - 1] == 'e'))) {
      ++end;
    }
    while (end > at && text[end - 1] == '.') --end;
    return std::string(text.substr(at, end - at));
  };
  auto first_small = [&](std::string_view after, size_t reach) -> std::string {
    for (size_t at = text.find(after); at != std::string_view::npos;
         at = text.find(after, at + 1)) {
      for (size_t i = at + after.size(); i < text.size() && i < at + after.size() + reach; ++i) {
        if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) continue;
        const std::string number = number_at(i);
        if (Has(number, "e-") || number.substr(0, 3) == "0.0") return number;
        break;
      }
    }
    return "";
  };
  std::string found = first_small("eps", 12);
  if (found.empty()) found = first_small("+ ", 1);
  return found.empty() ? "" : found + "f";
}

std::string Constant(std::string_view text, std::string_view axis) {
  // "hidden = 4096", "hidden: 4096", "hidden=4096".
  for (size_t at = text.find(axis); at != std::string_view::npos; at = text.find(axis, at + 1)) {
    if (at > 0 && IsNameChar(text[at - 1])) continue;
    size_t i = at + axis.size();
    if (i < text.size() && IsNameChar(text[i])) continue;
    while (i < text.size() && (text[i] == ' ' || text[i] == '=' || text[i] == ':' ||
                               text[i] == '`' || text[i] == '*')) {
      ++i;
    }
    size_t end = i;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
    if (end > i && end - i < 12) return std::string(text.substr(i, end - i));
  }
  return "";
}

// "[rows, cols]" after "name" in a line of the task: the names of its axes.
std::vector<std::string> ShapeOf(std::string_view text, std::string_view name) {
  for (std::string_view line : Lines(text)) {
    const size_t at = line.find(name);
    const size_t open = line.find('[');
    if (at == std::string_view::npos || at > 12 || open == std::string_view::npos) continue;
    if (at + name.size() < line.size() && IsNameChar(line[at + name.size()])) continue;
    if (at > 0 && IsNameChar(line[at - 1])) continue;
    const size_t close = line.find(']', open);
    if (close == std::string_view::npos) continue;
    std::vector<std::string> axes;
    for (std::string_view axis : Split(line.substr(open + 1, close - open - 1), ',')) {
      std::string_view trimmed = Trim(axis);
      while (!trimmed.empty() && (trimmed.front() == '"' || trimmed.front() == '\'')) {
        trimmed.remove_prefix(1);
      }
      while (!trimmed.empty() && (trimmed.back() == '"' || trimmed.back() == '\'')) {
        trimmed.remove_suffix(1);
      }
      axes.emplace_back(trimmed);
    }
    return axes;
  }
  return {};
}

class SpecBuilder {
 public:
  SpecBuilder(const Prompt& prompt, OpSpec& spec) : spec_(spec) {
    for (const Section& section : prompt.sections) {
      if (section.part != Part::kTask) continue;
      task_ += section.heading + "\n" + section.prose;
      for (const Section::Block& block : section.blocks) task_ += block.text;
    }
    if (task_.empty()) task_ = prompt.lower;
  }

  void Build() {
    switch (FamilyOf(spec_.op)) {
      case Family::kRows:
        MapRows();
        break;
      case Family::kElementwise:
        MapElements();
        break;
      case Family::kMatmul:
        MapMatmul();
        break;
    }
    const std::string epsilon = FindEpsilon(task_);
    if (!epsilon.empty()) spec_.epsilon = epsilon;
    if (spec_.op == Op::kLayerNorm || spec_.op == Op::kRmsNorm) {
      for (const std::string& scalar : spec_.scalars) spec_.epsilon = scalar;
    }
    if (spec_.op == Op::kLeakyRelu) {
      if (!spec_.scalars.empty()) spec_.slope = spec_.scalars[0];
    }
    const bool tanh = Has(task_, "approximate=\"tanh\"") || Has(task_, "approximate='tanh'") ||
                      Has(task_, "torch.tanh(");
    spec_.gelu_tanh = spec_.op == Op::kGelu && tanh;
    const size_t up = task_.find("up, gate ="), gate = task_.find("silu(x2");
    spec_.gate_second = up != std::string::npos || gate != std::string::npos;
  }

 private:
  bool IsArgument(const std::string& axis) const {
    return std::find(spec_.axes.begin(), spec_.axes.end(), axis) != spec_.axes.end();
  }
  // The expression for an axis: the argument, or its value in the text.
  std::string Size(const std::string& axis) const {
    if (IsArgument(axis)) return axis;
    if (!axis.empty() && std::isdigit(static_cast<unsigned char>(axis[0])) != 0) return axis;
    return Constant(task_, axis);
  }
  std::string Product(const std::vector<std::string>& axes, size_t from, size_t to) const {
    std::string product;
    for (size_t i = from; i < to; ++i) {
      const std::string size = Size(axes[i]);
      if (size.empty()) return "";
      product += (product.empty() ? "" : " * ") + size;
    }
    return product.empty() ? "1" : product;
  }

  void MapRows() {
    // The shape of the input where the text shows it; else rows first and columns last.
    const std::vector<std::string> shape = ShapeOf(task_, spec_.inputs[0].name);
    if (shape.size() >= 2) {
      spec_.rows = Product(shape, 0, shape.size() - 1);
      spec_.cols = Product(shape, shape.size() - 1, shape.size());
    }
    if (shape.size() < 2 || spec_.rows.empty() || spec_.cols.empty()) Guess();
  }

  void Guess() {
    const std::vector<std::string>& axes = spec_.axes;
    spec_.rows = spec_.cols = "1";
    if (axes.empty()) return;
    if (axes.size() == 1) {
      spec_.rows = axes[0];
      for (std::string_view name : {"hidden_size", "hidden", "cols", "dim", "d"}) {
        if (std::string value = Constant(task_, name); !value.empty()) spec_.cols = value;
      }
      return;
    }
    spec_.rows = Product(axes, 0, axes.size() - 1);
    spec_.cols = axes.back();
  }

  void MapElements() {
    const std::vector<std::string> shape = ShapeOf(task_, spec_.outputs[0].name);
    const size_t last = shape.empty() ? 0 : shape.size() - 1;
    if (!shape.empty()) {
      spec_.rows = Product(shape, 0, last);
      spec_.cols = Product(shape, last, shape.size());
    }
    if (shape.empty() || spec_.rows.empty() || spec_.cols.empty()) {
      spec_.rows = spec_.axes.empty() ? "1" : Product(spec_.axes, 0, spec_.axes.size() - 1);
      spec_.cols = spec_.axes.empty() ? "1" : spec_.axes.back();
    }
    if (spec_.op == Op::kSiluAndMul && spec_.inputs.size() > 2) spec_.inputs.resize(2);
  }

  void MapMatmul() {
    const std::string& c = spec_.outputs[0].name;
    const std::vector<std::string> out = ShapeOf(task_, c),
                                   a = ShapeOf(task_, spec_.inputs[0].name),
                                   b = ShapeOf(task_, spec_.inputs[1].name);
    if (out.size() == 2 && a.size() == 2 && b.size() == 2) {
      spec_.m = Size(out[0]);
      spec_.n = Size(out[1]);
      spec_.k = Size(a[1]);
      spec_.b_transposed = b[0] == out[1] && b[1] == a[1] && b[0] != b[1];
    } else {
      for (const std::string& axis : spec_.axes) {
        const std::string lower = ToLower(axis);
        if (lower == "m" || lower == "rows") spec_.m = axis;
        if (lower == "n" || lower == "cols") spec_.n = axis;
        if (lower == "k" || lower == "inner" || lower == "depth") spec_.k = axis;
      }
      spec_.b_transposed =
          Has(task_, ".T)") || Has(task_, ".t()") || Has(task_, "B.T") || Has(task_, "b.T");
    }
    if (spec_.m.empty()) spec_.m = spec_.axes.empty() ? "1" : spec_.axes[0];
    if (spec_.n.empty()) spec_.n = spec_.axes.size() > 1 ? spec_.axes[1] : spec_.m;
    if (spec_.k.empty()) spec_.k = spec_.axes.size() > 2 ? spec_.axes[2] : spec_.n;
  }

  OpSpec& spec_;
  std::string task_;
};

Op BestOf(const Scores& scores) {
  size_t best = 0;
  for (size_t i = 1; i < scores.of.size(); ++i) {
    if (scores.of[i] > scores.of[best]) best = i;
  }
  return static_cast<Op>(best);
}

Op WhichOperation(const Prompt& prompt) {
  Scores scores;
  for (const Section& section : prompt.sections) {
    for (const Section::Block& block : section.blocks) {
      if (block.language == "python" || block.language == "py") ScoreReference(block.text, scores);
    }
    // What lessons say of other operations must not count.
    if (section.part == Part::kTask) {
      ScoreWords(ToLower(section.heading), 3, scores);
      ScoreWords(ToLower(section.prose), 1.5, scores);
    }
  }
  if (BestOf(scores) != Op::kUnknown) return BestOf(scores);
  for (const Section& section : prompt.sections) {
    ScoreWords(ToLower(section.prose), 1, scores);
    if (section.part != Part::kFeedback) ScoreReference(section.prose, scores);
    for (const Section::Block& block : section.blocks) {
      if (Has(block.text, "def ")) ScoreReference(block.text, scores);
    }
  }
  return BestOf(scores);
}

// Whether the parameters can be those of the operation.
bool Fits(const OpSpec& spec) {
  if (spec.inputs.empty() || spec.outputs.size() != 1) return false;
  for (const std::vector<Parameter>* list : {&spec.inputs, &spec.outputs}) {
    for (const Parameter& p : *list) {
      if (p.element == Element::kOther) return false;
    }
  }
  switch (spec.op) {
    case Op::kMatmul:
      return spec.inputs.size() == 2;
    case Op::kLayerNorm:
      return spec.inputs.size() <= 3;
    case Op::kRmsNorm:
    case Op::kSiluAndMul:
      return spec.inputs.size() <= 2;
    default:
      return spec.inputs.size() == 1;
  }
}

}  // namespace

std::vector<Parameter> ParseParameters(std::string_view list) {
  std::vector<Parameter> parameters;
  const size_t open = list.find('('), close = list.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  for (std::string_view part : Split(list.substr(open + 1, close - open - 1), ',')) {
    part = Trim(part);
    size_t begin = part.size();
    while (begin > 0 && IsNameChar(part[begin - 1])) --begin;
    if (begin == part.size() || begin == 0) continue;
    Parameter p;
    p.name = std::string(part.substr(begin));
    std::string type(Trim(part.substr(0, begin)));
    for (std::string_view extra : {"__restrict__", "__restrict"}) {
      if (const size_t at = type.find(extra); at != std::string::npos) type.erase(at, extra.size());
    }
    p.type = std::string(Trim(type));
    p.element = ElementOf(p.type);
    using Role = Parameter::Role;
    if (Has(p.type, "cudaStream_t")) {
      p.role = Role::kStream;
    } else if (p.type.find('*') == std::string::npos) {
      p.role = Has(p.type, "float") || Has(p.type, "double") ? Role::kScalar : Role::kAxis;
    } else {
      p.role = Has(p.type, "const") ? Role::kInput : Role::kOutput;
    }
    parameters.push_back(std::move(p));
  }
  return parameters;
}

OpSpec ReadOperation(const Prompt& prompt) {
  OpSpec spec;
  std::string all;
  for (const Section& section : prompt.sections) {
    if (section.part == Part::kFeedback) continue;
    for (const Section::Block& block : section.blocks) all += block.text + "\n";
  }
  spec.prototype = FindPrototype(all);
  if (spec.prototype.empty()) spec.prototype = FindPrototype(prompt.text);
  spec.op = WhichOperation(prompt);
  spec.parameters = ParseParameters(spec.prototype);
  for (const Parameter& p : spec.parameters) {
    if (p.role == Parameter::Role::kInput) spec.inputs.push_back(p);
    if (p.role == Parameter::Role::kOutput) spec.outputs.push_back(p);
    if (p.role == Parameter::Role::kAxis) spec.axes.push_back(p.name);
    if (p.role == Parameter::Role::kScalar) spec.scalars.push_back(p.name);
  }
  if (!Fits(spec)) spec.op = Op::kUnknown;
  if (!spec.inputs.empty() && !spec.outputs.empty()) SpecBuilder(prompt, spec).Build();
  return spec;
}

}  // namespace kw::author
