#include "decode/flow_template.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>
#include <limits>

#include "core/text.h"
#include "decode/bytes.h"
#include "decode/packet.h"
#include "decode/scanner.h"

namespace orbwatch::decode {

using core::Ip;
using core::kMicrosecond;
using core::kMillisecond;
using core::kSecond;
using core::Nanoseconds;
using event::Action;
using event::Activity;
using event::Class;

// What a record says that an Event has no place for, until its block is finished.
struct Scratch {
  Nanoseconds observed = 0;  // when the device saw the firewall or NAT event
  std::uint16_t extended = 0;
  std::uint8_t firewall_event = 0;
  std::uint8_t nat_event = 0;
  bool drop = false;
};

struct RunContext {
  const MessageTime& time;
  DomainFacts& facts;
  Scratch* scratch = nullptr;
};

namespace {

// 32 events of some 300 bytes and their records stay in a 32 KiB first-level cache.
constexpr std::size_t kBlock = 32;

const Symbol kOptionsData = core::intern("options data");
const Symbol kNoAddress = core::intern("flow without addresses");
const Symbol kNoIpInFrame = core::intern("sampled frame without IP");
const Symbol kNatOther = core::intern("NAT event without session");
const Symbol kFirewallOther = core::intern("firewall event without session");
const Symbol kIncomplete = core::intern("flow: incomplete record");

const Symbol kIngressAcl = core::intern("denied by ingress access list");
const Symbol kEgressAcl = core::intern("denied by egress access list");
const Symbol kToDevice = core::intern("denied to the device itself");
const Symbol kNotSyn = core::intern("first packet not SYN");

// A number that cannot be a time gives 0: unknown.
Nanoseconds scaled(std::uint64_t count, Nanoseconds unit) {
  return count <= static_cast<std::uint64_t>(std::numeric_limits<Nanoseconds>::max() / 2 / unit)
             ? static_cast<Nanoseconds>(count) * unit
             : 0;
}

template <unsigned Length>
std::uint64_t load(const std::uint8_t* p, std::size_t length) {
  if constexpr (Length == 1) return *p;
  if constexpr (Length == 2) return be16(p);
  if constexpr (Length == 4) return be32(p);
  if constexpr (Length == 8) return be64(p);
  return be_number(p, length);
}

// One column of unsigned numbers.
template <auto Member, unsigned Length>
void number(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  using Type = std::remove_reference_t<decltype(to->*Member)>;
  const std::size_t length = step.length;
  for (std::size_t i = 0; i < n; ++i, from += stride) to[i].*Member = static_cast<Type>(load<Length>(from, length));
}

template <auto Member>
Step::Run number_of(std::size_t length) {
  switch (length) {
    case 1: return number<Member, 1>;
    case 2: return number<Member, 2>;
    case 4: return number<Member, 4>;
    case 8: return number<Member, 8>;
    default: return number<Member, 0>;
  }
}

void or_flags(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    to[i].tcp_flags = static_cast<std::uint16_t>(to[i].tcp_flags | be_number(from, step.length));
  }
}

template <auto Member>
void address4(const Step&, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) to[i].*Member = Ip::from_v4_bytes(from);
}

// Where a record has several places for an address, 0.0.0.0 means: not this one.
template <auto Member>
void address4_if_set(const Step&, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    if (be32(from) != 0) to[i].*Member = Ip::from_v4_bytes(from);
  }
}

template <auto Member>
void address6(const Step&, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) to[i].*Member = Ip::from_v6_bytes(from);
}

template <auto Member>
void address6_if_set(const Step&, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    const Ip ip = Ip::from_v6_bytes(from);
    if (ip.present()) to[i].*Member = ip;
  }
}

// Milliseconds of a 32-bit uptime counter, read as a distance from the header's own reading: right across its wrap
// every 49.7 days. Until the block is finished `duration` holds the end of the flow.
template <auto Member>
void uptime(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext& run) {
  const Nanoseconds base = run.time.exported;
  const std::uint32_t now = run.time.uptime_ms;
  if (step.length == 4) {
    for (std::size_t i = 0; i < n; ++i, from += stride) {
      to[i].*Member = base + static_cast<std::int32_t>(be32(from) - now) * kMillisecond;
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    to[i].*Member =
        base + static_cast<std::int32_t>(static_cast<std::uint32_t>(be_number(from, step.length)) - now) * kMillisecond;
  }
}

// The same where the record itself says when the exporter started; `time` holds that.
template <auto Member>
void since_start(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to,
                 RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    to[i].*Member = to[i].time + static_cast<std::uint32_t>(be_number(from, step.length)) * kMillisecond;
  }
}

