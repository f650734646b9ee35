// Names of users at rest. With a key configured, the service keeps no user's name: right behind the decoders each one
// becomes a pseudonym ("user-k3v...") that only the holder of the key can turn back, and nothing behind that point
// (profiles, findings, stores, outputs, checkpoints) has ever seen the name.
//
// A pseudonym is the name under AES-SIV (pipeline/siv.h) in lower-case base32 (RFC 4648, without padding) behind
// "user-". Equal names give equal pseudonyms, so that profiles and findings are those of the plain names, but for the
// ids of findings and the order of users in lists; names that differ in case differ, as everywhere in orbwatch. It
// shows which records are of one user, and how long the name is.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/symbol.h"
#include "event/batch.h"
#include "pipeline/service_config.h"
#include "pipeline/siv.h"

namespace orbwatch::pipeline {

constexpr std::string_view kPseudonymPrefix = "user-";
// Of a longer name so many bytes count: names that agree in them have one pseudonym. A pseudonym then still fits into a
// Symbol.
constexpr std::size_t kLongestPseudonymised = 512;

// The key, out of its file: one line, "orbwatch-pseudonym-key-1 " and 128 hexadecimal digits. Not thread-safe.
class PseudonymKey {
 public:
  // Errors: no such file, others may read it (as for every secret, export/files.h), no such key in it. They show
  // nothing of what is in it.
  static core::Expected<PseudonymKey> load(const std::string& file);
  // Makes a new key, in a file of mode 0600 that is on the disk when this returns. Errors: the file is there already
  // (it stays as it is); it cannot be written (ErrorKind::kOutput).
  static core::Expected<void> make(const std::string& file);

  // Errors: an empty name; a failure of the cryptographic library.
  core::Expected<std::string> pseudonym(std::string_view name);
  // The name behind a pseudonym, whatever the case of its letters. Errors: a text that is no pseudonym; one that
  // another key made, or in which a letter is wrong. The name is as a record had it and may hold anything.
  core::Expected<std::string> reveal(std::string_view pseudonym);

  // 16 hexadecimal digits by which keys are told apart; they say nothing of the key.
  const std::string& id() const { return id_; }

  // For what must be kept as it came and holds names (flow export that waits for its template).
  core::Expected<std::string> seal(std::string_view bytes);
  core::Expected<std::string> open(std::string_view sealed);

 private:
  PseudonymKey(Siv siv, std::string id) : siv_(std::move(siv)), id_(std::move(id)) {}

  Siv siv_;
  std::string id_;
};

// A state is of one key, or of none, from its beginning: STATE/pseudonyms names the key by its id. Writes it into a
// state in which nothing is kept yet. `key`: null if none is configured. Errors: a state that was made with another
// key, without one, or with one where none is configured now; the folder cannot be written.
core::Expected<void> claim_state(const std::string& state, const PseudonymKey* key);

// What the pipeline does to events and raw records. Not thread-safe.
class Pseudonyms {
 public:
  // Loads the key and claims the state (claim_state). Null if no key is configured.
  static core::Expected<std::unique_ptr<Pseudonyms>> open(const PseudonymSettings& settings, const std::string& state);

  // Puts pseudonyms in the place of the users' names of a batch that has just been decoded. Where the name of an
  // event's user stands in the event's other free texts (group, destination, software, rule, subject of a certificate:
  // as a word; name of the client: anywhere, if it has 3 bytes or more), it is replaced there, too.
  core::Expected<void> hide(event::EventBatch& batch);

  // A raw record as it may be kept with a finding, for an event that hide() has seen last: with the pseudonym wherever
  // the name stands in it, whatever the case of its (ASCII) letters. If the name cannot be found, because the record
  // writes it in another way, or the configuration says so, a note in its place says that it is left out. Valid until
  // the next call.
  std::string_view keep(const event::Event& event, std::string_view record);

  PseudonymKey& key() { return key_; }

 private:
  Pseudonyms(PseudonymKey key, bool raw_records) : key_(std::move(key)), raw_records_(raw_records) {}
  core::Expected<core::Symbol> pseudonym(core::Symbol name);

  PseudonymKey key_;
  bool raw_records_;
  // Both ways, so that nothing is encrypted twice. Emptied when they hold kMostKnown names.
  static constexpr std::size_t kMostKnown = 1'000'000;
  absl::flat_hash_map<core::Symbol, core::Symbol> pseudonyms_;
  absl::flat_hash_map<core::Symbol, core::Symbol> names_;
  std::string text_;
};

}  // namespace orbwatch::pipeline
