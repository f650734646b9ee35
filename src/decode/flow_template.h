// Templates of NetFlow v9 and IPFIX, compiled: a template becomes a list of steps, each of which moves one column of a
// data set into the events. A set is decoded column by column in blocks that stay in the first-level cache, so that a
// step costs one indirect call a block and no decision a record. NetFlow v5 and v7 use the same steps with a template
// that is built in.
//
// Element numbers: IANA "IP Flow Information Export (IPFIX) Entities"; Cisco "NetFlow Version 9 Flow-Record Format";
// Cisco ASA "NetFlow Implementation Guide" (NSEL: 33000-33002, 40000-40005); RFC 5103 (reverse elements, enterprise
// 29305); RFC 8158 (NAT events); Palo Alto "NetFlow Templates" (56701, 56702); CERT YAF (enterprise 6871).
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "decode/flow_context.h"

namespace orbwatch::decode {

enum class Dialect : std::uint8_t { kNetflowV5, kNetflowV7, kNetflowV9, kIpfix };

struct FieldSpec {
  std::uint16_t id = 0;
  std::uint16_t length = 0;  // kVariableLength: the record says it
  std::uint32_t enterprise = 0;

  friend bool operator==(const FieldSpec&, const FieldSpec&) = default;
};

inline constexpr std::uint16_t kVariableLength = 65535;
inline constexpr std::uint32_t kReverse = 29305;         // RFC 5103
inline constexpr std::uint32_t kScopeOfV9 = 0xffffffff;  // v9 scope fields have numbers of their own: never an element

// How times of a message are counted.
struct MessageTime {
  core::Nanoseconds exported = 0;  // of the message header, or when it was received
  std::uint32_t uptime_ms = 0;     // of the exporter at `exported`
  bool has_uptime = false;
};

// What options data said of one observation domain. Its maps grow only while `entries_left`, which all domains share,
// is not used up.
struct DomainFacts {
  absl::flat_hash_map<std::uint64_t, std::uint32_t> samplers;  // samplerId or selectorId -> one packet in so many
  absl::flat_hash_map<std::uint64_t, Symbol> applications;     // applicationId -> name
  std::uint32_t sampling = 0;                                  // where options data name no sampler
  std::uint64_t boot_ms = 0;                                   // systemInitTimeMilliseconds; 0 unknown
  std::size_t* entries_left = nullptr;                         // null: none

  template <typename Map>
  void set(Map& map, std::uint64_t key, typename Map::mapped_type value) {
    if (const auto found = map.find(key); found != map.end()) {
      found->second = value;
    } else if (entries_left != nullptr && *entries_left != 0) {
      --*entries_left;
      map.emplace(key, value);
    }
  }
};

struct Scratch;
struct RunContext;

struct Step {
  using Run = void (*)(const Step& step, const std::uint8_t* from, std::size_t stride, std::size_t n, Event* to,
                       RunContext& run);
  Run run = nullptr;
  std::uint16_t field = 0;   // index in the template
  std::uint16_t offset = 0;  // in the record; unused if the template has variable lengths
  std::uint16_t length = 0;
};

class Template {
 public:
  static constexpr std::size_t kMostFields = 1024;

  // `scope_fields` != 0 or `options` makes an options template, whose data change DomainFacts and give no events.
  // Returns nullptr if records would be empty, longer than a datagram, or if there are more than kMostFields fields.
  static std::unique_ptr<Template> compile(Dialect dialect, std::vector<FieldSpec> fields, bool options);

  const std::vector<FieldSpec>& fields() const { return fields_; }
  bool options() const { return options_; }
  bool variable() const { return variable_; }
  std::size_t shortest_record() const { return record_length_; }  // of all records if the lengths are fixed
  std::size_t memory() const;                                     // bytes, about

  // The records of one set (without its header); gives how many there are. Counts each of them; what is left behind the
  // last record is padding if shorter than 4 bytes or all zero, else it is rejected. `cut`: the set's end was not
  // captured: the rest is rejected as truncated.
  std::size_t decode(std::string_view set, const MessageTime& time, std::uint32_t sampling, bool cut,
                     DomainFacts& facts, const FlowContext& context) const;

 private:
  void add(Step::Run run, const FieldSpec* field);
  void plan(Dialect dialect);
  // Both give how many bytes they used.
  std::size_t fixed_records(std::string_view set, const Event& base, RunContext& run, const FlowContext& context) const;
  std::size_t variable_records(std::string_view set, const Event& base, RunContext& run, const FlowContext& context,
                               std::size_t& records) const;
  // The events of a block are complete: times, NAT, firewall verdicts. Drops those that are no flows; gives how many
  // are left.
  std::size_t finish_block(Event* events, std::size_t n, RunContext& run, const FlowContext& context) const;
  void options_record(const std::uint8_t* record, const std::uint16_t* lengths, DomainFacts& facts) const;

  std::vector<FieldSpec> fields_;
  std::vector<Step> steps_;
  Event prototype_;
  std::size_t record_length_ = 0;
  bool options_ = false;
  bool variable_ = false;
  bool has_address_ = false;
  bool has_start_ = false;
  bool has_end_ = false;
  bool has_duration_ = false;
  bool relative_ = false;  // times count from the exporter's start
  bool has_nat_ = false;
  bool special_ = false;  // events need Scratch
  bool firewall_ = false;
  bool nat_event_ = false;
  bool frame_ = false;
  bool application_names_ = false;
};

}  // namespace orbwatch::decode
