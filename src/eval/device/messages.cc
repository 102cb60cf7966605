#include "messages.h"

#include "wire.h"

namespace kw::eval {
namespace {

// One list of a sheet's members for both directions.
template <class Number, class Text, class Sheet>
void EachMember(Sheet& s, Number number, Text text) {
  text(s.name);
  text(s.title);
  number(s.sm);
  number(s.sm_count);
  number(s.clock_ghz);
  number(s.max_threads_per_block);
  number(s.max_threads_per_sm);
  number(s.max_blocks_per_sm);
  number(s.registers_per_sm);
  number(s.shared_per_block);
  number(s.shared_per_block_optin);
  number(s.shared_per_sm);
  number(s.memory_bytes);
  number(s.l2_bytes);
  number(s.dram_gbps);
  number(s.l2_gbps);
  number(s.fp32_tflops);
  number(s.fp64_tflops);
  number(s.fp16_tflops);
  number(s.tensor_fp16_tflops);
  number(s.tensor_tf32_tflops);
  number(s.launch_us);
  text(s.hash);
}

void Put(WireWriter& w, const Dim3& d) { w.Number(d.x).Number(d.y).Number(d.z); }
Dim3 TakeDim3(WireReader& r) {
  Dim3 d;
  r.Number(&d.x);
  r.Number(&d.y);
  r.Number(&d.z);
  return d;
}

void Put(WireWriter& w, const Hazard& h) {
  w.Text(h.kind).Text(h.kernel).Text(h.file).Number(h.line);
  Put(w, h.block);
  Put(w, h.thread);
  w.Number(h.address).Text(h.text);
}
Hazard TakeHazard(WireReader& r) {
  Hazard h;
  h.kind = r.Text();
  h.kernel = r.Text();
  h.file = r.Text();
  r.Number(&h.line);
  h.block = TakeDim3(r);
  h.thread = TakeDim3(r);
  r.Number(&h.address);
  h.text = r.Text();
  return h;
}

void Put(WireWriter& w, const LaunchRecord& l) {
  w.Text(l.kernel);
  Put(w, l.grid);
  Put(w, l.block);
  w.Number(l.dynamic_shared).Number(l.blocks_run).Number(l.error);
  for (const auto counter : kCounters) w.Number(l.counters.*counter);
}
LaunchRecord TakeLaunch(WireReader& r) {
  LaunchRecord l;
  l.kernel = r.Text();
  l.grid = TakeDim3(r);
  l.block = TakeDim3(r);
  r.Number(&l.dynamic_shared);
  r.Number(&l.blocks_run);
  r.Number(&l.error);
  for (const auto counter : kCounters) r.Number(&(l.counters.*counter));
  return l;
}

void Put(WireWriter& w, const SampledCall& s) {
  w.Text(s.unusable).Number<uint64_t>(s.stored.size());
  for (const auto& runs : s.stored) {
    w.Number<uint64_t>(runs.size());
    for (const auto& [from, to] : runs) w.Number(from).Number(to);
  }
}
SampledCall TakeSampled(WireReader& r) {
  SampledCall s;
  s.unusable = r.Text();
  s.stored.resize(r.Count(8));
  for (auto& runs : s.stored) {
    runs.resize(r.Count(16));
    for (auto& [from, to] : runs) {
      r.Number(&from);
      r.Number(&to);
    }
  }
  return s;
}

void Put(WireWriter& w, const ProgramTrace& t) {
  w.Number(t.exit_code).Number(t.left_undone);
  w.Number<uint64_t>(t.failures.size());
  for (const CallFailure& f : t.failures) {
    w.Text(f.call).Text(f.error).Text(f.text).Number(f.site);
    w.Number<uint8_t>(f.launch).Number<uint8_t>(f.looked_at).Number<uint8_t>(f.last);
  }
  w.Number<uint64_t>(t.allocations.size());
  for (const DeviceAllocation& a : t.allocations) {
    w.Text(a.name).Number(a.bytes).Number(a.site).Number<uint8_t>(a.freed);
  }
}
ProgramTrace TakeTrace(WireReader& r) {
  ProgramTrace t;
  r.Number(&t.exit_code);
  r.Number(&t.left_undone);
  t.failures.resize(r.Count(32));
  for (CallFailure& f : t.failures) {
    f.call = r.Text();
    f.error = r.Text();
    f.text = r.Text();
    r.Number(&f.site);
    f.launch = r.Bool();
    f.looked_at = r.Bool();
    f.last = r.Bool();
  }
  t.allocations.resize(r.Count(25));
  for (DeviceAllocation& a : t.allocations) {
    a.name = r.Text();
    r.Number(&a.bytes);
    r.Number(&a.site);
    a.freed = r.Bool();
  }
  return t;
}

template <class T>
std::optional<T> Checked(const WireReader& reader, T message) {
  if (!reader.ok()) return std::nullopt;
  return message;
}

}  // namespace

std::string Encode(const OpenMessage& m) {
  WireWriter w;
  EachMember(
      m.sheet, [&](auto number) { w.Number(number); },
      [&](const std::string& text) { w.Text(text); });
  w.Number(m.seed).Number(m.memory_bytes).Number(m.threads).Number<uint8_t>(m.program);
  w.Number<uint64_t>(m.registers.size());
  for (const auto& [kernel, count] : m.registers) w.Text(kernel).Number(count);
  return w.Take();
}
std::optional<OpenMessage> DecodeOpen(std::string_view bytes) {
  WireReader r(bytes);
  OpenMessage m;
  EachMember(
      m.sheet, [&](auto& number) { r.Number(&number); },
      [&](std::string& text) { text = r.Text(); });
  r.Number(&m.seed);
  r.Number(&m.memory_bytes);
  r.Number(&m.threads);
  m.program = r.Bool();
  const uint64_t kernels = r.Count(12);
  for (uint64_t i = 0; i < kernels; ++i) {
    std::string kernel = r.Text();
    r.Number(&m.registers[std::move(kernel)]);
  }
  return Checked(r, std::move(m));
}

std::string Encode(const LoadedMessage& m) {
  return WireWriter().Number<uint8_t>(m.ok).Number<uint8_t>(m.unsupported).Text(m.text).Take();
}
std::optional<LoadedMessage> DecodeLoaded(std::string_view bytes) {
  WireReader r(bytes);
  LoadedMessage m;
  m.ok = r.Bool();
  m.unsupported = r.Bool();
  m.text = r.Text();
  return Checked(r, std::move(m));
}

std::string Encode(const Constructors& m) {
  return WireWriter().Number(m.init).Number(m.array).Number(m.array_bytes).Take();
}
std::optional<Constructors> DecodeConstructors(std::string_view bytes) {
  WireReader r(bytes);
  Constructors m;
  r.Number(&m.init);
  r.Number(&m.array);
  r.Number(&m.array_bytes);
  return Checked(r, m);
}

std::string Encode(const BeginMessage& m) {
  WireWriter w;
  w.Number(m.seed).Number(m.budget).Number(m.exchange_bytes).Number<uint8_t>(m.reuse_buffers);
  w.Number<uint8_t>(m.sampling.has_value());
  if (m.sampling) w.Number(m.sampling->seed).Number(m.sampling->lane_instructions);
  w.Number<uint64_t>(m.buffers.size());
  for (const BufferSpec& b : m.buffers) {
    w.Text(b.name).Number<uint8_t>(b.output).Number(b.offset).Number(b.bytes);
  }
  return w.Take();
}
std::optional<BeginMessage> DecodeBegin(std::string_view bytes) {
  WireReader r(bytes);
  BeginMessage m;
  r.Number(&m.seed);
  r.Number(&m.budget);
  r.Number(&m.exchange_bytes);
  m.reuse_buffers = r.Bool();
  if (r.Bool()) {
    Sampling& sampling = m.sampling.emplace();
    r.Number(&sampling.seed);
    r.Number(&sampling.lane_instructions);
  }
  m.buffers.resize(r.Count(25));
  for (BufferSpec& b : m.buffers) {
    b.name = r.Text();
    b.output = r.Bool();
    r.Number(&b.offset);
    r.Number(&b.bytes);
    if (b.offset > m.exchange_bytes || b.bytes > m.exchange_bytes - b.offset) return std::nullopt;
  }
  return Checked(r, std::move(m));
}

std::string Encode(const BeganMessage& m) {
  WireWriter w;
  w.Number<uint8_t>(m.ok).Text(m.text).Number(m.stream).Number<uint64_t>(m.addresses.size());
  for (uint64_t address : m.addresses) w.Number(address);
  return w.Take();
}
std::optional<BeganMessage> DecodeBegan(std::string_view bytes) {
  WireReader r(bytes);
  BeganMessage m;
  m.ok = r.Bool();
  m.text = r.Text();
  r.Number(&m.stream);
  m.addresses.resize(r.Count(8));
  for (uint64_t& address : m.addresses) r.Number(&address);
  return Checked(r, std::move(m));
}

std::string Encode(const EndMessage& m) { return WireWriter().Number<uint8_t>(m.drain).Take(); }
std::optional<EndMessage> DecodeEnd(std::string_view bytes) {
  WireReader r(bytes);
  EndMessage m;
  m.drain = r.Bool();
  return Checked(r, m);
}

std::string Encode(const GuestCall& m) {
  WireWriter w;
  w.Number(m.number).Number<uint64_t>(m.values.size());
  for (const GuestValue& value : m.values) w.Number(value.kind).Number(value.bits);
  return w.Take();
}
std::optional<GuestCall> DecodeGuestCall(std::string_view bytes) {
  WireReader r(bytes);
  GuestCall m;
  r.Number(&m.number);
  m.values.resize(r.Count(9));
  for (GuestValue& value : m.values) {
    r.Number(&value.kind);
    r.Number(&value.bits);
    if (value.kind > ValueKind::kDouble) return std::nullopt;
  }
  return Checked(r, std::move(m));
}

std::string EncodeOutcome(const CallOutcome& o) {
  WireWriter w;
  w.Number(static_cast<uint32_t>(o.status)).Text(o.message);
  w.Number<uint64_t>(o.output_written.size());
  for (bool written : o.output_written) w.Number<uint8_t>(written);
  w.Number<uint64_t>(o.hazards.size());
  for (const Hazard& hazard : o.hazards) Put(w, hazard);
  w.Number<uint64_t>(o.launches.size());
  for (const LaunchRecord& launch : o.launches) Put(w, launch);
  w.Number(o.host_to_device_bytes).Number(o.device_to_host_bytes);
  w.Number(o.device_moves).Number(o.device_moved_bytes);
  w.Number(o.kept_allocations).Number(o.kept_bytes);
  w.Number<uint8_t>(o.result_from_host).Text(o.printed);
  Put(w, o.program);
  w.Number<uint8_t>(o.sampled.has_value());
  if (o.sampled) Put(w, *o.sampled);
  return w.Take();
}
std::optional<CallOutcome> DecodeOutcome(std::string_view bytes) {
  WireReader r(bytes);
  CallOutcome o;
  auto status = r.Number<uint32_t>();
  if (status > static_cast<uint32_t>(CallOutcome::Status::kWallLimit)) return std::nullopt;
  o.status = static_cast<CallOutcome::Status>(status);
  o.message = r.Text();
  o.output_written.resize(r.Count(1));
  for (size_t i = 0; i < o.output_written.size(); ++i) o.output_written[i] = r.Bool();
  uint64_t hazards = r.Count(32);
  for (uint64_t i = 0; i < hazards; ++i) o.hazards.push_back(TakeHazard(r));
  uint64_t launches = r.Count(32);
  for (uint64_t i = 0; i < launches; ++i) o.launches.push_back(TakeLaunch(r));
  r.Number(&o.host_to_device_bytes);
  r.Number(&o.device_to_host_bytes);
  r.Number(&o.device_moves);
  r.Number(&o.device_moved_bytes);
  r.Number(&o.kept_allocations);
  r.Number(&o.kept_bytes);
  o.result_from_host = r.Bool();
  o.printed = r.Text();
  o.program = TakeTrace(r);
  if (r.Bool()) o.sampled = TakeSampled(r);
  return Checked(r, std::move(o));
}

}  // namespace kw::eval
