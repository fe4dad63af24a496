#include "carat/runtime/model.h"

#include <algorithm>
#include <utility>

#include "carat/base/error.h"

namespace carat::runtime {

namespace {

size_t ScratchBytes(const library::LibraryMetadata& metadata, int num_threads) {
  return metadata.scratch_shared_bytes + num_threads * metadata.scratch_thread_bytes;
}

size_t NumLogitRows(const SequenceChunk& chunk) {
  switch (chunk.logit_rows) {
    case LogitRows::kNone:
      return 0;
    case LogitRows::kLast:
      return 1;
    case LogitRows::kAll:
      return chunk.tokens.size();
  }
  return 0;
}

}  // namespace

// --- Sequence ---

Sequence::Sequence(std::shared_ptr<Model> model) : model_(std::move(model)) {
  const std::lock_guard lock(model_->mutex_);
  slot_ = model_->kv_cache_.AcquireSlot();
}

Sequence::~Sequence() {
  if (model_ == nullptr) return;  // moved from
  const std::lock_guard lock(model_->mutex_);
  model_->kv_cache_.ReleaseSlot(slot_);
}

int64_t Sequence::length() const {
  const std::lock_guard lock(model_->mutex_);
  return model_->kv_cache_.Length(slot_);
}

int64_t Sequence::Truncate(int64_t length) {
  const std::lock_guard lock(model_->mutex_);
  return model_->kv_cache_.Truncate(slot_, std::max<int64_t>(length, 0));
}

// --- Steps ---

// The tensors of one forward call, filled piece by piece.
class Model::StepBuilder {
 public:
  StepBuilder(const library::LibraryMetadata& metadata, std::span<float> logits)
      : max_tokens_(metadata.prefill_chunk_size),
        max_sequences_(metadata.max_batch_size),
        vocab_size_(metadata.vocab_size),
        logits_(logits) {}

  bool empty() const { return tokens_.empty(); }

  // How many tokens another sequence could add.
  size_t Room() const {
    return sequences_.size() < max_sequences_ ? max_tokens_ - tokens_.size() : 0;
  }

  void Add(int32_t slot, int64_t start, std::span<const TokenId> tokens, LogitRows rows) {
    const auto first_row = static_cast<int32_t>(tokens_.size());
    const auto count = static_cast<int32_t>(tokens.size());
    sequences_.push_back({slot, static_cast<int32_t>(start), count});
    tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
    if (rows == LogitRows::kNone) return;
    for (int32_t row = rows == LogitRows::kLast ? count - 1 : 0; row < count; ++row) {
      logit_rows_.push_back(first_row + row);
    }
  }

  // Begins the next step, whose logits follow those of this one.
  void Clear() {
    logits_ = logits_.subspan(logit_rows_.size() * vocab_size_);
    sequences_.clear();
    tokens_.clear();
    logit_rows_.clear();
  }

  std::span<const StepSequence> sequences() const { return sequences_; }
  std::span<const TokenId> tokens() const { return tokens_; }
  std::span<const int32_t> logit_rows() const { return logit_rows_; }
  std::span<float> logits() const { return logits_.first(logit_rows_.size() * vocab_size_); }

