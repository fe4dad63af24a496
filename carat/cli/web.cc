// `carat web`: a chat page for a model compiled for the browser, on this machine.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <memory>

#include "carat/base/error.h"
#include "carat/base/interrupt.h"
#include "carat/base/printable.h"
#include "carat/cli/checked_flags.h"
#include "carat/cli/commands.h"
#include "carat/server/http_server.h"
#include "carat/server/web_site.h"

namespace carat::cli {
namespace {

struct WebArguments {
  std::filesystem::path folder;
  server::HttpServerOptions listen = {.port = 8000};
};

void RunWeb(const WebArguments& arguments) {
  const server::WebModel model = server::OpenWebModel(arguments.folder);
  const server::WebSite site(model);
  server::HttpServer server(arguments.listen, [&site](const server::HttpRequest& request) {
    return site.Answer(request);
  });
  const InterruptGuard guard(InterruptGuard::Signals::kAndTermination);
  std::cout << fmt::format("{}, {:.1f} MB of weights: {}\nCtrl-C ends it.\n", Printable(model.name),
                           static_cast<double>(model.weight_bytes) / 1e6, server.url())
            << std::flush;
  if (!std::cout) throw Error("cannot write to standard output: nobody would know the address");
  server.Run(Interrupted);
}

}  // namespace

void AddWeb(CLI::App& app) {
  const auto arguments = std::make_shared<WebArguments>();
  CLI::App* command =
      app.add_subcommand("web", "Serve a chat page for a model compiled for the browser");
  command
      ->add_option("DIR", arguments->folder,
                   "What carat compile MODEL --device webgpu -o DIR has written")
      ->required()
      ->check(NotEmpty());
  command->add_option("--port", arguments->listen.port, "0: any that is free")
      ->check(WholeNumber(0, 65535))
      ->capture_default_str();
  command
      ->add_option("--host", arguments->listen.host,
                   "Name or address to listen on. Browsers let a page use the GPU over http only "
                   "at localhost and 127.0.0.1")
      ->check(NotEmpty())
      ->capture_default_str();
  command->callback([arguments] { RunWeb(*arguments); });
}

}  // namespace carat::cli
