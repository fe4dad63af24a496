// The files of tests/data/quantization.

#ifndef CARAT_TESTS_QUANTIZATION_READ_DATA_H_
#define CARAT_TESTS_QUANTIZATION_READ_DATA_H_

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace carat::tests {

template <typename Element>
std::vector<Element> ReadData(const std::string& name) {
  const std::string path = std::string(CARAT_SOURCE_DIR) + "/tests/data/quantization/" + name;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::vector<char> chars{std::istreambuf_iterator<char>(file), {}};
  std::vector<Element> elements(chars.size() / sizeof(Element));
  std::memcpy(elements.data(), chars.data(), elements.size() * sizeof(Element));
  return elements;
}

}  // namespace carat::tests

#endif  // CARAT_TESTS_QUANTIZATION_READ_DATA_H_
