// Asks Carat's engine from C++, through the TVM FFI: no header of Carat is needed.
//
//     chat LIBCARAT_SO COMPILED_MODEL QUESTION
//
// prints the chunks of the answer as they come, in OpenAI's JSON.

#include <tvm/ffi/container/map.h>
#include <tvm/ffi/extra/json.h>
#include <tvm/ffi/extra/module.h>
#include <tvm/ffi/function.h>
#include <tvm/ffi/reflection/accessor.h>

#include <iostream>

namespace ffi = tvm::ffi;

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: chat LIBCARAT_SO COMPILED_MODEL QUESTION\n";
    return 2;
  }
  const ffi::String library = argv[1], model = argv[2], question = argv[3];
  const ffi::Module carat = ffi::Module::LoadFromFile(library);  // registers what it has
  const ffi::Function load_engine = ffi::Function::GetGlobalRequired("carat.load_engine");
  const ffi::ObjectRef engine =
      load_engine(model, ffi::Map<ffi::String, ffi::Any>()).cast<ffi::ObjectRef>();

  const auto key = [](const char* name) { return ffi::String(name); };
  ffi::json::Object message;
  message.Set(key("role"), ffi::String("user"));
  message.Set(key("content"), question);
  ffi::json::Object request;
  request.Set(key("messages"), ffi::json::Array{message});
  request.Set(key("temperature"), 0);
  request.Set(key("stream"), true);

  const auto create = ffi::reflection::GetMethod("carat.Engine", "create_chat_completion");
  const auto read = ffi::reflection::GetMethod("carat.ChatCompletion", "read");
  const ffi::ObjectRef answer =
      create(engine, ffi::json::Stringify(request)).cast<ffi::ObjectRef>();
  while (const auto chunk = read(answer).cast<ffi::Optional<ffi::String>>()) {
    std::cout << *chunk << std::endl;
  }
} catch (const std::exception& error) {
  std::cerr << "chat: " << error.what() << '\n';
  return 1;
}