template <auto Member, Nanoseconds Unit>
void absolute(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  if (step.length == 8) {
    for (std::size_t i = 0; i < n; ++i, from += stride) to[i].*Member = scaled(be64(from), Unit);
    return;
  }
  for (std::size_t i = 0; i < n; ++i, from += stride) to[i].*Member = scaled(be_number(from, step.length), Unit);
}

// dateTimeMicroseconds and dateTimeNanoseconds are NTP timestamps (RFC 7011, 6.1.9, 6.1.10). Some exporters send a
// plain count since 1970 instead; the NTP seconds of such a count lie before 1970, so the two cannot be confused.
Nanoseconds ntp(std::uint64_t v, Nanoseconds plain_unit) {
  constexpr std::uint64_t kEpoch = 2208988800;
  const std::uint64_t seconds = v >> 32;
  if (seconds < kEpoch) return scaled(v, plain_unit);
  return static_cast<Nanoseconds>(seconds - kEpoch) * kSecond +
         static_cast<Nanoseconds>((v & 0xffffffff) * 1000000000 >> 32);
}

template <auto Member, Nanoseconds Unit>
void ntp_time(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    to[i].*Member = step.length == 8 ? ntp(be64(from), Unit) : scaled(be_number(from, step.length), Unit);
  }
}

// Microseconds before the export.
template <auto Member>
void before_export(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to,
                   RunContext& run) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    to[i].*Member =
        run.time.exported - static_cast<Nanoseconds>(be_number(from, step.length) & 0xffffffff) * kMicrosecond;
  }
}

template <Nanoseconds Unit>
void duration(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) to[i].duration = scaled(be_number(from, step.length), Unit);
}

// ICMP type and code go where NetFlow v5 has them: destination_port = type * 256 + code. A zero does not overwrite what
// the port field said, and only ICMP records are touched (the protocol's step comes earlier).
template <int Shift>
void icmp(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    const std::uint64_t v = be_number(from, step.length);
    if (v == 0 || (to[i].protocol != 1 && to[i].protocol != 58)) continue;
    if constexpr (Shift == 0) {
      to[i].destination_port = static_cast<std::uint16_t>(v);
    } else if constexpr (Shift == 8) {
      to[i].destination_port = static_cast<std::uint16_t>((to[i].destination_port & 0xff) | (v & 0xff) << 8);
    } else {
      to[i].destination_port = static_cast<std::uint16_t>((to[i].destination_port & 0xff00) | (v & 0xff));
    }
  }
}

void sampler(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to,
             RunContext& run) {
  std::uint64_t last = 0;
  std::uint32_t rate = 0;
  bool known = false;
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    const std::uint64_t id = be_number(from, step.length);
    if (!known || id != last) {
      const auto found = run.facts.samplers.find(id);
      rate = found == run.facts.samplers.end() ? 0 : found->second;
      last = id;
      known = true;
    }
    if (rate != 0) to[i].sampling = rate;
  }
}

void sampling_interval(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to,
                       RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    const auto rate = static_cast<std::uint32_t>(be_number(from, step.length));
    if (rate != 0) to[i].sampling = rate;
  }
}

void application_id(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to,
                    RunContext& run) {
  if (run.facts.applications.empty()) return;
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    const auto found = run.facts.applications.find(be_number(from, step.length));
    if (found != run.facts.applications.end()) to[i].application = found->second;
  }
}

// A string, up to its first NUL.
std::string_view text_of(const std::uint8_t* from, std::size_t length) {
  const std::string_view all(reinterpret_cast<const char*>(from), length);
  return core::trim(all.substr(0, all.find('\0')));
}

template <auto Member>
void symbol(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    const std::string_view text = text_of(from, step.length);
    if (!text.empty()) to[i].*Member = core::intern(core::printable(text, 256));
  }
}

void user(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to, RunContext&) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    const std::string_view raw = text_of(from, step.length);
    if (!raw.empty()) set_user(to[i], core::printable(raw, 256));
  }
}