 private:
  const size_t max_tokens_;
  const size_t max_sequences_;
  const size_t vocab_size_;
  std::span<float> logits_;
  std::vector<StepSequence> sequences_;
  std::vector<TokenId> tokens_;
  std::vector<int32_t> logit_rows_;
};

// --- Model ---

std::shared_ptr<Model> Model::Load(const std::filesystem::path& dist_folder,
                                   const ModelOptions& options) {
  return std::make_shared<Model>(dist_folder, options);
}

Model::Model(const std::filesystem::path& dist_folder, const ModelOptions& options)
    : folder_(dist_folder),
      config_(library::ReadDistFolder(dist_folder)),
      weights_(library::OpenWeights(dist_folder, config_.metadata)),
      library_(dist_folder / config_.library, library::ReadMatchingLibrary(dist_folder, config_)),
      thread_pool_(options.num_threads),
      scratch_(ScratchBytes(library_.metadata(), thread_pool_.num_threads()),
               fmt::format("intermediate results of {} threads", thread_pool_.num_threads()),
               "use fewer threads, or compile with a smaller --prefill-chunk-size or "
               "--max-batch-size"),
      kv_cache_(library_.metadata()) {}

void Model::Forward(Sequence& sequence, std::span<const TokenId> tokens, std::span<float> logits) {
  const SequenceChunk chunk = {&sequence, tokens, LogitRows::kLast};
  Forward({&chunk, 1}, logits);
}

void Model::Forward(std::span<const SequenceChunk> chunks, std::span<float> logits) {
  const std::lock_guard lock(mutex_);
  CheckChunks(chunks, logits.size());
  StepBuilder step(metadata(), logits);
  for (const SequenceChunk& chunk : chunks) {
    const int32_t slot = chunk.sequence->slot_;
    int64_t position = kv_cache_.Length(slot);
    std::span<const TokenId> rest = chunk.tokens;
    while (!rest.empty()) {
      if (step.Room() == 0) {
        RunStep(step);
        step.Clear();
      }
      const std::span<const TokenId> piece = rest.first(std::min(rest.size(), step.Room()));
      rest = rest.subspan(piece.size());
      const bool is_last = rest.empty();
      step.Add(
          slot, position, piece,
          chunk.logit_rows == LogitRows::kLast && !is_last ? LogitRows::kNone : chunk.logit_rows);
      position += static_cast<int64_t>(piece.size());
    }
  }
  if (!step.empty()) RunStep(step);
}

void Model::CheckChunks(std::span<const SequenceChunk> chunks, size_t num_logits) const {
  size_t num_rows = 0;
  std::vector<int32_t> slots;
  for (const SequenceChunk& chunk : chunks) {
    if (!chunk.sequence->BelongsTo(*this)) throw Error("a sequence belongs to another model");
    if (chunk.tokens.empty())
      throw Error("no tokens given for a sequence; a prompt needs at least one");
    const int64_t length = kv_cache_.Length(chunk.sequence->slot_);
    const auto count = static_cast<int64_t>(chunk.tokens.size());
    if (count > context_window_size() - length) {
      throw Error(
          "{} tokens do not fit the context window of {} ({} are in it); shorten the prompt, or "
          "compile with a larger --context-window-size",
          count, context_window_size(), length);
    }
    for (size_t i = 0; i < chunk.tokens.size(); ++i) {
      if (chunk.tokens[i] < 0 || chunk.tokens[i] >= vocab_size()) {
        throw Error("token {} at position {} is outside the vocabulary of {}", chunk.tokens[i],
                    length + static_cast<int64_t>(i), vocab_size());
      }
    }
    slots.push_back(chunk.sequence->slot_);
    num_rows += NumLogitRows(chunk);
  }
  std::ranges::sort(slots);
  if (std::ranges::adjacent_find(slots) != slots.end()) {
    throw Error("one call names the same sequence twice");
  }
  if (num_logits != num_rows * vocab_size()) {
    throw Error("{} logits asked for, but the buffer holds {}", num_rows * vocab_size(),
                num_logits);
  }
}

void Model::RunStep(const StepBuilder& step) {
  std::vector<int32_t> page_table;
  page_table.reserve(step.sequences().size() * metadata().max_pages_per_sequence());
  for (const StepSequence& sequence : step.sequences()) {
    kv_cache_.Reserve(sequence.slot, sequence.start + sequence.count);
    const std::span<const int32_t> pages = kv_cache_.PageTable(sequence.slot);
    page_table.insert(page_table.end(), pages.begin(), pages.end());
  }
  library_.Forward({.weights = weights_.bytes(),
                    .kv_pages = kv_cache_.pages(),
                    .kv_rings = kv_cache_.rings(),
                    .scratch = scratch_.bytes(),
                    .sequences = step.sequences(),
                    .page_table = page_table,
                    .tokens = step.tokens(),
                    .logit_rows = step.logit_rows(),
                    .logits = step.logits(),
                    .thread_pool = num_threads() > 1 ? thread_pool_.abi() : nullptr});
  for (const StepSequence& sequence : step.sequences()) {
    kv_cache_.Advance(sequence.slot, sequence.start + sequence.count);
  }
}

int64_t Model::kv_bytes_in_use() const {
  const std::lock_guard lock(mutex_);
  return kv_cache_.BytesInUse();
}

}  // namespace carat::runtime
