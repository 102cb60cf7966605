#include "blas.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "blas_kernel.h"
#include "blas_runs.h"
#include "fmt/format.h"

namespace kw::eval {

uint64_t BytesOf(BlasType type) {
  switch (type) {
    case BlasType::kF64:
      return 8;
    case BlasType::kF16:
    case BlasType::kBf16:
      return 2;
    case BlasType::kI8:
      return 1;
    default:
      return 4;
  }
}

namespace emu {
namespace {

using Status = LaunchOutcome::Status;
using Kind = BlasCall::Kind;

constexpr double kProductsAWork = 8, kElementsAWork = 4, kWorkOfBatch = 512;

constexpr std::string_view kAdvice =
    "cuBLAS takes matrices by columns: check m, n, k, the leading dimensions, and which operand "
    "comes first (a row-major C = A B is the call with A and B exchanged, and m and n with them).";

// Bytes from element to element of op(matrix).
int64_t RowBytes(const BlasMatrix& matrix) {
  return (matrix.transposed ? matrix.lead : matrix.step) *
         static_cast<int64_t>(BytesOf(matrix.type));
}
int64_t ColumnBytes(const BlasMatrix& matrix) {
  return (matrix.transposed ? matrix.step : matrix.lead) *
         static_cast<int64_t>(BytesOf(matrix.type));
}

class BlasRun {
 public:
  BlasRun(const BlasCall& call, DeviceMemory* memory, HazardLog* hazards, BlasScratch* scratch,
          BlasOutcome* outcome)
      : call_(call), memory_(*memory), hazards_(*hazards), scratch_(*scratch), outcome_(*outcome) {}

  void Run() {
    if (!ReadScalar(call_.alpha, &alpha_) || !ReadScalar(call_.beta, &beta_)) return;
    const bool scales = call_.kind == Kind::kMultiply || call_.kind == Kind::kAdd;
    reads_a_ = !scales || alpha_ != 0;
    reads_b_ = call_.kind == Kind::kMultiply ? alpha_ != 0 : call_.kind == Kind::kAdd && beta_ != 0;
    reads_c_ = call_.kind == Kind::kMultiply && beta_ != 0;
    if (!ReadPointers(call_.a, reads_a_, &a_pointers_) ||
        !ReadPointers(call_.b, reads_b_, &b_pointers_) ||
        !ReadPointers(call_.c, true, &c_pointers_)) {
      return;
    }
    // All is looked at before anything is stored.
    for (int64_t i = 0; i < call_.batches; ++i) {
      if (!CheckBatch(i)) return;
    }
    CheckBatchesApart();
    if (call_.kind == Kind::kMultiply || call_.kind == Kind::kAdd) {
      for (int64_t i = 0; i < call_.batches; ++i) Compute(i);
    } else {
      Reduce();
    }
  }

 private:
  using Pointers = std::vector<uint64_t>;

  uint64_t AddressOf(const BlasMatrix& matrix, const Pointers& pointers, int64_t batch) const {
    if (matrix.pointers) return pointers[static_cast<size_t>(batch)];
    return matrix.address + static_cast<uint64_t>(batch) *
                                static_cast<uint64_t>(matrix.batch_step) * BytesOf(matrix.type);
  }

  // ---- reports ----

  Hazard NewHazard(std::string kind, uint64_t address) const {
    Hazard hazard;
    hazard.kind = std::move(kind);
    hazard.kernel = call_.function;
    hazard.address = address;
    return hazard;
  }
  bool Fault(Hazard hazard) {
    if (outcome_.status == Status::kOk) {
      outcome_.status = Status::kFault;
      outcome_.message = fmt::format("{}: {}", hazard.kind, hazard.text);
    }
    hazards_.Add(std::move(hazard));
    return false;
  }
  std::string Of(int64_t batch) const {
    return call_.batches > 1 ? fmt::format(" of batch {}", batch) : "";
  }

