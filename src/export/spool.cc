#include "export/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <system_error>

#include "core/symbol.h"
#include "core/text.h"
#include "export/files.h"

namespace orbwatch::exporting {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "orbwatch-alert 1";
constexpr std::string_view kStateMagic = "orbwatch-spool 1";
constexpr std::size_t kLongestFile = kLongestBody + 65'536;

void append_field(std::string& out, std::string_view value) {
  out += std::to_string(value.size());
  out += '\n';
  out += value;
  out += '\n';
}

std::optional<std::string> take_field(std::string_view& text) {
  const auto size = core::parse_number<std::size_t>(core::take_until(text, '\n'));
  if (!size || *size >= text.size() || text[*size] != '\n') return std::nullopt;
  std::string value(text.substr(0, *size));
  text.remove_prefix(*size + 1);
  return value;
}

// "orbwatch-alert 1 <hash of the rest> <its length>\n", then each field as its length and its bytes.
std::string to_file(const Message& message, std::string_view reason) {
  std::string rest;
  append_field(rest, message.id);
  append_field(rest, message.subject);
  append_field(rest, message.media_type);
  append_field(rest, std::to_string(message.time));
  append_field(rest, reason);
  append_field(rest, message.body);
  return fmt::format("{} {:016x} {}\n", kMagic, core::hash64(rest), rest.size()) + rest;
}

std::optional<DeadLetter> from_file(std::string_view text) {
  std::string_view head = core::take_until(text, '\n');
  if (!core::skip_prefix(head, kMagic) || !core::skip_prefix(head, " ")) return std::nullopt;
  const auto hash = core::parse_number<std::uint64_t>(core::take_until(head, ' '), 16);
  if (!hash || core::parse_number<std::size_t>(head) != text.size() || *hash != core::hash64(text)) return std::nullopt;
  DeadLetter out;
  const auto id = take_field(text), subject = take_field(text), media_type = take_field(text), time = take_field(text),
             reason = take_field(text), body = take_field(text);
  if (!id || !subject || !media_type || !time || !reason || !body || !text.empty()) return std::nullopt;
  out.message = {*id, *subject, *media_type, core::parse_number<core::Nanoseconds>(*time).value_or(0), *body};
  out.reason = *reason;
  return out;
}

// Numbers of the files in a folder, in order; 0 is never one.
std::set<std::uint64_t> numbers_in(const fs::path& folder) {
  std::set<std::uint64_t> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (!name.ends_with(".alert")) continue;
    name.resize(name.size() - 6);
    if (const auto number = core::parse_number<std::uint64_t>(name); number && *number != 0 && name.size() == 20)
      out.insert(*number);
  }
  return out;
}

std::unexpected<core::Error> output_error(std::string message, std::string seen, std::string hint = {}) {
  return std::unexpected(core::Error{std::move(message), std::move(seen), std::move(hint), core::ErrorKind::kOutput});
}

}  // namespace

Spool::Spool(fs::path folder, const SpoolLimits& limits) : folder_(std::move(folder)), limits_(limits) {}

Spool::~Spool() {
  if (lock_ >= 0) ::close(lock_);
}

core::Expected<std::unique_ptr<Spool>> Spool::open(const fs::path& folder, const SpoolLimits& limits) {
  std::error_code error;
  for (const char* part : {"queue", "dead", "damaged"}) {
    fs::create_directories(folder / part, error);
    if (error) return output_error("cannot make the spool " + folder.string(), error.message());
  }
  // Alerts name users and addresses: nobody else's business.
  fs::permissions(folder, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec, error);
  std::unique_ptr<Spool> spool(new Spool(folder, limits));
  spool->lock_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (spool->lock_ < 0)
    return output_error("cannot open the spool " + folder.string(), std::generic_category().message(errno));
  if (::flock(spool->lock_, LOCK_EX | LOCK_NB) != 0)
    return output_error("the spool is in use", folder.string(), "two processes cannot feed one output");
  if (auto loaded = spool->load(); !loaded) return std::unexpected(loaded.error());
  return spool;
}

