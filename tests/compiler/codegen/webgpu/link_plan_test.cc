#include "carat/compiler/codegen/webgpu/link_plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>

#include "carat/base/error.h"
#include "carat/compiler/codegen/webgpu/wasm_bytes.h"
#include "carat/webllm/runtime_module.h"

namespace carat::compiler {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::vector<std::byte> Plan(size_t num_bytes) {
  std::vector<std::byte> plan(num_bytes);
  for (size_t i = 0; i < num_bytes; ++i) plan[i] = static_cast<std::byte>(i * 7 + 1);
  return plan;
}

std::span<const std::byte> SectionOf(std::span<const std::byte> module, uint8_t id) {
  WasmReader reader(module.subspan(8));
  while (!reader.AtEnd()) {
    const uint8_t found = reader.ReadByte();
    const auto content = reader.ReadBytes(reader.ReadUnsigned());
    if (found == id) return content;
  }
  return {};
}

uint32_t MemoryPages(std::span<const std::byte> module) {
  WasmReader memory(SectionOf(module, 5));
  EXPECT_EQ(memory.ReadUnsigned(), 1u);
  memory.ReadByte();
  return memory.ReadUnsigned();
}

struct Segment {
  uint32_t address;
  std::span<const std::byte> bytes;
};

// Of active segments, which are all that wasm-ld and LinkPlan write.
std::vector<Segment> DataSegments(std::span<const std::byte> module) {
  WasmReader data(SectionOf(module, 11));
  std::vector<Segment> segments(data.ReadUnsigned());
  for (Segment& segment : segments) {
    EXPECT_EQ(data.ReadByte(), 0);
    EXPECT_EQ(data.ReadByte(), 0x41);
    segment.address = static_cast<uint32_t>(data.ReadSigned());
    EXPECT_EQ(data.ReadByte(), 0x0b);
    segment.bytes = data.ReadBytes(data.ReadUnsigned());
  }
  EXPECT_TRUE(data.AtEnd());
  return segments;
}

uint32_t WordAt(std::span<const std::byte> bytes, size_t offset) {
  uint32_t word = 0;
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

TEST(LinkPlanTest, ThePlanLiesBehindTheMemoryOfTheRuntimeAndTheGlobalSaysWhere) {
  const auto module = webllm::RuntimeModule();
  for (const size_t num_bytes : {size_t{1}, size_t{63}, size_t{65536}, size_t{65537}}) {
    const auto plan = Plan(num_bytes);
    const auto linked = LinkPlan(module, plan);
    const auto before = DataSegments(module);
    const auto after = DataSegments(linked);
    ASSERT_EQ(after.size(), before.size() + 2);
    const Segment& appended = after[before.size()];
    EXPECT_EQ(appended.address, MemoryPages(module) * 65536);
    EXPECT_TRUE(std::ranges::equal(appended.bytes, plan));
    EXPECT_EQ(MemoryPages(linked), MemoryPages(module) + (num_bytes + 65535) / 65536);
    const Segment& location = after.back();
    ASSERT_EQ(location.bytes.size(), 8u);
    EXPECT_LT(location.address, appended.address);
    EXPECT_EQ(WordAt(location.bytes, 0), appended.address);
    EXPECT_EQ(WordAt(location.bytes, 4), num_bytes);
  }
}

TEST(LinkPlanTest, WhatIsNotAboutThePlanStaysAsItIs) {
  const auto module = webllm::RuntimeModule();
  const auto linked = LinkPlan(module, Plan(100));
  for (const uint8_t id : {1, 2, 3, 4, 6, 7, 9, 10}) {
    EXPECT_TRUE(std::ranges::equal(SectionOf(module, id), SectionOf(linked, id))) << int{id};
  }
}

TEST(LinkPlanTest, TheDataCountIsThatOfTheSegments) {
  const auto linked = LinkPlan(webllm::RuntimeModule(), Plan(100));
  const auto count = SectionOf(linked, 12);
  if (count.empty()) return;  // an optional section
  EXPECT_EQ(WasmReader(count).ReadUnsigned(), DataSegments(linked).size());
}

// Exits with 0 where the module's memory has bytes 1, 8, 15, ... (Plan) at carat_plan's address.
constexpr char kFindPlan[] = R"js(
const { readFileSync } = require("fs");
const env = { TVMFFIWasmSafeCall() {}, TVMFFIWasmFunctionDeleter() {} };
const module = new WebAssembly.Module(readFileSync(process.argv[1]));
const { memory, carat_plan } = new WebAssembly.Instance(module, { env }).exports;
const [address, size] = new Uint32Array(memory.buffer, carat_plan.value, 2);
const plan = new Uint8Array(memory.buffer, address, size);
const right = (byte, i) => byte === (i * 7 + 1) % 256;
process.exit(size === Number(process.argv[2]) && plan.every(right) ? 0 : 1);
)js";

TEST(LinkPlanTest, AnEngineOfWebAssemblyFindsThePlanInTheMemory) {
  for (const size_t num_bytes : {size_t{1}, size_t{100'000}}) {
    const auto linked = LinkPlan(webllm::RuntimeModule(), Plan(num_bytes));
    const std::string path = ::testing::TempDir() + "/linked.wasm";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(linked.data()),
               static_cast<std::streamsize>(linked.size()));
    const std::string command =
        fmt::format("'{}' -e '{}' '{}' {}", CARAT_NODE, kFindPlan, path, num_bytes);
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::filesystem::remove(path);
  }
}

TEST(LinkPlanTest, AnEmptyPlanIsRefused) {
  EXPECT_THAT([] { LinkPlan(webllm::RuntimeModule(), {}); },
              ThrowsMessage<Error>(HasSubstr("a plan of 0 bytes")));
}

TEST(LinkPlanTest, WhatIsNoModuleIsRefused) {
  EXPECT_THAT([] { LinkPlan(Plan(100), Plan(4)); },
              ThrowsMessage<Error>(HasSubstr("no WebAssembly module")));
}

TEST(LinkPlanTest, AModuleWithoutTheGlobalIsRefused) {
  const auto module = webllm::RuntimeModule();
  std::vector<std::byte> renamed(module.begin(), module.end());
  const std::string_view name = "carat_plan";
  const auto found = std::search(
      renamed.begin(), renamed.end(), name.begin(), name.end(),
      [](std::byte byte, char letter) { return byte == static_cast<std::byte>(letter); });
  ASSERT_NE(found, renamed.end());
  *found = std::byte{'C'};
  EXPECT_THAT([&] { LinkPlan(renamed, Plan(4)); },
              ThrowsMessage<Error>(HasSubstr("does not export 'carat_plan'")));
}

TEST(LinkPlanTest, AModuleCutOffAnywhereIsAnErrorOrLinkedWithoutCrash) {
  const auto module = webllm::RuntimeModule();
  const auto plan = Plan(16);
  for (size_t length = 0; length < module.size(); ++length) {
    try {
      LinkPlan(module.first(length), plan);
    } catch (const Error& error) {
      EXPECT_STRNE(error.what(), "");
    }
  }
}

TEST(LinkPlanTest, ADamagedModuleIsAnErrorOrLinkedWithoutCrash) {
  const auto module = webllm::RuntimeModule();
  const auto plan = Plan(16);
  std::mt19937 random(17);  // NOLINT(cert-msc51-cpp): the same every time
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::byte> damaged(module.begin(), module.end());
    for (int i = 0; i < 4; ++i)
      damaged[random() % damaged.size()] = static_cast<std::byte>(random());
    try {
      LinkPlan(damaged, plan);
    } catch (const Error& error) {
      EXPECT_STRNE(error.what(), "");
    }
  }
}

}  // namespace
}  // namespace carat::compiler