// The beginning of the packet itself: NetFlow v9 104, IPFIX dataLinkFrameSection, ipHeaderPacketSection.
template <std::uint32_t LinkType>
void frame_section(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to,
                   RunContext& run) {
  for (std::size_t i = 0; i < n; ++i, from += stride) {
    Frame frame;
    if (parse_frame(LinkType, {reinterpret_cast<const char*>(from), step.length}, frame) != FrameKind::kIp) {
      run.scratch[i].drop = !to[i].source_ip.present() && !to[i].destination_ip.present();
      continue;
    }
    Event& e = to[i];
    e.source_ip = frame.source;
    e.destination_ip = frame.destination;
    e.source_port = frame.source_port;
    e.destination_port = frame.destination_port;
    e.protocol = frame.protocol;
    e.tcp_flags = static_cast<std::uint16_t>(e.tcp_flags | frame.tcp_flags);
    if (e.source_bytes == 0) e.source_bytes = frame.ip_length;
    if (e.source_packets == 0) e.source_packets = 1;
  }
}

template <auto Member>
void scratch_number(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event*,
                    RunContext& run) {
  using Type = std::remove_reference_t<decltype(run.scratch->*Member)>;
  for (std::size_t i = 0; i < n; ++i, from += stride)
    run.scratch[i].*Member = static_cast<Type>(be_number(from, step.length));
}

template <Nanoseconds Unit>
void scratch_observed(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event*,
                      RunContext& run) {
  for (std::size_t i = 0; i < n; ++i, from += stride)
    run.scratch[i].observed = scaled(be_number(from, step.length), Unit);
}

Symbol dataset_of(Dialect dialect) {
  static const std::array names = {core::intern("netflow_v5"), core::intern("netflow_v7"), core::intern("netflow_v9"),
                                   core::intern("ipfix")};
  return names[static_cast<std::size_t>(dialect)];
}

struct Key {
  std::uint16_t id;
  std::uint32_t enterprise = 0;
};

}  // namespace

void Template::add(Step::Run run, const FieldSpec* field) {
  const auto index = static_cast<std::size_t>(field - fields_.data());
  std::size_t offset = 0;
  if (!variable_) {
    for (std::size_t i = 0; i < index; ++i) offset += fields_[i].length;
  }
  steps_.push_back({run, static_cast<std::uint16_t>(index), static_cast<std::uint16_t>(offset), field->length});
}

std::unique_ptr<Template> Template::compile(Dialect dialect, std::vector<FieldSpec> fields, bool options) {
  if (fields.empty() || fields.size() > kMostFields) return nullptr;
  auto made = std::make_unique<Template>();
  made->fields_ = std::move(fields);
  made->options_ = options;
  for (const FieldSpec& f : made->fields_) {
    if (f.length == kVariableLength) {
      made->variable_ = true;
      ++made->record_length_;  // at least its length byte
    } else {
      made->record_length_ += f.length;
    }
  }
  if (made->record_length_ == 0 || made->record_length_ > 65535) return nullptr;
  if (!options) made->plan(dialect);
  return made;
}

std::size_t Template::memory() const {
  return sizeof(Template) + fields_.capacity() * sizeof(FieldSpec) + steps_.capacity() * sizeof(Step) + 64;
}

