#include "carat/engine/chat_completion.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

namespace carat::engine {

ChatCompletion::ChatCompletion(std::shared_ptr<Engine> engine,
                               std::shared_ptr<ChatCompletionJob> job, ChatCompletionWriter writer)
    : engine_(std::move(engine)), job_(std::move(job)), writer_(std::move(writer)) {}

void ChatCompletion::Cancel() {
  job_->is_cancelled = true;
  job_->events.Push(ChoiceDelta());  // for a reader who waits
}

bool ChatCompletion::HasEnded() const {
  return has_failed_ || job_->is_cancelled || num_ended_ == job_->request.num_choices;
}

ChatCompletion::Status ChatCompletion::Read(std::chrono::milliseconds timeout, std::string& json) {
  const std::lock_guard lock(mutex_);
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (ready_.empty()) {
    if (HasEnded()) return Status::kEnded;
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    std::optional<ChatCompletionEvent> event =
        job_->events.Pop(std::max(left, std::chrono::milliseconds(0)));
    if (!event) return Status::kNotYet;
    if (!job_->is_cancelled) Take(std::move(*event));
  }
  if (job_->is_cancelled) return Status::kEnded;
  json = std::move(ready_.front());
  ready_.pop_front();
  return Status::kReady;
}

void ChatCompletion::Take(ChatCompletionEvent event) {
  const bool stream = job_->request.stream;
  if (auto* delta = std::get_if<ChoiceDelta>(&event)) {
    if (stream) {
      for (std::string& chunk : writer_.DeltaChunks(*delta)) ready_.push_back(std::move(chunk));
    } else {
      writer_.Add(*delta);
    }
  } else if (const auto* end = std::get_if<ChoiceEnd>(&event)) {
    if (stream) {
      for (std::string& chunk : writer_.EndChunks(*end)) ready_.push_back(std::move(chunk));
    } else {
      writer_.Add(*end);
    }
    if (++num_ended_ < job_->request.num_choices) return;
    if (!stream) ready_.push_back(writer_.Whole());
    if (stream && job_->request.include_usage) ready_.push_back(writer_.UsageChunk());
  } else {
    has_failed_ = true;
    std::rethrow_exception(std::get<std::exception_ptr>(event));
  }
}

}  // namespace carat::engine
