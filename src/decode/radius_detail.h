// The format `radius_detail`: accounting files of FreeRADIUS, Radiator and other servers in the line of Livingston's:
// blocks of attributes, one a line, with an empty line between them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "decode/decoder.h"

namespace orbwatch::decode {

// 100 if the text begins with such a block.
int recognise_radius_detail(std::string_view head);

// RecordRef: line, offset and length of the block. Memory: one block of at most options.longest_record bytes.
class RadiusDetail final : public Decoder {
 public:
  RadiusDetail(const Options& options, core::TimeReader times);

  void feed(std::string_view bytes, EventBatch& batch) override;
  void finish(EventBatch& batch) override;

 private:
  void end_block(std::string_view rest, std::uint64_t end, EventBatch& batch);
  bool is_blank_line() const;
  void keep(std::string_view bytes);
  Fate decode(std::string_view block, Event& event) const;

  std::uint32_t source_;
  std::size_t longest_;
  core::TimeReader times_;
  Symbol name_;

  std::uint64_t offset_ = 0;  // of the next byte
  std::uint32_t line_ = 1;    // that the next byte belongs to
  // The line that is being read: where it begins, its first byte and whether there were only spaces so far.
  std::uint64_t line_offset_ = 0;
  bool line_begun_ = false;
  bool line_empty_ = true;
  // The block that is being read; open if it has a line that is not empty.
  bool open_ = false;
  std::uint64_t block_offset_ = 0;
  std::uint32_t block_line_ = 1;
  std::string carry_;  // its bytes of earlier calls
};

}  // namespace orbwatch::decode