// What a kill may have left half done is done here.
core::Expected<void> Spool::load() {
  std::uint64_t removing = 0;
  const fs::path state = folder_ / "state";
  std::error_code error;
  if (fs::exists(state, error)) {
    const auto text = read_bounded(state, 4096);
    if (!text) return std::unexpected(text.error());
    std::string_view rest = *text;
    const bool magic = core::take_until(rest, '\n') == kStateMagic;
    std::uint64_t hash = 0;
    bool whole = magic;
    const std::pair<std::string_view, std::uint64_t*> fields[] = {{"last", &last_},
                                                                  {"delivered", &counts_.delivered},
                                                                  {"dead", &counts_.dead},
                                                                  {"dropped", &counts_.dropped},
                                                                  {"damaged", &counts_.damaged},
                                                                  {"removing", &removing}};
    const std::string_view covered = rest.substr(0, rest.find("hash "));
    for (const auto& [key, to] : fields) {
      std::string_view line = core::take_until(rest, '\n');
      const bool named = core::take_until(line, ' ') == key;
      const auto number = core::parse_number<std::uint64_t>(line);
      whole = whole && named && number;
      *to = number.value_or(0);
    }
    core::skip_prefix(rest, "hash ");
    hash = core::parse_number<std::uint64_t>(core::take_until(rest, '\n'), 16).value_or(0);
    if (!whole || hash != core::hash64(covered)) {
      return output_error("the state of the spool is damaged", state.string(),
                          "remove the file to start counting anew; the waiting alerts stay");
    }
  }
  fs::remove(state.string() + ".partial", error);
  for (const char* part : {"queue", "dead"}) {
    for (fs::directory_iterator it(folder_ / part, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (it->path().extension() == ".partial") fs::remove(it->path(), ignored);  // its put() had not returned
    }
  }
  if (removing != 0) fs::remove(file("queue", removing), error);
  const auto waiting = numbers_in(folder_ / "queue");
  const auto dead = numbers_in(folder_ / "dead"), damaged = numbers_in(folder_ / "damaged");
  for (const std::uint64_t number : waiting) {
    // It was being buried when the process died, and is not counted as dead: it waits on.
    if (dead.contains(number)) fs::remove(file("dead", number), error);
    const auto bytes = fs::file_size(file("queue", number), error);
    queue_.push_back({number, error ? 0 : bytes});
    bytes_ += queue_.back().bytes;
  }
  for (const auto* numbers : {&waiting, &dead, &damaged}) {
    if (!numbers->empty()) last_ = std::max(last_, *numbers->rbegin());
  }
  // Moved to damaged/ but not yet counted: given - all that is counted - waiting. Without `state` everything that came
  // before is unknown; then the count starts with what is here.
  const std::uint64_t known = counts_.delivered + counts_.dead + counts_.dropped + counts_.damaged + queue_.size();
  if (known < last_) {
    if (!fs::exists(state, error)) {
      counts_.dead = dead.size();
      counts_.damaged = damaged.size();
      counts_.delivered = last_ - std::min<std::uint64_t>(last_, dead.size() + damaged.size() + queue_.size());
    } else {
      counts_.damaged += last_ - known;
    }
  }
  return {};
}

fs::path Spool::file(std::string_view folder, std::uint64_t number) const {
  return folder_ / folder / fmt::format("{:020}.alert", number);
}

core::Expected<void> Spool::commit(const SpoolCounts& counts, std::uint64_t removing) {
  const std::string lines = fmt::format("last {}\ndelivered {}\ndead {}\ndropped {}\ndamaged {}\nremoving {}\n", last_,
                                        counts.delivered, counts.dead, counts.dropped, counts.damaged, removing);
  auto written =
      write_atomically(folder_ / "state", fmt::format("{}\n{}hash {:016x}\n", kStateMagic, lines, core::hash64(lines)));
  if (written) counts_ = counts;
  return written;
}

core::Expected<void> Spool::put(const Message& message) {
  const std::scoped_lock lock(mutex_);
  return put_locked(message);
}

core::Expected<void> Spool::put_locked(const Message& message) {
  const std::string bytes = to_file(message, {});
  if (message.body.size() > kLongestBody || bytes.size() > std::min<std::uint64_t>(limits_.most_bytes, kLongestFile)) {
    return output_error("the alert is too long for the spool", fmt::format("{} bytes", bytes.size()),
                        fmt::format("at most {}", std::min<std::uint64_t>(limits_.most_bytes, kLongestFile)));
  }
  // Written first: a full disk must not cost an older alert its place.
  const std::uint64_t number = last_ + 1;
  if (auto written = write_atomically(file("queue", number), bytes); !written) return written;
  last_ = number;
  queue_.push_back({number, bytes.size()});
  bytes_ += bytes.size();
  make_room();
  return {};
}

void Spool::make_room() {
  while (queue_.size() > limits_.most_messages || bytes_ > limits_.most_bytes) {
    const auto oldest =
        std::ranges::find_if(queue_, [this](const Entry& e) { return e.number != held_ && e.number != last_; });
    if (oldest == queue_.end()) break;  // only the one being delivered and the new one
    if (auto finished = finish(oldest->number, &SpoolCounts::dropped); !finished) break;  // tried again at the next
  }
}

core::Expected<void> Spool::finish(std::uint64_t number, std::uint64_t SpoolCounts::* counted) {
  const auto entry = std::ranges::find(queue_, number, &Entry::number);
  if (entry == queue_.end()) return core::fail("no such alert in the spool", std::to_string(number));
  SpoolCounts counts = counts_;
  ++(counts.*counted);
  if (auto committed = commit(counts, number); !committed) return committed;
  std::error_code error;
  fs::remove(file("queue", number), error);
  bytes_ -= entry->bytes;
  queue_.erase(entry);
  if (held_ == number) held_ = 0;
  return {};
}

std::optional<Spool::Next> Spool::next() {
  const std::scoped_lock lock(mutex_);
  while (!queue_.empty()) {
    const std::uint64_t number = queue_.front().number;
    const auto bytes = read_bounded(file("queue", number), kLongestFile);
    if (auto letter = bytes ? from_file(*bytes) : std::nullopt; letter) {
      held_ = number;
      return Next{number, std::move(letter->message)};
    }
    std::error_code error;
    // It is there and can only not be read now (too many open files): it is not damaged.
    if (const auto size = fs::file_size(file("queue", number), error); !bytes && !error && size <= kLongestFile)
      return std::nullopt;
    fs::rename(file("queue", number), file("damaged", number), error);
    if (auto finished = finish(number, &SpoolCounts::damaged); !finished) return std::nullopt;
    prune("damaged");
  }
  return std::nullopt;
}

core::Expected<void> Spool::done(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  return finish(number, &SpoolCounts::delivered);
}

core::Expected<void> Spool::dead(std::uint64_t number, std::string_view reason) {
  const std::scoped_lock lock(mutex_);
  const auto bytes = read_bounded(file("queue", number), kLongestFile);
  if (!bytes) return std::unexpected(bytes.error());
  const auto letter = from_file(*bytes);
  if (!letter) return core::fail("the alert is damaged", std::to_string(number));
  const std::string buried = to_file(letter->message, core::printable(reason, 1000));
  if (auto written = write_atomically(file("dead", number), buried); !written) return written;
  auto finished = finish(number, &SpoolCounts::dead);
  prune("dead");
  return finished;
}

void Spool::release(std::uint64_t number) {
  const std::scoped_lock lock(mutex_);
  if (held_ == number) held_ = 0;
  make_room();
}

void Spool::prune(std::string_view folder) const {
  const auto numbers = numbers_in(folder_ / folder);
  std::uint64_t kept = 0, bytes = 0;
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    std::error_code error;
    const auto size = fs::file_size(file(folder, *number), error);
    bytes += error ? 0 : size;
    ++kept;
    if (kept > kMostKept || (kept > 1 && bytes > limits_.most_bytes)) fs::remove(file(folder, *number), error);
  }
}

SpoolCounts Spool::counts() const {
  const std::scoped_lock lock(mutex_);
  SpoolCounts counts = counts_;
  counts.given = last_;
  counts.waiting = queue_.size();
  return counts;
}

std::vector<DeadLetter> Spool::dead_letters() const {
  const std::scoped_lock lock(mutex_);
  std::vector<DeadLetter> out;
  for (const std::uint64_t number : numbers_in(folder_ / "dead")) {
    const auto bytes = read_bounded(file("dead", number), kLongestFile);
    auto letter = bytes ? from_file(*bytes) : std::nullopt;
    if (!letter) {
      letter.emplace();
      letter->reason = "the file is damaged";
    }
    letter->number = number;
    out.push_back(std::move(*letter));
  }
  return out;
}

core::Expected<std::uint64_t> Spool::retry_dead() {
  std::uint64_t given = 0;
  for (const DeadLetter& letter : dead_letters()) {
    if (letter.message.body.empty()) continue;  // damaged
    const std::scoped_lock lock(mutex_);
    if (auto put = put_locked(letter.message); !put) return std::unexpected(put.error());
    std::error_code error;
    fs::remove(file("dead", letter.number), error);
    ++given;
  }
  return given;
}

}  // namespace orbwatch::exporting
