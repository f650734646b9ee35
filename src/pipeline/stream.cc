#include "pipeline/stream.h"

#include <algorithm>
#include <utility>

#include "core/text.h"

namespace orbwatch::pipeline {
namespace {

constexpr std::size_t kHead = 64 << 10;

}  // namespace

// The input that is being read.
struct Stream::Opened {
  std::unique_ptr<source::ChunkReader> chunks;
  decode::Recognised what;
  decode::Options options;
  std::unique_ptr<decode::Decoder> decoder;  // for formats with state
  std::size_t report = 0;
  bool parallel = false;
  bool inside_line = false;  // the last chunk ended within a line
};

Stream::Stream(StreamContext& context, std::vector<source::Input> inputs)
    : context_(context), inputs_(std::move(inputs)) {
  reports_.resize(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) reports_[i].path = inputs_[i].path;
}

Stream::~Stream() {
  context_.tasks.wait([this] { return running_ == 0; });
}

decode::Options Stream::options_for(const source::Input& input) const {
  decode::Options options = context_.decode;
  options.source = input.id;
  if (input.modified_ns != 0) options.reference = input.modified_ns;
  return options;
}

core::Nanoseconds Stream::probe() {
  for (const source::Input& input : inputs_) {
    if (input.path == "-") return INT64_MIN;  // cannot be read twice: goes first
    auto reader = source::open(input);
    if (!reader) continue;
    source::ChunkReader chunks(std::move(*reader), input.id,
                               {.bytes = kHead, .at_line_ends = true, .longest_line = kHead, .count_lines = false},
                               context_.chunks);
    const std::string head(chunks.head(kHead));
    decode::Options options = options_for(input);
    const decode::Recognised what = decode::recognise(head, options);
    if (what.format.empty()) continue;
    auto decoder = decode::make_decoder(what, options);
    if (!decoder) continue;
    event::EventBatch batch;
    std::string padded = head;
    padded.reserve(padded.size() + core::kPadding);
    (*decoder)->feed(padded, batch);
    core::Nanoseconds first = INT64_MAX;
    for (const event::Event& e : batch) {
      if (e.time != 0) first = std::min(first, e.time);
    }
    scan_ = !batch.empty() && std::all_of(batch.begin(), batch.end(),
                                          [](const event::Event& e) { return e.event_class == event::Class::kDevice; });
    if (first != INT64_MAX) return first;
  }
  return INT64_MAX;
}

void Stream::schedule() {
  {
    std::lock_guard lock(context_.tasks.mutex());
    if (reading_ || done_ || slots_.size() >= context_.ahead) return;
    reading_ = true;
    ++running_;
  }
  context_.tasks.add([this] { read_on(); });
}

event::EventBatch* Stream::front() {
  for (;;) {
    schedule();
    std::shared_ptr<Slot> head;
    context_.tasks.wait([&] {
      if (!slots_.empty()) {
        if (!slots_.front()->ready.load(std::memory_order_acquire)) return false;
        head = slots_.front();
        return true;
      }
      return done_ || !reading_;
    });
    if (head != nullptr) {
      if (!head->batch->empty() || head->batch->counts.records != 0) return head->batch.get();
      pop();
      continue;
    }
    std::lock_guard lock(context_.tasks.mutex());
    if (done_ && slots_.empty()) return nullptr;
  }
}

void Stream::pop() {
  std::shared_ptr<Slot> slot;
  {
    std::lock_guard lock(context_.tasks.mutex());
    slot = std::move(slots_.front());
    slots_.pop_front();
  }
  event::EventBatch& batch = *slot->batch;
  score::InputReport& report = reports_[slot->report];
  report.counts.add(batch.counts);
  for (event::Reject& r : batch.rejects) {
    if (report.rejects.size() < event::EventBatch::kMostRejects) report.rejects.push_back(std::move(r));
  }
  for (const event::Event& e : batch) {
    if (e.time == 0) continue;
    if (report.first == 0 || e.time < report.first) report.first = e.time;
    if (e.time > report.last) report.last = e.time;
  }
  batch.clear();
  std::lock_guard lock(context_.tasks.mutex());
  if (spare_.size() < context_.ahead + 1) spare_.push_back(std::move(slot->batch));
}

std::unique_ptr<event::EventBatch> Stream::fresh_batch() {
  {
    std::lock_guard lock(context_.tasks.mutex());
    if (!spare_.empty()) {
      auto batch = std::move(spare_.back());
      spare_.pop_back();
      return batch;
    }
  }
  return std::make_unique<event::EventBatch>();
}

std::shared_ptr<Stream::Slot> Stream::add_slot() {
  auto slot = std::make_shared<Slot>();
  slot->batch = fresh_batch();
  slot->report = opened_->report;
  std::lock_guard lock(context_.tasks.mutex());
  slots_.push_back(slot);
  return slot;
}

bool Stream::open_next() {
  while (next_input_ < inputs_.size()) {
    const std::size_t i = next_input_++;
    const source::Input& input = inputs_[i];
    score::InputReport& report = reports_[i];
    auto reader = source::open(input, context_.progress);
    if (!reader) {
      report.error = reader.error().text();
      report.recognised = false;
      continue;
    }
    auto opened = std::make_unique<Opened>();
    opened->report = i;
    opened->options = options_for(input);
    opened->chunks =
        std::make_unique<source::ChunkReader>(std::move(*reader), input.id,
                                              source::ChunkOptions{.bytes = context_.chunk_bytes,
                                                                   .at_line_ends = true,
                                                                   .longest_line = opened->options.longest_record,
                                                                   .count_lines = true},
                                              context_.chunks);
    const std::string_view head = opened->chunks->head(kHead);
    std::string padded(head);
    padded.reserve(padded.size() + core::kPadding);
    opened->what = decode::recognise(padded, opened->options);
    auto decoder = decode::make_decoder(opened->what, opened->options);
    if (head.empty()) {
      // Nothing to recognise: an empty file, or one that cannot be read; the reader knows which.
      auto chunk = opened->chunks->next();
      if (!chunk) report.error = chunk.error().text();
      continue;
    }
    if (!decoder) {
      // The reason may be that what could be read so far is damaged compression.
      report.recognised = false;
      report.error = decoder.error().text();
      report.unknown_format = opened->options.format.empty();
      if (head.size() < kHead) {
        auto rest = opened->chunks->next();
        if (rest) rest = opened->chunks->next();
        if (!rest) {
          report.error = rest.error().text();
          report.unknown_format = false;
        }
      }
      continue;
    }
    report.format = opened->what.format;
    opened->parallel = !opened->what.binary && opened->what.stateless;
    const bool lines = !opened->what.binary && opened->what.framing == decode::Framing::kLines;
    opened->chunks->set_at_line_ends(lines);
    opened->chunks->set_count_lines(lines);
    if (opened->parallel) {
      std::lock_guard lock(context_.tasks.mutex());
      idle_.clear();
      idle_.push_back(std::move(*decoder));
      idle_report_ = i;
    } else {
      opened->decoder = std::move(*decoder);
    }
    opened_ = std::move(opened);
    return true;
  }
  return false;
}

void Stream::close(std::string error) {
  score::InputReport& report = reports_[opened_->report];
  report.error = std::move(error);
  report.bytes = opened_->chunks->offset();
  if (opened_->decoder != nullptr) {
    const auto slot = add_slot();
    opened_->decoder->finish(*slot->batch);
    enrich::Enricher::Scratch scratch;
    context_.enricher.enrich(*slot->batch, scratch);
    slot->ready.store(true, std::memory_order_release);
  }
  opened_.reset();
}

void Stream::decode_text(const std::shared_ptr<Slot>& slot, std::uint64_t offset, std::uint64_t lines,
                         bool inside_line) {
  thread_local enrich::Enricher::Scratch scratch;
  auto& decoder = static_cast<decode::TextDecoder&>(*slot->decoder);
  decoder.start_at(offset, lines, inside_line);
  slot->batch->source = slot->chunk->source;
  slot->batch->chunk = slot->chunk;
  decoder.feed(slot->chunk->bytes, *slot->batch);
  decoder.finish(*slot->batch);
  context_.enricher.enrich(*slot->batch, scratch);
}

void Stream::read_on() {
  thread_local enrich::Enricher::Scratch scratch;
  for (;;) {
    if (opened_ == nullptr && !open_next()) {
      std::unique_lock lock(context_.tasks.mutex());
      done_ = true;
      break;
    }
    auto chunk = opened_->chunks->next();
    if (!chunk || *chunk == nullptr) {
      close(chunk ? std::string() : chunk.error().text());
      continue;
    }
    const auto slot = add_slot();
    slot->chunk = std::move(*chunk);
    if (opened_->parallel) {
      {
        std::lock_guard lock(context_.tasks.mutex());
        if (idle_report_ == slot->report && !idle_.empty()) {
          slot->decoder = std::move(idle_.back());
          idle_.pop_back();
        }
        ++running_;
      }
      if (slot->decoder == nullptr) slot->decoder = std::move(*decode::make_decoder(opened_->what, opened_->options));
      const bool inside = opened_->inside_line;
      opened_->inside_line = slot->chunk->bytes.back() != '\n';
      context_.tasks.add([this, slot, inside] {
        decode_text(slot, slot->chunk->offset, slot->chunk->lines_before, inside);
        {
          std::lock_guard lock(context_.tasks.mutex());
          if (idle_report_ == slot->report) idle_.push_back(std::move(slot->decoder));
          slot->chunk.reset();
          slot->ready.store(true, std::memory_order_release);
          --running_;
        }
        context_.tasks.notify();
      });
    } else {
      slot->batch->source = slot->chunk->source;
      slot->batch->chunk = slot->chunk;
      opened_->decoder->feed(slot->chunk->bytes, *slot->batch);
      slot->chunk.reset();
      context_.enricher.enrich(*slot->batch, scratch);
      slot->ready.store(true, std::memory_order_release);
      context_.tasks.notify();
    }
    std::lock_guard lock(context_.tasks.mutex());
    if (slots_.size() >= context_.ahead) break;
  }
  {
    std::lock_guard lock(context_.tasks.mutex());
    reading_ = false;
    --running_;
  }
  context_.tasks.notify();
}

}  // namespace orbwatch::pipeline