  // The part of `what` that lies at `address` is not where it may be.
  bool FaultAt(uint64_t address, uint64_t size, bool store, const std::string& what) {
    const AddressFinding finding =
        JudgeAddress(memory_, address, static_cast<uint32_t>(size), store);
    Hazard hazard = NewHazard(finding.kind, address);
    hazard.text = fmt::format("{} {}. This is {}. {}", call_.function, finding.text, what,
                              finding.kind == "host_pointer"
                                  ? "What a call of cuBLAS computes with must lie in device memory."
                                  : std::string(kAdvice));
    return Fault(std::move(hazard));
  }

  // ---- checks ----

  // All runs lie in one live allocation, which is returned; or a fault.
  Span* SpanOf(const Runs& runs, const BlasMatrix& matrix, int64_t batch, bool store) {
    const uint64_t size = BytesOf(matrix.type);
    const std::string what = fmt::format("{}{} ({})", matrix.name, Of(batch), Describe(matrix));
    Span* const span = memory_.Find(runs.first, size);
    if (span == nullptr) {
      FaultAt(runs.first, size, store, "the first element of " + what);
      return nullptr;
    }
    if (runs.first % size != 0) {
      Hazard hazard = NewHazard("misaligned", runs.first);
      hazard.text =
          fmt::format("{} is given {} at byte {} of {}, which is no multiple of {}.",
                      call_.function, what, runs.first - span->start, NameOf(runs.first), size);
      Fault(std::move(hazard));
      return nullptr;
    }
    const uint64_t room = span->start + span->bytes - runs.first;
    const uint64_t extent = Extent(runs);
    if (extent <= room) return span;
    // The first element outside, by columns.
    const uint64_t run = room < runs.bytes ? 0 : (room - runs.bytes) / runs.spacing + 1;
    const bool inside = runs.spacing != 0 && run * runs.spacing < room;
    const uint64_t in_run =
        run == 0 || inside ? (room - run * runs.spacing + size - 1) / size : uint64_t{0};
    const uint64_t offset = run * runs.spacing + in_run * size;
    const bool vector = matrix.columns == 1;
    Hazard hazard = NewHazard("out_of_bounds", runs.first + offset);
    hazard.text = fmt::format(
        "{} {} past the end of {} ({} bytes): {} begins at byte {} of it and ends {} past its end; "
        "its element {} is the first one outside. {}",
        call_.function, store ? "writes" : "reads", NameOf(runs.first), span->bytes, what,
        runs.first - span->start,
        extent == std::numeric_limits<uint64_t>::max() ? "far"
                                                       : fmt::format("{} bytes", extent - room),
        vector ? fmt::format("{}", matrix.step == 1 ? in_run : run)
               : fmt::format("({},{})", in_run % static_cast<uint64_t>(matrix.rows),
                             runs.spacing == 0 ? in_run / static_cast<uint64_t>(matrix.rows) : run),
        kAdvice);
    Fault(std::move(hazard));
    return nullptr;
  }

  std::string NameOf(uint64_t address) const {
    const DeviceMemory::Entry* entry = std::as_const(memory_).Holding(address);
    return entry == nullptr ? "?" : entry->name;
  }

  static void Touch(Span* span, const Runs& runs) {
    for (uint64_t i = 0; i < runs.count; ++i) {
      const uint64_t from = runs.At(i) - span->start;
      for (uint64_t s = from >> 5; s <= (from + runs.bytes - 1) >> 5; ++s) {
        span->touched[s >> 6] |= uint64_t{1} << (s & 63);
      }
    }
  }

  void CheckWritten(const Span& span, const Runs& runs, const BlasMatrix& matrix, int64_t batch) {
    if (span.written == nullptr || told_uninitialised_) return;
    for (uint64_t i = 0; i < runs.count; ++i) {
      const uint64_t from = runs.At(i) - span.start;
      for (uint64_t at = from; at < from + runs.bytes; ++at) {
        if ((at & 7) == 0 && from + runs.bytes - at >= 8 && span.written[at >> 3] == 0xff) {
          at += 7;
          continue;
        }
        if ((span.written[at >> 3] >> (at & 7) & 1) != 0) continue;
        told_uninitialised_ = true;
        Hazard hazard = NewHazard("uninitialised", span.start + at);
        hazard.text = fmt::format(
            "{} reads byte {} of {}, which nobody has written: it is part of {}{} ({}).{} {}",
            call_.function, at, NameOf(span.start), matrix.name, Of(batch), Describe(matrix),
            &matrix == &call_.c ? " With beta = 0 the output would not be read." : "", kAdvice);
        hazards_.Add(std::move(hazard));
        return;
      }
    }
  }

