// Cut streams into whole records, whatever the pieces in which they come. Pure: no input or output, no clock. Memory is
// bounded by one record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orbwatch::source {

// What a cutter met in its stream. Each record given counts in `records`, also if it counts elsewhere, too.
struct CutCounts {
  std::uint64_t records = 0;
  std::uint64_t oversize = 0;        // cut off at the longest length
  std::uint64_t unfinished = 0;      // given at the end of the stream without their own end
  std::uint64_t misframed = 0;       // octet counts that were wrong
  std::uint64_t invalid = 0;         // messages that could not be read and were not given
  std::uint64_t empty = 0;           // messages without content, not given
  std::uint64_t unacknowledged = 0;  // messages of acknowledged protocols that the end of the stream cut off, not given
  friend bool operator==(const CutCounts&, const CutCounts&) = default;
};

// One stream. Not thread-safe.
class RecordCutter {
 public:
  virtual ~RecordCutter() = default;

  // Appends the records that the bytes complete to `out`, as Arrival::bytes of their kind hold them. False: the stream
  // cannot be cut any further and has to be closed; nothing more is given.
  virtual bool feed(std::string_view bytes, std::string& out) = 0;
  // The sender has paused: everything that it sent so far was fed.
  virtual void pause(std::string& /*out*/) {}
  // The stream has ended.
  virtual void finish(std::string& out) = 0;

  // Of protocols in which the sender is told what was taken, and sends again what it was not told.
  virtual bool acknowledges() const { return false; }
  // All that was given so far was taken: appends what the sender is to be told.
  virtual void answer(std::string& /*out*/) {}
  // The connection will be closed: appends what is said before.
  virtual void farewell(std::string& /*out*/) const {}

  const CutCounts& counts() const { return counts_; }

 protected:
  CutCounts counts_;
};

// Syslog over a stream (RFC 6587), as senders mix its framings. How a message is framed is decided for each anew:
//
// - Bytes between messages (LF, CR, NUL) are passed over.
// - "123 <134>...": a count of 1 to 7 digits, a space and a '<' is octet counting. The count is believed if behind the
//   message stands LF, CR, NUL, '<' or a digit, if the sender pauses there, or if the stream ends. Line feeds within
//   become spaces.
// - If it was wrong, the message, count included, ends with its line or in front of what looks like the next count.
// - Otherwise a message ends at LF or NUL.
//
// Records are given without CR and NUL at their end, each with '\n' behind. Longer ones than `longest` are cut off
// there and the rest is passed over. Any split of the bytes gives the same records and counts; pause() may be called
// anywhere, but only where a message ends it changes nothing. These are the rules for files (decode/text.cc), but for
// what files cannot have, a pause, and what they rarely have, NUL as an end and a wrong count in a stream without
// lines.
class SyslogCutter final : public RecordCutter {
 public:
  explicit SyslogCutter(std::size_t longest) : longest_(longest) {}  // bytes of a record, at least 1
  bool feed(std::string_view bytes, std::string& out) override;
  void pause(std::string& out) override;
  void finish(std::string& out) override;

 private:
  enum class Until : std::uint8_t { kMore, kPause, kEnd };
  std::size_t cut(std::string_view bytes, Until until, std::string& out);
  void begin_message();
  void give(std::string_view raw, std::string& out);
  std::size_t line_end(std::string_view text) const;

  std::size_t longest_;
  std::string carry_;            // what is not used yet
  std::size_t scanned_ = 0;      // of the present line: here and before is no end
  std::size_t wrong_count_ = 0;  // the present line begins with a wrong count of so many bytes; 0: it does not
  bool passing_line_ = false;    // the rest of a line that was too long is passed over
  std::size_t passing_ = 0;      // bytes of a counted message that are passed over
};

// IPFIX over TCP (RFC 7011, 10.4): the length stands in each message's header. A header that is none makes the rest
// unreadable (the RFC has the connection reset). Records are given behind their length, 2 bytes little endian. A
// message that the end of the stream cuts off counts as invalid.
class IpfixCutter final : public RecordCutter {
 public:
  bool feed(std::string_view bytes, std::string& out) override;
  void finish(std::string& out) override;

 private:
  std::string carry_;
  bool broken_ = false;
};

}  // namespace orbwatch::source
