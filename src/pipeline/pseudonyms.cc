#include "pipeline/pseudonyms.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>

#include "core/text.h"
#include "export/files.h"

namespace orbwatch::pipeline {
namespace {

namespace fs = std::filesystem;
using core::Symbol;
using event::Event;

constexpr std::string_view kKeyHead = "orbwatch-pseudonym-key-1 ";
constexpr std::size_t kKeyBytes = 64;  // AES-256-SIV
constexpr std::string_view kForNames = "orbwatch user name";
constexpr std::string_view kForState = "orbwatch state";
constexpr std::string_view kForId = "orbwatch key id";
constexpr std::string_view kMarker = "pseudonyms";
constexpr std::string_view kMarkerHead = "orbwatch-pseudonyms-1 ";
constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kKeptBytes = 2048;          // of a raw record: more is kept nowhere
constexpr std::size_t kSearchedBytes = 64 << 10;  // of a raw record, so that a long one costs no more
constexpr std::size_t kShortName = 3;             // shorter ones stand in every other text
constexpr std::string_view kNotKept = "(left out: pseudonyms.raw_records is false)";
constexpr std::string_view kNotFound = "(left out: the record does not write the user's name as it was read)";

std::string base32(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 8 + 4) / 5);
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    bits += 8;
    for (; bits >= 5; bits -= 5) out += kDigits[held >> (bits - 5) & 31];
    held &= (1U << bits) - 1;
  }
  if (bits > 0) out += kDigits[held << (5 - bits) & 31];
  return out;
}

// nullopt: a character that is none of the 32, or a length or last character that base32() does not give.
std::optional<std::string> from_base32(std::string_view text) {
  std::string out;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const auto digit = kDigits.find(core::lower_char(c));
    if (digit == kDigits.npos) return std::nullopt;
    held = held << 5 | static_cast<std::uint32_t>(digit);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(held >> bits);
    held &= (1U << bits) - 1;
  }
  if (bits >= 5 || held != 0) return std::nullopt;
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string_view shortened(std::string_view name) {
  if (name.size() <= kLongestPseudonymised) return name;
  std::size_t end = kLongestPseudonymised;
  while (end > kLongestPseudonymised - 4 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return name.substr(0, end);
}

bool in_word(char c) {
  const auto byte = static_cast<unsigned char>(core::lower_char(c));
  return byte >= 0x80 || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

// Where the name stands in the text, not before `from`; npos if nowhere.
std::size_t find_name(std::string_view text, std::string_view name, std::size_t from, bool as_word) {
  if (name.empty() || text.size() < name.size()) return text.npos;
  const char first = core::lower_char(name.front());
  for (std::size_t at = from; at + name.size() <= text.size(); ++at) {
    if (core::lower_char(text[at]) != first || !core::equals_ignore_case(text.substr(at, name.size()), name)) continue;
    const std::size_t end = at + name.size();
    if (as_word && ((at > 0 && in_word(text[at - 1])) || (end < text.size() && in_word(text[end])))) continue;
    return at;
  }
  return text.npos;
}

// The text with the pseudonym in the place of the name, in `out`, up to about `most` bytes. False if the name does not
// stand in it.
bool replaced(std::string_view text, std::string_view name, std::string_view pseudonym, bool as_word, std::size_t most,
              std::string& out) {
  std::size_t at = find_name(text, name, 0, as_word);
  if (at == text.npos) return false;
  out.clear();
  std::size_t done = 0;
  while (at != text.npos && out.size() < most) {
    out += text.substr(done, at - done);
    out += pseudonym;
    done = at + name.size();
    at = find_name(text, name, done, as_word);
  }
  if (out.size() < most) out += text.substr(done);
  return true;
}

bool holds_files(const fs::path& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(folder, ignored)) {
    if (!entry.is_directory(ignored)) return true;
  }
  return false;
}

// Something was kept that may hold names: not the journal, whose records are always as they came.
bool used(const fs::path& state) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(state, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("checkpoint-") || name.starts_with("findings.duckdb")) return true;
    if ((name == "events" || name == "outputs") && holds_files(entry.path())) return true;
  }
  return false;
}