  bool CheckRead(const BlasMatrix& matrix, const Pointers& pointers, int64_t batch, Runs* runs) {
    *runs = RunsOf(matrix, AddressOf(matrix, pointers, batch));
    if (runs->count == 0) return true;
    Span* const span = SpanOf(*runs, matrix, batch, false);
    if (span == nullptr) return false;
    CheckWritten(*span, *runs, matrix, batch);
    Touch(span, *runs);
    return true;
  }

  bool CheckStore(int64_t batch, Runs* runs) {
    if (call_.c.address == 0 && !call_.c.pointers && GoesToHost()) return true;
    *runs = RunsOf(call_.c, AddressOf(call_.c, c_pointers_, batch));
    if (runs->count == 0) return true;
    Span* const span = SpanOf(*runs, call_.c, batch, true);
    if (span == nullptr) return false;
    Touch(span, *runs);
    if (span->read_only) {
      Hazard hazard = NewHazard("out_of_bounds", runs->first);
      hazard.text = fmt::format("{} writes its result {} to {}, which is constant memory.",
                                call_.function, call_.c.name, NameOf(runs->first));
      return Fault(std::move(hazard));
    }
    if (span->is_protected && !span->reported) {
      span->reported = true;
      Hazard hazard = NewHazard("input_written", runs->first);
      hazard.text = fmt::format(
          "{} writes its result {} to {}, which is an input: inputs must stay as they are. Is the "
          "order of the operands right?",
          call_.function, call_.c.name, NameOf(runs->first));
      hazards_.Add(std::move(hazard));
    }
    return true;
  }

  bool CheckBatch(int64_t batch) {
    Runs a, b, c;
    if (reads_a_ && !CheckRead(call_.a, a_pointers_, batch, &a)) return false;
    if (reads_b_ && !CheckRead(call_.b, b_pointers_, batch, &b)) return false;
    if (!CheckStore(batch, &c)) return false;
    if (reads_c_ && c.count != 0) {
      CheckWritten(*memory_.Find(c.first, 1), c, call_.c, batch);
    }
    for (const auto& [matrix, runs] : {std::pair(&call_.a, &a), std::pair(&call_.b, &b)}) {
      // Element by element it may be done in place.
      const bool in_place = call_.kind == Kind::kAdd && !matrix->transposed &&
                            runs->first == c.first && matrix->step == call_.c.step &&
                            (matrix->lead == call_.c.lead || call_.c.columns == 1);
      if (in_place || !Overlap(*runs, c)) continue;
      NoteRace(c.first,
               fmt::format("its result {}{} overlaps {}, which it reads: both lie in {}, and some "
                           "elements are read after they were overwritten. Give the result "
                           "memory of its own.",
                           call_.c.name, Of(batch), matrix->name, NameOf(c.first)));
    }
    return true;
  }

  // No batch writes what another one writes.
  void CheckBatchesApart() {
    constexpr size_t kNeighbours = 64;
    if (call_.batches < 2) return;
    std::vector<Runs> all;
    for (int64_t i = 0; i < call_.batches; ++i) {
      all.push_back(RunsOf(call_.c, AddressOf(call_.c, c_pointers_, i)));
    }
    if (all.front().count == 0) return;
    std::sort(all.begin(), all.end(),
              [](const Runs& one, const Runs& other) { return one.first < other.first; });
    for (size_t i = 0; i < all.size(); ++i) {
      const uint64_t end = all[i].first + Extent(all[i]);
      for (size_t j = i + 1; j < all.size() && j <= i + kNeighbours && all[j].first < end; ++j) {
        if (!Overlap(all[i], all[j])) continue;
        return NoteRace(all[j].first,
                        fmt::format("the results of two of its {} batches overlap in {}: each "
                                    "batch needs {} ({}) of its own. Check the stride of {}.",
                                    call_.batches, NameOf(all[j].first), call_.c.name,
                                    Describe(call_.c), call_.c.name));
      }
    }
  }

