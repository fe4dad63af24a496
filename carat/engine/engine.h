// Serves requests to one model, from any number of threads: a thread of its own works on them in
// the order in which they came, one at a time.
//
//   std::shared_ptr<Engine> engine = Engine::Load("dist/gemma-3-270m-it-q4_0-cpu");
//   const auto answer = engine->CreateChatCompletion(R"({"messages": [...], "stream": true})");
//   while (answer->Read(timeout, chunk) ...) ...

#ifndef CARAT_ENGINE_ENGINE_H_
#define CARAT_ENGINE_ENGINE_H_

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "carat/base/types.h"
#include "carat/engine/chat_completion.h"
#include "carat/engine/chat_completion_job.h"
#include "carat/engine/generator.h"
#include "carat/engine/text_generator.h"
#include "carat/runtime/model.h"
#include "carat/text/chat_template.h"

namespace carat::engine {

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Throws Error as LoadTextModel does, and if the folder has no chat template.
  static std::shared_ptr<Engine> Load(const std::filesystem::path& dist_folder,
                                      const runtime::ModelOptions& options = {});
  Engine(TextModel model, text::ChatTemplate chat_template);
  ~Engine();  // as Close
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Puts the request (chat_completion_request.h) in the queue. Throws InvalidArgumentError if it
  // cannot be answered: a field is wrong, the template refuses the conversation, or it does not fit
  // the context window.
  std::unique_ptr<ChatCompletion> CreateChatCompletion(std::string_view request_json);

  // Ends the work on all requests. Where an answer was not complete, reading it is an Error after
  // what there was; so is creating others.
  void Close();

  const TextModel& model() const { return model_; }
  const std::string& name() const { return name_; }  // of the model: its folder's

 private:
  std::vector<TokenId> MakePrompt(const ChatCompletionRequest& request) const;
  void Enqueue(const std::shared_ptr<ChatCompletionJob>& job);

  // --- On the engine's thread ---
  void Work();
  std::shared_ptr<ChatCompletionJob> WaitForJob();
  void Answer(ChatCompletionJob& job);
  void AnswerChoice(ChatCompletionJob& job, int64_t choice);
  bool ShouldStop(const ChatCompletionJob& job) const { return job.is_cancelled || is_closed_; }

  const TextModel model_;
  const std::string name_;
  const text::ChatTemplate chat_template_;
  Generator generator_;  // of the engine's thread

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<ChatCompletionJob>> jobs_;
  std::atomic<bool> is_closed_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace carat::engine

#endif  // CARAT_ENGINE_ENGINE_H_