// Which element feeds which member of the event. The first element of a list that the template has wins.
void Template::plan(Dialect dialect) {
  prototype_.event_class = Class::kFlow;
  prototype_.activity = Activity::kTraffic;
  prototype_.dataset = dataset_of(dialect);

  // Elements of a tunnelled packet are repeated, outermost first (RFC 7011, 8): then the innermost are those of the two
  // ends that talk.
  const auto times_in_template = [&](std::uint16_t id) {
    return std::count_if(fields_.begin(), fields_.end(),
                         [&](const FieldSpec& f) { return f.id == id && f.enterprise == 0 && f.length != 0; });
  };
  const bool tunnel = times_in_template(4) > 1 || times_in_template(7) > 1 || times_in_template(11) > 1;
  const auto pick_between = [&](std::initializer_list<Key> keys, std::size_t shortest,
                                std::size_t longest) -> const FieldSpec* {
    for (const Key& key : keys) {
      const FieldSpec* found = nullptr;
      for (const FieldSpec& f : fields_) {
        if (f.id != key.id || f.enterprise != key.enterprise || f.length < shortest || f.length > longest) continue;
        found = &f;
        if (!tunnel) break;
      }
      if (found != nullptr) return found;
    }
    return nullptr;
  };
  const auto pick = [&](std::initializer_list<Key> keys) { return pick_between(keys, 1, kVariableLength); };
  const auto pick_longer = [&](std::initializer_list<Key> keys, std::size_t shortest) {
    return pick_between(keys, shortest, kVariableLength);
  };
  // Numbers of variable length do not exist in practice; a field longer than 8 bytes is not a number.
  const auto pick_number = [&](std::initializer_list<Key> keys) { return pick_between(keys, 1, 8); };
  const auto pick_exact = [&](std::initializer_list<Key> keys, std::size_t length) {
    return pick_between(keys, length, length);
  };

#define ORBWATCH_NUMBER(member, ...) \
  if (const FieldSpec* f = pick_number(__VA_ARGS__)) add(number_of<&Event::member>(f->length), f)

  // Addresses. A template may have places for both families; what is zero is not meant.
  const FieldSpec* source4 = pick_exact({{8}, {366}, {44}}, 4);
  const FieldSpec* source6 = pick_exact({{27}, {170}}, 16);
  const FieldSpec* destination4 = pick_exact({{12}, {45}}, 4);
  const FieldSpec* destination6 = pick_exact({{28}, {169}}, 16);
  if (tunnel && source4 != nullptr && source6 != nullptr) (source4 > source6 ? source6 : source4) = nullptr;
  if (tunnel && destination4 != nullptr && destination6 != nullptr) {
    (destination4 > destination6 ? destination6 : destination4) = nullptr;
  }
  if (source6 != nullptr) add(address6<&Event::source_ip>, source6);
  if (source4 != nullptr)
    add(source6 != nullptr ? address4_if_set<&Event::source_ip> : address4<&Event::source_ip>, source4);
  if (destination6 != nullptr) add(address6<&Event::destination_ip>, destination6);
  if (destination4 != nullptr) {
    add(destination6 != nullptr ? address4_if_set<&Event::destination_ip> : address4<&Event::destination_ip>,
        destination4);
  }
  has_address_ = source4 != nullptr || source6 != nullptr || destination4 != nullptr || destination6 != nullptr;

  // The source's translated address.
  if (const FieldSpec* f = pick_exact({{281}}, 16)) {
    add(address6_if_set<&Event::assigned_ip>, f);
    has_nat_ = true;
  }
  if (const FieldSpec* f = pick_exact({{225}, {40001}}, 4)) {
    add(address4_if_set<&Event::assigned_ip>, f);
    has_nat_ = true;
  }
  // A mediator says who exported to it.
  if (const FieldSpec* f = pick_exact({{404}, {131}}, 16)) add(address6_if_set<&Event::observer_ip>, f);
  if (const FieldSpec* f = pick_exact({{403}, {130}}, 4)) add(address4_if_set<&Event::observer_ip>, f);

  ORBWATCH_NUMBER(protocol, {{4}});
  ORBWATCH_NUMBER(source_port, {{7}, {180}, {182}});
  ORBWATCH_NUMBER(destination_port, {{11}, {181}, {183}});
  if (const FieldSpec* f = pick_number({{32}})) add(icmp<0>, f);
  if (const FieldSpec* f = pick_number({{139}})) add(icmp<0>, f);
  if (const FieldSpec* f = pick_number({{176}})) add(icmp<8>, f);
  if (const FieldSpec* f = pick_number({{178}})) add(icmp<8>, f);
  if (const FieldSpec* f = pick_number({{177}})) add(icmp<-1>, f);
  if (const FieldSpec* f = pick_number({{179}})) add(icmp<-1>, f);

  // tcpControlBits, else YAF's flags of the first and of the further packets; then those of the other direction.
  ORBWATCH_NUMBER(tcp_flags, {{6}});
  for (const Key key :
       {Key{14, 6871}, Key{15, 6871}, Key{6, kReverse}, Key{14 | 0x4000, 6871}, Key{15 | 0x4000, 6871}}) {
    if (const FieldSpec* f = pick_number({key})) add(or_flags, f);
  }
  ORBWATCH_NUMBER(ingress_index, {{10}, {252}});
  ORBWATCH_NUMBER(egress_index, {{14}, {253}});

  // Bytes and packets: initiator and responder, delta, total, layer 2. postOctetDeltaCount (OUT_BYTES) beside a forward
  // count is the other direction as nProbe and nfdump have it, alone it is the count of an egress flow.
  ORBWATCH_NUMBER(source_bytes, {{231}, {1}, {85}, {23}, {352}, {353}});
  ORBWATCH_NUMBER(source_packets, {{298}, {2}, {86}, {24}});
  const bool forward_bytes = pick_number({{231}, {1}, {85}}) != nullptr;
  const bool forward_packets = pick_number({{298}, {2}, {86}}) != nullptr;
  if (const FieldSpec* f = pick_number({{232}, {1, kReverse}, {85, kReverse}})) {
    add(number_of<&Event::destination_bytes>(f->length), f);
  } else if (const FieldSpec* post = forward_bytes ? pick_number({{23}}) : nullptr) {
    add(number_of<&Event::destination_bytes>(post->length), post);
  }
  if (const FieldSpec* f = pick_number({{299}, {2, kReverse}, {86, kReverse}})) {
    add(number_of<&Event::destination_packets>(f->length), f);
  } else if (const FieldSpec* post = forward_packets ? pick_number({{24}}) : nullptr) {
    add(number_of<&Event::destination_packets>(post->length), post);
  }

  // Firewall events (ASA NSEL, Barracuda, SonicWall) and NAT logs. A natEvent beside counters is only a mark on a flow.
  const FieldSpec* firewall = pick_number({{233}, {40005}});
  firewall_ = firewall != nullptr;
  const FieldSpec* nat = pick_number({{230}});
  nat_event_ = nat != nullptr && !firewall_ && pick_number({{1}, {85}, {231}, {2}, {86}}) == nullptr;
  if (firewall_ || nat_event_) {
    special_ = true;
    prototype_.event_class = Class::kConnection;
    if (firewall_) add(scratch_number<&Scratch::firewall_event>, firewall);
    if (nat_event_) add(scratch_number<&Scratch::nat_event>, nat);
    if (const FieldSpec* f = pick_number({{33002}})) add(scratch_number<&Scratch::extended>, f);
    if (const FieldSpec* f = pick_number({{323}})) {
      add(scratch_observed<kMillisecond>, f);
    } else if (const FieldSpec* s = pick_number({{322}})) {
      add(scratch_observed<kSecond>, s);
    }
  }
  ORBWATCH_NUMBER(session_id, {{148}});

  // Times. Until the block is finished `duration` holds the end. The end's step comes before the start's: since_start
  // reads `time`.
  const FieldSpec* boot = pick_number({{160}});
  const FieldSpec* first = pick_number({{22}});
  const FieldSpec* last = pick_number({{21}});
  struct Clock {
    std::uint16_t start;
    std::uint16_t end;
    Step::Run run_start;
    Step::Run run_end;
  };
  const std::array clocks = {
      Clock{156, 157, ntp_time<&Event::time, 1>, ntp_time<&Event::duration, 1>},
      Clock{154, 155, ntp_time<&Event::time, kMicrosecond>, ntp_time<&Event::duration, kMicrosecond>},
      Clock{152, 153, absolute<&Event::time, kMillisecond>, absolute<&Event::duration, kMillisecond>},
      Clock{158, 159, before_export<&Event::time>, before_export<&Event::duration>},
      Clock{150, 151, absolute<&Event::time, kSecond>, absolute<&Event::duration, kSecond>},
  };
  const bool uptime_first = dialect != Dialect::kIpfix || boot != nullptr;
  const auto plan_uptime = [&] {
    if (boot != nullptr && dialect == Dialect::kIpfix) {
      add(absolute<&Event::time, kMillisecond>, boot);
      if (last != nullptr) add(since_start<&Event::duration>, last);
      if (first != nullptr) add(since_start<&Event::time>, first);
    } else {
      relative_ = true;
      if (last != nullptr) add(uptime<&Event::duration>, last);
      if (first != nullptr) add(uptime<&Event::time>, first);
    }
    has_start_ = first != nullptr;
    has_end_ = last != nullptr;
  };
  for (const Clock& clock : clocks) {
    if (clock.start == 158 && uptime_first && !has_start_ && !has_end_ && first != nullptr) plan_uptime();
    if (has_start_ || has_end_) break;
    if (const FieldSpec* f = pick_number({{clock.end}})) {
      add(clock.run_end, f);
      has_end_ = true;
    }
    if (const FieldSpec* f = pick_number({{clock.start}})) {
      add(clock.run_start, f);
      has_start_ = true;
    }
  }
  if (!has_start_ && !has_end_ && (first != nullptr || last != nullptr)) plan_uptime();
  if (!has_end_) {
    if (const FieldSpec* f = pick_number({{162}})) {
      add(duration<kMicrosecond>, f);
      has_duration_ = true;
    } else if (const FieldSpec* m = pick_number({{161}})) {
      add(duration<kMillisecond>, m);
      has_duration_ = true;
    }
  }
  if (!has_start_ && !has_end_ && !special_) {
    if (const FieldSpec* f = pick_number({{325}})) {
      add(ntp_time<&Event::time, 1>, f);
    } else if (const FieldSpec* micro = pick_number({{324}})) {
      add(ntp_time<&Event::time, kMicrosecond>, micro);
    } else if (const FieldSpec* milli = pick_number({{323}})) {
      add(absolute<&Event::time, kMillisecond>, milli);
    } else if (const FieldSpec* second = pick_number({{322}})) {
      add(absolute<&Event::time, kSecond>, second);
    }
  }

  // Sampling: the rate in the record itself wins over the sampler's.
  if (const FieldSpec* f = pick_number({{48}, {302}})) add(sampler, f);
  if (const FieldSpec* f = pick_number({{50}, {305}, {34}})) add(sampling_interval, f);

  if (const FieldSpec* f = pick_number({{95}})) {
    add(application_id, f);
    application_names_ = true;
  }
  if (const FieldSpec* f = pick({{96}, {56701}, {56701, 25461}})) add(symbol<&Event::application>, f);
  if (const FieldSpec* f = pick({{371}, {40000}, {56702}, {56702, 25461}})) add(user, f);

  if (const FieldSpec* f = pick_longer({{315}, {104}}, 14)) {
    frame_ = special_ = has_address_ = true;
    add(frame_section<kLinkEthernet>, f);
  } else if (const FieldSpec* section = pick_longer({{313}}, 20)) {
    frame_ = special_ = has_address_ = true;
    add(frame_section<kLinkRaw>, section);
  }
#undef ORBWATCH_NUMBER
}