  void NoteRace(uint64_t address, const std::string& what) {
    Hazard hazard = NewHazard("global_race", address);
    hazard.text = fmt::format("{}: {}", call_.function, what);
    hazards_.Add(std::move(hazard));
  }

  bool ReadScalar(const BlasScalar& scalar, double* value) {
    *value = scalar.value;
    if (scalar.address == 0) return true;
    BlasMatrix single{.name = scalar.name, .address = scalar.address, .type = scalar.type};
    single.rows = 1;
    const Runs runs = RunsOf(single, scalar.address);
    if (memory_.Find(runs.first, runs.bytes) == nullptr) {
      return FaultAt(runs.first, runs.bytes, false,
                     fmt::format("the scalar {}; the handle's pointer mode is "
                                 "CUBLAS_POINTER_MODE_DEVICE",
                                 scalar.name));
    }
    Span* const span = SpanOf(runs, single, 0, false);
    if (span == nullptr) return false;
    CheckWritten(*span, runs, single, 0);
    Touch(span, runs);
    double sums[kBlasRows];
    const char* const from = span->host + (scalar.address - span->start);
    Kernels().load({.rows = 1,
                    .columns = 1,
                    .a = from,
                    .a_type = scalar.type,
                    .sums = reinterpret_cast<char*>(sums)});
    *value = FirstSum(scalar.type, reinterpret_cast<const char*>(sums));
    return true;
  }

  bool ReadPointers(const BlasMatrix& matrix, bool used, Pointers* pointers) {
    if (!matrix.pointers || !used) return true;
    const uint64_t bytes = static_cast<uint64_t>(call_.batches) * sizeof(uint64_t);
    Span* const span = memory_.Find(matrix.address, bytes);
    if (span == nullptr) {
      return FaultAt(memory_.Find(matrix.address, sizeof(uint64_t)) == nullptr
                         ? matrix.address
                         : memory_.Holding(matrix.address)->span.start +
                               memory_.Holding(matrix.address)->span.bytes,
                     sizeof(uint64_t), false,
                     fmt::format("the array of {} pointers to {}", call_.batches, matrix.name));
    }
    BlasMatrix list = matrix;
    list.name = "the array of pointers to " + matrix.name;
    list.rows = call_.batches;
    list.columns = 1;
    const Runs runs{matrix.address, bytes, 1, 0};
    CheckWritten(*span, runs, list, 0);
    Touch(span, runs);
    pointers->resize(static_cast<size_t>(call_.batches));
    std::memcpy(pointers->data(), span->host + (matrix.address - span->start), bytes);
    return true;
  }

  // ---- arithmetic ----

  static const BlasKernels& Kernels() {
    return VectorHandlersInUse() ? VectorBlasKernels() : PlainBlasKernels();
  }
  static double FirstSum(BlasType type, const char* sums) {
    if (type == BlasType::kF64) {
      double value;
      std::memcpy(&value, sums, sizeof value);
      return value;
    }
    if (type == BlasType::kI32) {
      int32_t value;
      std::memcpy(&value, sums, sizeof value);
      return value;
    }
    float value;
    std::memcpy(&value, sums, sizeof value);
    return value;
  }
  bool GoesToHost() const { return call_.c.address == 0; }
  // Of something that has been checked.
  char* HostOf(uint64_t address) {
    Span* const span = memory_.Find(address, 1);
    return span == nullptr ? nullptr : span->host + (address - span->start);
  }

