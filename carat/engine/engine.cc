#include "carat/engine/engine.h"

#include <utility>

#include "carat/base/error.h"
#include "carat/base/printable.h"
#include "carat/engine/logprobs.h"
#include "carat/engine/stop_strings.h"
#include "carat/text/stream_decoder.h"

namespace carat::engine {

namespace {

std::exception_ptr ClosedError() { return std::make_exception_ptr(Error("the engine was closed")); }

// Tokens to the deltas of a choice.
class ChoiceText {
 public:
  ChoiceText(ChatCompletionJob& job, int64_t choice, const text::Tokenizer& tokenizer)
      : job_(job), choice_(choice), decoder_(tokenizer), stops_(job.request.stop) {}

  Continue Push(const GeneratedToken& token) {
    ChoiceDelta delta = {choice_, stops_.Push(decoder_.Push(token.token)), {}};
    if (token.logprobs != nullptr) delta.logprobs.push_back(*token.logprobs);
    Send(std::move(delta));
    return stops_.found() ? Continue::kStop : Continue::kYes;
  }

  // What still waited.
  void Finish() {
    if (stops_.found()) return;
    std::string text = stops_.Push(decoder_.Finish());
    if (!stops_.found()) text += stops_.Finish();
    Send({choice_, std::move(text), {}});
  }

  bool found_stop() const { return stops_.found(); }

 private:
  void Send(ChoiceDelta delta) {
    if (delta.text.empty() && delta.logprobs.empty()) return;
    job_.events.Push(std::move(delta));
  }

  ChatCompletionJob& job_;
  int64_t choice_;
  text::StreamDecoder decoder_;
  StopStrings stops_;
};

}  // namespace

std::shared_ptr<Engine> Engine::Load(const std::filesystem::path& dist_folder,
                                     const runtime::ModelOptions& options) {
  TextModel model = LoadTextModel(dist_folder, options);
  return std::make_shared<Engine>(std::move(model), text::ChatTemplate::Load(dist_folder));
}

Engine::Engine(TextModel model, text::ChatTemplate chat_template)
    : model_(std::move(model)),
      name_(Printable(std::filesystem::canonical(model_.model->folder()).filename().string())),
      chat_template_(std::move(chat_template)),
      generator_(model_.model),
      thread_([this] { Work(); }) {}

Engine::~Engine() {
  Close();
  thread_.join();
}

std::unique_ptr<ChatCompletion> Engine::CreateChatCompletion(std::string_view request_json) {
  ChatCompletionRequest request = ParseChatCompletionRequest(
      request_json, model_.model->config().generation, model_.model->vocab_size());
  std::vector<TokenId> prompt = MakePrompt(request);
  auto job = std::make_shared<ChatCompletionJob>(std::move(request), std::move(prompt));
  ChatCompletionWriter writer(name_, model_.tokenizer, job->request, std::ssize(job->prompt));
  Enqueue(job);
  return std::make_unique<ChatCompletion>(shared_from_this(), std::move(job), std::move(writer));
}

std::vector<TokenId> Engine::MakePrompt(const ChatCompletionRequest& request) const {
  try {
    const int64_t context_window_size = model_.model->context_window_size();
    size_t num_bytes = 0;
    for (const text::ChatMessage& message : request.messages) num_bytes += message.content.size();
    CheckPromptBytes(num_bytes, context_window_size);
    const std::string text = chat_template_.Render(request.messages, text::GenerationPrompt::kAdd);
    CheckPromptBytes(text.size(), context_window_size);
    std::vector<TokenId> prompt = model_.tokenizer->Encode(text, text::SpecialTokens::kDoNotAdd);
    model_.tokenizer->CheckTokens(prompt, model_.model->vocab_size());
    if (std::ssize(prompt) >= context_window_size) {
      throw Error(
          "messages have {} tokens, and the context window of {} leaves no room for an answer; "
          "shorten them, or compile with a larger --context-window-size",
          prompt.size(), context_window_size);
    }
    return prompt;
  } catch (const Error& error) {
    throw InvalidArgumentError("request: {}", error.what());
  }
}

void Engine::Enqueue(const std::shared_ptr<ChatCompletionJob>& job) {
  {
    const std::lock_guard lock(mutex_);
    if (is_closed_) std::rethrow_exception(ClosedError());
    jobs_.push_back(job);
  }
  changed_.notify_one();
}

void Engine::Close() {
  std::deque<std::shared_ptr<ChatCompletionJob>> waiting;
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    waiting.swap(jobs_);
  }
  changed_.notify_one();
  for (const auto& job : waiting) job->events.Push(ClosedError());
}

// --- On the engine's thread ---

void Engine::Work() {
  while (const std::shared_ptr<ChatCompletionJob> job = WaitForJob()) Answer(*job);
}

std::shared_ptr<ChatCompletionJob> Engine::WaitForJob() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return is_closed_ || !jobs_.empty(); });
  if (is_closed_) return nullptr;
  std::shared_ptr<ChatCompletionJob> job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

void Engine::Answer(ChatCompletionJob& job) {
  try {
    for (int64_t choice = 0; choice < job.request.num_choices && !ShouldStop(job); ++choice) {
      AnswerChoice(job, choice);
    }
    if (is_closed_) job.events.Push(ClosedError());
  } catch (...) {
    job.events.Push(std::current_exception());
  }
}

void Engine::AnswerChoice(ChatCompletionJob& job, int64_t choice) {
  ChoiceText text(job, choice, *model_.tokenizer);
  GenerationRequest request;
  request.prompt = job.prompt;
  request.sampling = job.request.sampling;
  if (request.sampling.seed) *request.sampling.seed += static_cast<uint64_t>(choice);
  if (!job.request.ignore_eos) {
    request.stop_tokens = model_.model->config().generation.eos_token_ids;
  }
  request.max_tokens = job.request.max_tokens;
  request.top_logprobs = job.request.top_logprobs;
  request.on_token = [&text](const GeneratedToken& token) { return text.Push(token); };
  request.is_interrupted = [this, &job] { return ShouldStop(job); };
  const GenerationResult result = generator_.Generate(request);
  if (result.finish_reason == FinishReason::kInterrupted) return;
  text.Finish();
  job.events.Push(ChoiceEnd{choice, text.found_stop() ? FinishReason::kStop : result.finish_reason,
                            result.timings});
}

}  // namespace carat::engine
