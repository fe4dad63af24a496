// An answer of the engine as OpenAI's chat completion object, whole, or in chunks as it comes:
// https://platform.openai.com/docs/api-reference/chat/object and .../chat/streaming.

#ifndef CARAT_ENGINE_CHAT_COMPLETION_H_
#define CARAT_ENGINE_CHAT_COMPLETION_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "carat/engine/chat_completion_job.h"
#include "carat/engine/chat_completion_writer.h"

namespace carat::engine {

class Engine;

// Any threads may read and cancel it; each chunk goes to one of them. Ends the work on the answer
// with its own end, and keeps the engine alive until then.
class ChatCompletion {
 public:
  ChatCompletion(std::shared_ptr<Engine> engine, std::shared_ptr<ChatCompletionJob> job,
                 ChatCompletionWriter writer);
  ~ChatCompletion() { Cancel(); }
  ChatCompletion(const ChatCompletion&) = delete;
  ChatCompletion& operator=(const ChatCompletion&) = delete;

  enum class Status { kReady, kNotYet, kEnded };

  // The next chunk of a stream, as JSON, or the whole answer if the request was not for a stream.
  // kNotYet: nothing was there to read for `timeout`. kEnded: there was all there is.
  //
  // Throws Error if the answer failed, or the engine was closed.
  Status Read(std::chrono::milliseconds timeout, std::string& json);

  // Readable, for poll(), when Read with no timeout may have something; the object's own.
  int File() { return job_->events.File(); }

  // The engine stops working on it, and what was read before is all there is; who waits in Read
  // goes on.
  void Cancel();

 private:
  bool HasEnded() const;

  // Makes of an event what there is to read: nothing, a chunk or several.
  void Take(ChatCompletionEvent event);

  std::shared_ptr<Engine> engine_;
  std::shared_ptr<ChatCompletionJob> job_;
  ChatCompletionWriter writer_;
  std::mutex mutex_;  // held by who reads; of what follows
  std::deque<std::string> ready_;
  int64_t num_ended_ = 0;  // choices
  bool has_failed_ = false;
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_CHAT_COMPLETION_H_