  void Reserve() {
    constexpr size_t kSum = sizeof(double);
    scratch_.sums.resize(kBlasRows * kBlasColumns * kSum);
    scratch_.packed_a.resize(kBlasTerms * kBlasRows * kSum);
    scratch_.packed_b.resize(kBlasTerms * (kBlasColumns + 16) * kSum);
    scratch_.out.resize(kBlasRows * kBlasColumns * kSum);
  }

  void Compute(int64_t batch) {
    if (call_.m == 0 || call_.n == 0) return;
    Reserve();
    const bool adds = call_.kind == Kind::kAdd;
    BlasTile tile;
    tile.math = call_.math;
    tile.a_type = call_.a.type;
    tile.b_type = call_.b.type;
    tile.out_type = call_.c.type;
    tile.c_type = adds ? call_.b.type : call_.c.type;
    tile.a_row = RowBytes(call_.a);
    tile.a_column = ColumnBytes(call_.a);
    tile.b_row = RowBytes(call_.b);
    tile.b_column = ColumnBytes(call_.b);
    const BlasMatrix& added = adds ? call_.b : call_.c;
    tile.c_row = RowBytes(added);
    tile.c_column = ColumnBytes(added);
    tile.terms = !adds && alpha_ != 0 ? call_.k : 0;
    tile.alpha = alpha_;
    tile.beta = beta_;
    tile.sums = scratch_.sums.data();
    tile.packed_a = scratch_.packed_a.data();
    tile.packed_b = scratch_.packed_b.data();
    tile.out = scratch_.out.data();
    const uint64_t a_at = AddressOf(call_.a, a_pointers_, batch),
                   b_at = AddressOf(call_.b, b_pointers_, batch),
                   c_at = GoesToHost() ? 0 : AddressOf(call_.c, c_pointers_, batch);
    const char* const a = reads_a_ && (adds || call_.k > 0) ? HostOf(a_at) : nullptr;
    const char* const b = reads_b_ && (adds || call_.k > 0) ? HostOf(b_at) : nullptr;
    const char* const c = adds ? b : reads_c_ ? HostOf(c_at) : nullptr;
    for (int64_t j = 0; j < call_.n; j += kBlasColumns) {
      for (int64_t i = 0; i < call_.m; i += kBlasRows) {
        tile.rows = std::min(kBlasRows, call_.m - i);
        tile.columns = std::min(kBlasColumns, call_.n - j);
        if (a != nullptr) tile.a = a + i * tile.a_row + (adds ? j * tile.a_column : 0);
        if (!adds && b != nullptr) tile.b = b + j * tile.b_column;
        tile.c = c == nullptr ? nullptr : c + i * tile.c_row + j * tile.c_column;
        if (adds && a != nullptr) {
          Kernels().load(tile);
        } else {
          Kernels().multiply(tile);
        }
        Kernels().finish(tile);
        StoreTile(tile, c_at, i, j);
      }
    }
  }

  void StoreTile(const BlasTile& tile, uint64_t c_at, int64_t row, int64_t column) {
    const uint64_t size = BytesOf(call_.c.type);
    if (GoesToHost()) {
      outcome_.result = FirstSum(call_.c.type, tile.out);
      return;
    }
    for (int64_t j = 0; j < tile.columns; ++j) {
      const char* const from = tile.out + j * kBlasRows * static_cast<int64_t>(size);
      const uint64_t to =
          c_at + static_cast<uint64_t>((row * call_.c.step + (column + j) * call_.c.lead) *
                                       static_cast<int64_t>(size));
      // The range has been checked: these cannot fail.
      if (call_.c.step == 1) {
        (void)memory_.Write(to, {from, static_cast<size_t>(tile.rows) * size});
        continue;
      }
      for (int64_t i = 0; i < tile.rows; ++i) {
        (void)memory_.Write(to + static_cast<uint64_t>(i * call_.c.step) * size,
                            {from + i * static_cast<int64_t>(size), size});
      }
    }
  }