std::size_t Template::finish_block(Event* events, std::size_t n, RunContext& run, const FlowContext& context) const {
  // An IPFIX exporter may count from its start without saying when that was: then only the difference means something.
  const bool unknown_base = relative_ && !run.time.has_uptime;
  const Nanoseconds fallback = run.time.exported;
  if (has_start_ && has_end_ && !unknown_base) {
    for (std::size_t i = 0; i < n; ++i) {
      const Nanoseconds length = events[i].duration - events[i].time;
      events[i].duration = length > 0 && events[i].time > 0 ? length : 0;
      if (events[i].time <= 0) events[i].time = fallback;
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      Event& e = events[i];
      if (has_start_ && has_end_) {
        e.duration = std::max<Nanoseconds>(e.duration - e.time, 0);
        e.time = fallback;
      } else if (has_end_) {
        e.time = unknown_base ? fallback : e.duration;
        e.duration = 0;
      } else if (has_start_ && unknown_base) {
        e.time = fallback;
      }
      if (e.time <= 0) e.time = fallback;
    }
  }
  if (has_nat_) {
    for (std::size_t i = 0; i < n; ++i) {
      if (events[i].assigned_ip == events[i].source_ip) events[i].assigned_ip = Ip();
    }
  }
  if (!special_) return n;

  std::size_t kept = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Event& e = events[i];
    const Scratch& s = run.scratch[i];
    if (s.drop || (frame_ && !e.source_ip.present() && !e.destination_ip.present())) {
      context.ignore(kNoIpInFrame);
      continue;
    }
    if (firewall_ || nat_event_) {
      const std::uint8_t what = firewall_ ? s.firewall_event : s.nat_event;
      bool is_session = true;
      if (firewall_) {
        switch (what) {  // IANA firewallEvent
          case 1: e.activity = Activity::kStart; break;
          case 2: e.activity = Activity::kEnd; break;
          case 3: e.activity = Activity::kStart; break;
          case 4: e.activity = Activity::kAlert; break;
          case 5: e.activity = Activity::kUpdate; break;
          default: is_session = false;
        }
        e.action = what == 3 ? Action::kDenied : Action::kAllowed;
        if (what == 4) e.action = Action::kNone;
        if (what == 3) {
          switch (s.extended) {  // ASA NF_F_FW_EXT_EVENT
            case 1001: e.reason = kIngressAcl; break;
            case 1002: e.reason = kEgressAcl; break;
            case 1003: e.reason = kToDevice; break;
            case 1004: e.reason = kNotSyn; break;
            default: break;
          }
        }
      } else {
        switch (what) {  // IANA natEvent, RFC 8158: a session or binding is made or removed; the rest is about pools
                         // and quotas
          case 1:
          case 4:
          case 6:
          case 8:
          case 10: e.activity = Activity::kStart; break;
          case 2:
          case 5:
          case 7:
          case 9:
          case 11: e.activity = Activity::kEnd; break;
          default: is_session = false;
        }
        e.action = Action::kAllowed;
      }
      if (!is_session) {
        context.ignore(firewall_ ? kFirewallOther : kNatOther);
        continue;
      }
      // A firewall's line is about the moment of the event; its end knows how long the connection was.
      if (s.observed > 0) {
        if (e.activity == Activity::kEnd && has_start_ && e.time > 0 && e.time <= s.observed && e.duration == 0) {
          e.duration = s.observed - e.time;
        }
        e.time = s.observed;
      }
    }
    if (kept != i) events[kept] = e;
    ++kept;
  }
  return kept;
}

