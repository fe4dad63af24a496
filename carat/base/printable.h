// Text of unknown origin for a line of a terminal: file names, what files and other programs say.

#ifndef CARAT_BASE_PRINTABLE_H_
#define CARAT_BASE_PRINTABLE_H_

#include <string>
#include <string_view>

namespace carat {

// `text` as one line that a terminal only shows. Control characters, line breaks, characters that
// reorder the others and bytes that are not UTF-8 are spelled out: \n, \x1b, \u202e. Of a long text
// the middle is left out: an error says first what is wrong and last how to mend it.
std::string Printable(std::string_view text);

}  // namespace carat

#endif  // CARAT_BASE_PRINTABLE_H_