  // Of one vector. Sums are kept in double, and rounded once.
  void Reduce() {
    Reserve();
    const bool wide = call_.a.type == BlasType::kF64;
    double sum = 0, best = 0;
    int64_t where = call_.m > 0 ? 1 : 0;
    const char* const a = call_.m == 0 ? nullptr : HostOf(call_.a.address);
    for (int64_t i = 0; i < call_.m; i += kBlasRows) {
      BlasTile tile{.rows = std::min(kBlasRows, call_.m - i), .columns = 1};
      tile.a_type = call_.a.type;
      tile.a_row = RowBytes(call_.a);
      tile.a = a + i * tile.a_row;
      tile.sums = scratch_.sums.data();
      Kernels().load(tile);
      for (int64_t r = 0; r < tile.rows; ++r) {
        const double value = std::abs(FirstSum(call_.a.type, tile.sums + r * (wide ? 8 : 4)));
        sum += call_.kind == Kind::kNorm ? value * value : value;
        const bool better = call_.kind == Kind::kSmallest ? value < best : value > best;
        if (i + r != 0 && !better) continue;
        best = value;
        where = i + r + 1;
      }
    }
    const bool index = call_.kind == Kind::kLargest || call_.kind == Kind::kSmallest;
    double result = index                       ? static_cast<double>(where)
                    : call_.kind == Kind::kNorm ? std::sqrt(sum)
                                                : sum;
    if (!index && !wide) result = static_cast<float>(result);
    outcome_.result = result;
    if (GoesToHost()) return;
    std::string bytes(BytesOf(call_.c.type), '\0');
    const auto put = [&](auto value) { std::memcpy(bytes.data(), &value, sizeof value); };
    if (index) {
      put(static_cast<int32_t>(where));
    } else if (wide) {
      put(result);
    } else {
      put(static_cast<float>(result));
    }
    (void)memory_.Write(call_.c.address, bytes);
  }

  const BlasCall& call_;
  DeviceMemory& memory_;
  HazardLog& hazards_;
  BlasScratch& scratch_;
  BlasOutcome& outcome_;
  double alpha_ = 0, beta_ = 0;
  bool reads_a_ = false, reads_b_ = false, reads_c_ = false;
  bool told_uninitialised_ = false;
  Pointers a_pointers_, b_pointers_, c_pointers_;
};

}  // namespace

double BlasWork(const BlasCall& call) {
  const auto d = [](int64_t value) { return static_cast<double>(value); };
  double products = 0;
  if (call.kind == Kind::kMultiply) {
    const bool slow = call.math == BlasMath::kF16 || call.math == BlasMath::kI32;
    const double terms_a_work = slow                          ? kProductsAWork / 4
                                : call.math == BlasMath::kF64 ? kProductsAWork / 2
                                                              : kProductsAWork;
    products = d(call.m) * d(call.n) * d(call.k) / terms_a_work;
  }
  const double elements = d(call.a.rows) * d(call.a.columns) + d(call.b.rows) * d(call.b.columns) +
                          2 * d(call.c.rows) * d(call.c.columns);
  return d(call.batches) * (products + elements / kElementsAWork + kWorkOfBatch);
}

BlasOutcome RunBlas(const BlasCall& call, DeviceMemory* memory, HazardLog* hazards,
                    const DeviceSheet& sheet, uint64_t* budget, BlasScratch* scratch) {
  BlasOutcome outcome;
  const double work = BlasWork(call);
  if (work > static_cast<double>(*budget)) {
    outcome.status = Status::kBudget;
    outcome.message = fmt::format(
        "{} with m = {}, n = {}, k = {}, {} batch(es) is work like {:.3g} lane-instructions; {} "
        "are left of the budget: far too much work, or wrong sizes",
        call.function, call.m, call.n, call.k, call.batches, work, *budget);
    *budget = 0;
    return outcome;
  }
  *budget -= static_cast<uint64_t>(work);
  memory->BeginLaunch();
  BlasRun(call, memory, hazards, scratch, &outcome).Run();
  memory->EndLaunch(0);
  PlanBlas(call, sheet, &outcome);
  outcome.counters.lane_instructions = static_cast<uint64_t>(work);
  outcome.counters.dram_sectors = memory->Touched();
  return outcome;
}

}  // namespace emu
}  // namespace kw::eval