std::size_t Template::fixed_records(std::string_view set, const Event& base, RunContext& run,
                                    const FlowContext& context) const {
  const auto* at = reinterpret_cast<const std::uint8_t*>(set.data());
  const std::size_t records = set.size() / record_length_;
  std::array<Scratch, kBlock> scratch;
  std::size_t kept_all = 0;
  for (std::size_t done = 0; done < records;) {
    const std::size_t n = std::min(kBlock, records - done);
    Event* events = context.batch.reserve(n);
    for (std::size_t i = 0; i < n; ++i) events[i] = base;
    if (special_) {
      scratch.fill(Scratch{});
      run.scratch = scratch.data();
    }
    for (const Step& step : steps_) step.run(step, at + step.offset, record_length_, n, events, run);
    const std::size_t kept = finish_block(events, n, run, context);
    context.batch.keep(kept);
    kept_all += kept;
    done += n;
    at += n * record_length_;
  }
  if (kept_all != 0) context.batch.counts.event(base.dataset, kept_all);
  return records * record_length_;
}

std::size_t Template::variable_records(std::string_view set, const Event& base, RunContext& run,
                                       const FlowContext& context, std::size_t& all) const {
  std::array<std::uint32_t, kMostFields> offsets;
  std::array<std::uint16_t, kMostFields> lengths;
  const auto* data = reinterpret_cast<const std::uint8_t*>(set.data());
  std::size_t at = 0;
  while (set.size() - at >= record_length_) {
    std::size_t p = at;
    bool fits = true;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
      std::size_t length = fields_[i].length;
      if (length == kVariableLength) {  // RFC 7011, 7: one byte, or 255 and two bytes
        if (p + 1 > set.size()) {
          fits = false;
          break;
        }
        length = data[p++];
        if (length == 255) {
          if (p + 2 > set.size()) {
            fits = false;
            break;
          }
          length = be16(data + p);
          p += 2;
        }
      }
      if (length > set.size() - p) {
        fits = false;
        break;
      }
      offsets[i] = static_cast<std::uint32_t>(p);
      lengths[i] = static_cast<std::uint16_t>(length);
      p += length;
    }
    if (!fits) break;
    if (options_) {
      // Options data are few: hand them over as one flat record.
      std::string flat;
      for (std::size_t i = 0; i < fields_.size(); ++i) flat.append(set.substr(offsets[i], lengths[i]));
      options_record(reinterpret_cast<const std::uint8_t*>(flat.data()), lengths.data(), run.facts);
      context.ignore(kOptionsData);
    } else if (!has_address_) {
      context.ignore(kNoAddress);
    } else {
      Event* e = context.batch.reserve(1);
      *e = base;
      Scratch scratch;
      run.scratch = &scratch;
      for (const Step& step : steps_) {
        if (lengths[step.field] == 0) continue;
        if (fields_[step.field].length != kVariableLength) {
          step.run(step, data + offsets[step.field], 0, 1, e, run);
        } else {
          Step here = step;
          here.length = lengths[step.field];
          here.run(here, data + offsets[step.field], 0, 1, e, run);
        }
      }
      const std::size_t kept = finish_block(e, 1, run, context);
      context.batch.keep(kept);
      if (kept != 0) context.batch.counts.event(base.dataset);
    }
    at = p;
    ++all;
  }
  return at;
}

