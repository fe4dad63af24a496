// A compiled model, ready to run: its library, its weights, its KV cache and its threads.
//
//   std::shared_ptr<Model> model = Model::Load("dist/gemma-3-270m-q4_0-cpu");
//   Sequence sequence(model);
//   std::vector<float> logits(model->vocab_size());
//   model->Forward(sequence, prompt, logits);          // logits after the prompt's last token
//   model->Forward(sequence, {&next_token, 1}, logits);

#ifndef CARAT_RUNTIME_MODEL_H_
#define CARAT_RUNTIME_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "carat/base/types.h"
#include "carat/library/dist_folder.h"
#include "carat/library/weights_file.h"
#include "carat/runtime/kv_cache.h"
#include "carat/runtime/library.h"
#include "carat/runtime/reservation.h"
#include "carat/runtime/thread_pool.h"

namespace carat::runtime {

class Model;

struct ModelOptions {
  int num_threads = 0;  // 0: one a physical core
};

// The tokens a model has seen, of one text: a slot of its KV cache. Ends with the object. Keeps the
// model alive.
class Sequence {
 public:
  // Throws Error if the model's max_batch_size sequences are in use.
  explicit Sequence(std::shared_ptr<Model> model);
  ~Sequence();
  Sequence(Sequence&& other) noexcept = default;
  Sequence& operator=(Sequence&& other) = delete;

  // Tokens it holds; the next one gets this position.
  int64_t length() const;

  // Forgets the tokens from `length` on. Returns the length it has then: `length`, or 0 if the
  // sliding layers have overwritten the window before it; then run the text from its beginning.
  int64_t Truncate(int64_t length);

  void Reset() { Truncate(0); }

  bool BelongsTo(const Model& model) const { return model_.get() == &model; }

 private:
  friend class Model;

  std::shared_ptr<Model> model_;
  int32_t slot_;
};

// Which tokens' logits a caller wants.
enum class LogitRows { kNone, kLast, kAll };

// Tokens to append to a sequence.
struct SequenceChunk {
  Sequence* sequence;
  std::span<const TokenId> tokens;
  LogitRows logit_rows = LogitRows::kLast;
};

class Model {
 public:
  // Maps the weights, reads them once to verify their hash, and checks the folder's files against
  // each other; only then code of the library is loaded. Throws Error saying which file does not
  // fit and what to do.
  Model(const std::filesystem::path& dist_folder, const ModelOptions& options);
  static std::shared_ptr<Model> Load(const std::filesystem::path& dist_folder,
                                     const ModelOptions& options = {});

  // Appends tokens to sequences, in as few steps as prefill_chunk_size allows, and writes the
  // logits that the chunks ask for, in their order, as rows of vocab_size: `logits` must have
  // exactly that size.
  //
  // Throws Error, before anything runs, for token ids outside the vocabulary, sequences that would
  // grow beyond the context window, a sequence named twice, or `logits` of the wrong size. Calls
  // from several threads take turns.
  void Forward(std::span<const SequenceChunk> chunks, std::span<float> logits);

  // One sequence; `logits` [vocab_size] of the last token.
  void Forward(Sequence& sequence, std::span<const TokenId> tokens, std::span<float> logits);

  const library::LibraryMetadata& metadata() const { return library_.metadata(); }
  const library::DistConfig& config() const { return config_; }
  const std::filesystem::path& folder() const { return folder_; }
  int64_t vocab_size() const { return metadata().vocab_size; }
  int64_t context_window_size() const { return metadata().context_window_size; }
  int num_threads() const { return thread_pool_.num_threads(); }
  ThreadPool& thread_pool() { return thread_pool_; }
  int64_t kv_bytes_in_use() const;

 private:
  friend class Sequence;
  class StepBuilder;

  void CheckChunks(std::span<const SequenceChunk> chunks, size_t num_logits) const;
  void RunStep(const StepBuilder& step);

  std::filesystem::path folder_;
  library::DistConfig config_;
  library::WeightsFile weights_;
  Library library_;
  ThreadPool thread_pool_;
  Reservation scratch_;
  KvCache kv_cache_;
  mutable std::mutex mutex_;  // guards kv_cache_ and scratch_
};

}  // namespace carat::runtime

#endif  // CARAT_RUNTIME_MODEL_H_
