// The subcommands of `carat`, one file each. Add<Command> declares its flags and sets the callback
// that runs it; a callback reports what went wrong by throwing carat::Error.

#ifndef CARAT_CLI_COMMANDS_H_
#define CARAT_CLI_COMMANDS_H_

namespace CLI {
class App;
}

namespace carat::cli {

void AddCompile(CLI::App& app);
void AddChat(CLI::App& app);
void AddGenerate(CLI::App& app);
void AddLogits(CLI::App& app);
void AddBench(CLI::App& app);
void AddPerplexity(CLI::App& app);
void AddEvaluate(CLI::App& app);
void AddInspect(CLI::App& app);
void AddGenConfig(CLI::App& app);
void AddConvertWeight(CLI::App& app);
void AddExport(CLI::App& app);
void AddFixture(CLI::App& app);
void AddWeb(CLI::App& app);
void AddDoctor(CLI::App& app);

}  // namespace carat::cli

#endif  // CARAT_CLI_COMMANDS_H_