void Template::options_record(const std::uint8_t* record, const std::uint16_t* lengths, DomainFacts& facts) const {
  std::uint64_t rate = 0;
  std::uint64_t interval = 0;
  std::uint64_t space = 0;
  std::uint64_t size = 0;
  std::uint64_t population = 0;
  std::uint64_t id = 0;
  bool has_id = false;
  std::uint64_t application = 0;
  bool has_application = false;
  std::string_view application_name;
  for (std::size_t i = 0; i < fields_.size(); record += lengths[i], ++i) {
    const FieldSpec& f = fields_[i];
    const std::size_t length = lengths[i];
    if (f.enterprise != 0 || length == 0) continue;
    const std::uint64_t v = length <= 8 ? be_number(record, length) : 0;
    switch (f.id) {
      case 34:
      case 50: rate = v != 0 ? v : rate; break;
      case 48:
      case 302:
        id = v;
        has_id = true;
        break;
      case 305: interval = v; break;
      case 306: space = v; break;
      case 309: size = v; break;
      case 310: population = v; break;
      case 160: facts.boot_ms = v <= static_cast<std::uint64_t>(INT64_MAX / kMillisecond / 2) ? v : 0; break;
      case 95:
        application = v;
        has_application = true;
        break;
      case 96: application_name = text_of(record, length); break;
      default: break;
    }
  }
  // One packet in so many: size out of population; or interval packets are taken, then space are left (PSAMP, RFC
  // 5477). IOS XR sends both, with an interval of 1 that means nothing. Without a space the interval is the rate, as
  // some routers have it.
  if (rate == 0 && size != 0) rate = population / size;
  if (rate == 0 && interval != 0) rate = space == 0 ? interval : (interval + space) / interval;
  if (rate != 0) {
    const auto kept = static_cast<std::uint32_t>(std::min<std::uint64_t>(rate, UINT32_MAX));
    if (has_id) {
      facts.set(facts.samplers, id, kept);
    } else {
      facts.sampling = kept;
    }
  }
  if (has_application && !application_name.empty()) {
    facts.set(facts.applications, application, core::intern(core::printable(application_name, 64)));
  }
}