core::Error cannot_write(const std::string& file, int why) {
  return {"cannot make the key file", file + ": " + std::strerror(why), "", core::ErrorKind::kOutput};
}

}  // namespace

core::Expected<PseudonymKey> PseudonymKey::load(const std::string& file) {
  auto text = exporting::read_secret(file);
  if (!text) {
    core::Error why = text.error();
    why.kind = core::ErrorKind::kInput;  // an output that cannot read its secret is one; this is the configuration
    return std::unexpected(std::move(why));
  }
  std::string key;
  std::string_view digits = *text;
  bool good = core::skip_prefix(digits, kKeyHead) && digits.size() == 2 * kKeyBytes;
  for (std::size_t i = 0; good && i < digits.size(); i += 2) {
    const auto byte = core::parse_number<std::uint8_t>(digits.substr(i, 2), 16);
    good = byte.has_value();
    key += static_cast<char>(byte.value_or(0));
  }
  const auto wipe = [&] {
    OPENSSL_cleanse(text->data(), text->size());
    OPENSSL_cleanse(key.data(), key.size());
  };
  if (!good) {
    wipe();
    return core::fail("no key for pseudonyms in this file", file, "`orbwatch pseudonym key` makes one");
  }
  auto siv = Siv::make(key);
  wipe();
  if (!siv) return std::unexpected(siv.error());
  auto id = siv->seal(kForId, "id");
  if (!id) return std::unexpected(id.error());
  return PseudonymKey(std::move(*siv), hex(id->substr(0, 8)));
}

