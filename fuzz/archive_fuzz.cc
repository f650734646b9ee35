// Saved state (core/archive.h): the input once as it is, once with sound checksums around it, so that the fuzzer gets
// behind them. The first byte says what is read: values of all kinds, a judge, or a flow decoder, which then goes on.
//
// Beside crashes, hangs and what the sanitizers see: what a reader takes, written and read again, is the same.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/archive.h"
#include "decode/flow_datagram.h"
#include "enrich/enrich.h"
#include "event/persist.h"
#include "pipeline/judge.h"

namespace {

using namespace orbwatch;

struct Values {
  std::vector<event::Event> events;
  std::map<std::string, std::vector<double>> map;
  std::optional<std::unique_ptr<std::string>> text;
  std::array<std::uint32_t, 70> sparse{};
  core::Symbol symbol;
  std::string_view word;
};
template <typename A>
void persist(A& a, Values& v) {
  a(v.events, v.map, v.text, v.sparse, v.symbol);
  a.constant(v.word);
}

template <typename T>
std::string written(const T& value) {
  core::ArchiveWriter writer;
  writer(value);
  if (!writer.finish()) std::abort();
  return writer.take();
}

void read_values(std::string_view bytes) {
  core::ArchiveReader reader(bytes);
  Values values;
  reader(values);
  if (!reader.finish()) return;
  const std::string once = written(values);
  core::ArchiveReader again(once);
  Values same;
  again(same);
  if (again.finish() && written(same) == once) return;
  std::fprintf(stderr, "what was read is not what is written\n");
  std::abort();
}

void read_judge(std::string_view bytes) {
  static const enrich::Enricher enricher(nullptr);
  static const std::vector<std::string> names = {"one.log"};
  pipeline::Judge judge(enricher, nullptr, 5, names);
  core::ArchiveReader reader(bytes);
  if (!judge.load(reader)) return;
  event::EventBatch batch;
  for (int i = 0; i < 20; ++i) {
    event::Event e;
    e.time = (1'795'392'000 + i * 40'000) * core::kSecond;
    e.event_class = i % 4 == 3 ? event::Class::kAuthentication : event::Class::kSession;
    e.activity = i % 4 == 3 ? event::Activity::kLogon : event::Activity::kStart;
    e.outcome = i % 4 == 3 ? event::Outcome::kFailure : event::Outcome::kSuccess;
    e.service = event::Service::kVpn;
    e.user = core::intern(i % 2 == 0 ? "alice" : "bob");
    e.source_ip = core::Ip::v4(0x05010000 + static_cast<std::uint32_t>(i / 3) * 77);
    judge.take(e, batch);
    judge.changed([](const score::Finding&) {});
  }
  core::ArchiveWriter writer;
  judge.save(writer);
  score::HuntResult result;
  judge.finish(result);
}

void read_flows(std::string_view bytes) {
  decode::FlowLimits limits;
  limits.domains = 8;
  decode::FlowDatagramDecoder decoder(limits);
  core::ArchiveReader reader(bytes);
  if (!decoder.load(reader)) return;
  event::EventBatch batch;
  decode::Datagram datagram;
  const std::string payload("\0\x09\0\1\0\0\0\1\x65\0\0\0\0\0\0\7\0\0\0\1\1\x2c\0\x0c\xc0\0\2\1\xc0\0\2\2", 32);
  datagram.payload = payload;
  decoder.decode(datagram, batch);
  decoder.finish(batch);
  decoder.lost();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  read_values(input);
  if (input.empty()) return 0;
  const std::string sealed = core::sealed(input.substr(1));
  switch (input[0] % 3) {
    case 0: read_values(sealed); break;
    case 1: read_judge(sealed); break;
    default: read_flows(sealed);
  }
  return 0;
}