std::size_t Template::decode(std::string_view set, const MessageTime& time, std::uint32_t sampling, bool cut,
                             DomainFacts& facts, const FlowContext& context) const {
  RunContext run{time, facts, nullptr};
  std::size_t used = 0;
  std::size_t all = variable_ ? 0 : set.size() / record_length_;
  if (variable_ || (!options_ && has_address_)) {
    Event base = prototype_;
    base.observer_ip = context.datagram.exporter;
    base.record = context.datagram.record;
    base.sampling = sampling != 0 ? sampling : facts.sampling;
    used = variable_ ? variable_records(set, base, run, context, all) : fixed_records(set, base, run, context);
  } else {
    used = all * record_length_;
    if (options_) {
      std::vector<std::uint16_t> lengths;
      lengths.reserve(fields_.size());
      for (const FieldSpec& f : fields_) lengths.push_back(f.length);
      for (std::size_t i = 0; i < all; ++i) {
        options_record(reinterpret_cast<const std::uint8_t*>(set.data()) + i * record_length_, lengths.data(), facts);
      }
    }
    context.ignore(options_ ? kOptionsData : kNoAddress, all);
  }
  const std::string_view rest = set.substr(used);
  if (cut) {
    context.reject(flow_reason::kTruncated, rest);
  } else if (rest.size() >= 4 && !all_zero(rest)) {
    context.reject(kIncomplete, rest);
  }
  return all;
}

}  // namespace orbwatch::decode