core::Expected<void> PseudonymKey::make(const std::string& file) {
  std::array<char, kKeyBytes> key;
  if (::getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    return core::fail("the system gives no random bytes");
  std::string line = fmt::format("{}{}\n", kKeyHead, hex({key.data(), key.size()}));
  OPENSSL_cleanse(key.data(), key.size());
  const int made = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (made < 0 && errno == EEXIST)
    return std::unexpected(core::Error{"the key file is there already", file,
                                       "a key that was in use is never overwritten: its pseudonyms would be lost",
                                       core::ErrorKind::kOutput});
  if (made < 0) return std::unexpected(cannot_write(file, errno));
  const bool good = ::write(made, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(made) == 0;
  const int why = errno;
  ::close(made);
  OPENSSL_cleanse(line.data(), line.size());
  if (!good) {
    ::unlink(file.c_str());
    return std::unexpected(cannot_write(file, why));
  }
  const fs::path folder = fs::path(file).parent_path();
  exporting::sync_folder(folder.empty() ? fs::path(".") : folder);
  return {};
}

core::Expected<std::string> PseudonymKey::pseudonym(std::string_view name) {
  if (name.empty()) return core::fail("an empty name has no pseudonym");
  auto sealed = siv_.seal(kForNames, shortened(name));
  if (!sealed) return sealed;
  return std::string(kPseudonymPrefix) + base32(*sealed);
}

core::Expected<std::string> PseudonymKey::reveal(std::string_view pseudonym) {
  const auto wrong = [&] {
    return core::fail("this is no pseudonym", core::printable(pseudonym, 80),
                      "it begins with 'user-', and letters and the digits 2 to 7 follow");
  };
  std::string_view digits = pseudonym;
  if (digits.size() <= kPseudonymPrefix.size() || digits.size() > core::kLongestSymbol ||
      !core::equals_ignore_case(digits.substr(0, kPseudonymPrefix.size()), kPseudonymPrefix))
    return wrong();
  digits.remove_prefix(kPseudonymPrefix.size());
  const auto sealed = from_base32(digits);
  if (!sealed || sealed->size() <= Siv::kTagBytes) return wrong();
  if (auto name = siv_.open(kForNames, *sealed)) return std::move(*name);
  return core::fail("this key did not make this pseudonym", core::printable(pseudonym, 80),
                    "take the key file of the service that wrote it, and every letter of it");
}

core::Expected<std::string> PseudonymKey::seal(std::string_view bytes) { return siv_.seal(kForState, bytes); }

core::Expected<std::string> PseudonymKey::open(std::string_view sealed) {
  if (auto bytes = siv_.open(kForState, sealed)) return std::move(*bytes);
  return core::fail("this key did not seal this part of the state, or it is damaged");
}

core::Expected<void> claim_state(const std::string& state, const PseudonymKey* key) {
  const fs::path file = fs::path(state) / kMarker;
  std::error_code error;
  const bool there = fs::exists(file, error);
  if (error) return core::fail("cannot look into the state folder", fmt::format("{}: {}", state, error.message()));
  if (!there) {
    if (key == nullptr) return {};
    if (used(state))
      return core::fail("the state folder holds plain names of users, from before pseudonyms were configured", state,
                        "move it away to begin anew, or take 'pseudonyms' out of the configuration");
    return exporting::write_atomically(file, fmt::format("{}{}\n", kMarkerHead, key->id()));
  }
  auto text = exporting::read_bounded(file, 1024);
  if (!text) return std::unexpected(text.error());
  std::string_view id = core::trim(*text);
  if (!core::skip_prefix(id, kMarkerHead) || id.empty())
    return core::fail("cannot tell with which key the state folder was made", file.string(),
                      "take this file back from a backup");
  if (key == nullptr)
    return core::fail("the state folder holds pseudonyms, and no key is configured", state,
                      "set 'pseudonyms' as it was, or move the folder away to begin anew");
  if (id != key->id())
    return core::fail("the state folder was made with another pseudonym key",
                      fmt::format("{}: {}, the configured one is {}", state, core::printable(id, 40), key->id()),
                      "name the key file of then, or move the folder away to begin anew");
  return {};
}

core::Expected<std::unique_ptr<Pseudonyms>> Pseudonyms::open(const PseudonymSettings& settings,
                                                             const std::string& state) {
  if (settings.key_file.empty()) {
    if (auto ok = claim_state(state, nullptr); !ok) return std::unexpected(ok.error());
    return nullptr;
  }
  auto key = PseudonymKey::load(settings.key_file);
  if (!key) return std::unexpected(key.error());
  if (auto ok = claim_state(state, &*key); !ok) return std::unexpected(ok.error());
  return std::unique_ptr<Pseudonyms>(new Pseudonyms(std::move(*key), settings.raw_records));
}

core::Expected<Symbol> Pseudonyms::pseudonym(Symbol name) {
  if (const auto known = pseudonyms_.find(name); known != pseudonyms_.end()) return known->second;
  auto text = key_.pseudonym(name.text());
  if (!text) return std::unexpected(text.error());
  const Symbol symbol = core::intern(*text);
  pseudonyms_.emplace(name, symbol);
  // Of names beyond the limit of the table of symbols all that is left is that there are too many.
  if (symbol.text() == *text) names_.emplace(symbol, name);
  return symbol;
}

core::Expected<void> Pseudonyms::hide(event::EventBatch& batch) {
  if (pseudonyms_.size() >= kMostKnown) {
    pseudonyms_.clear();
    names_.clear();
  }
  for (Event& e : batch) {
    if (!e.user.present()) continue;
    const std::string_view name = e.user.text();
    const auto symbol = pseudonym(e.user);
    if (!symbol) return std::unexpected(symbol.error());
    e.user = *symbol;
    for (Symbol* text :
         {&e.client_host, &e.group, &e.destination_name, &e.certificate_subject, &e.user_agent, &e.rule}) {
      const bool as_word = text != &e.client_host || name.size() < kShortName;
      if (text->present() && replaced(text->text(), name, symbol->text(), as_word, core::kLongestSymbol, text_))
        *text = core::intern(text_);
    }
  }
  return {};
}

std::string_view Pseudonyms::keep(const Event& event, std::string_view record) {
  if (record.empty()) return record;
  if (!raw_records_) return kNotKept;
  if (!event.user.present()) return record;
  const auto known = names_.find(event.user);
  if (known == names_.end() ||
      !replaced(record.substr(0, kSearchedBytes), known->second.text(), event.user.text(), false, kKeptBytes, text_))
    return kNotFound;
  return std::string_view(text_).substr(0, kKeptBytes);
}

}  // namespace orbwatch::pipeline
