// What `/set key=value` changes in a chat.

#ifndef CARAT_CLI_CHAT_SETTINGS_H_
#define CARAT_CLI_CHAT_SETTINGS_H_

#include <string>
#include <string_view>

#include "carat/engine/chat_session.h"

namespace carat::cli {

// Changes what "temperature=0.7" names. Throws Error, and changes nothing, if there is no such
// setting or its value is out of range.
void ChangeChatSetting(std::string_view assignment, engine::ChatOptions& options);

// All settings, a line each: "temperature = 0.7".
std::string DescribeChatSettings(const engine::ChatOptions& options);

}  // namespace carat::cli

#endif  // CARAT_CLI_CHAT_SETTINGS_H_
